//! The delivery of each player event to each analytics driver: the table `telemetry_deliveries`.
//!
//! A row is created when a driver first reports on an event. Until every enabled driver
//! ([`EnabledDrivers`](super::telemetry_driver::EnabledDrivers)) has a delivery, the event has a row in
//! `telemetry_pending`. After the first delivery, that row lists the drivers without one. A driver that is
//! enabled later does not get events that already have a delivery for another driver.
//! Events in flight are in `telemetry_leases`, many per row.

mod backfill;
mod counts;
mod dead;
mod history;
mod lease;
mod orphans;
mod pending;
mod record;
mod remaining;
mod requeue;
mod retryable;
mod skip;
mod synced;
mod too_old;
mod unsent;
mod update;
mod upsert;

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::AstPass;
use diesel::sql_types::{BigInt, Bool, Double, Integer, Jsonb, Nullable, Text, Timestamptz};
use domain::Driver;
use serde_json::Value;

pub use backfill::backfill;
pub use counts::{PendingCounts, has_pending, newest_pending_batch};
pub use dead::{DeadDelivery, DeliveryPosition, last_delivered_at};
pub use history::{ViewedEvent, viewer_history};
pub use lease::{Lease, ReclaimedEvent, acquire, reclaim};
pub use orphans::{
    delete_month_deliveries, delete_oldest_orphans, delete_pending_in_gap, insert_missing_pending,
};
pub use record::{RecordContext, RecordResult, record_outcomes};
pub use remaining::record_remaining;
pub use requeue::{RequeuePosition, RequeueRequest, requeue};
pub use retryable::retryable;
pub use skip::skip_pending;
pub use too_old::discard_too_old;
pub use unsent::unsent;
pub use update::{DeliveryState, DeliveryUpdate};

/// A position in the order in which events are sent: by time, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventPosition {
    pub recorded_at: DateTime<Utc>,
    pub id: i64,
}

impl EventPosition {
    /// Before every event.
    pub const START: Self = Self {
        recorded_at: DateTime::from_timestamp(-2_208_988_800, 0).expect("the year 1900 is within range"),
        id: 0,
    };
    /// After every event.
    pub const END: Self = Self {
        recorded_at: DateTime::from_timestamp(253_370_764_800, 0).expect("the year 9999 is within range"),
        id: i64::MAX,
    };
}

/// Which pending events to read.
#[derive(Clone, Copy, Debug)]
pub struct PendingQuery {
    pub driver: Driver,
    /// Only events after this position.
    pub after: EventPosition,
    /// Maximum number of events.
    pub limit: i64,
    /// Whether to read the creation time of the viewer's account.
    pub with_user_since: bool,
}

impl PendingQuery {
    /// Appends the position as two values.
    fn push_position<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_bind_param::<Timestamptz, _>(&self.after.recorded_at)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.after.id)
    }

    /// Joins the events of the rows of `pending_row`, in order and up to the limit.
    fn join_events<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(ITS_EVENT);
        out.push_sql(" ORDER BY pending_row.recorded_at, pending_row.event_id LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)
    }
}

/// A player event that is pending for a driver.
#[derive(Clone, Debug, PartialEq, Queryable, QueryableByName)]
pub struct PendingEvent {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Timestamptz)]
    pub recorded_at: DateTime<Utc>,
    /// The viewer, or `None` for a guest.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub user_id: Option<i64>,
    /// When the viewer's account was created, if [`PendingQuery::with_user_since`] is set.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub user_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub course_id: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub lesson_id: Option<i64>,
    /// The kind of event.
    #[diesel(sql_type = Text)]
    pub event: String,
    /// The video provider.
    #[diesel(sql_type = Nullable<Text>)]
    pub provider: Option<String>,
    /// Position in the video, in seconds.
    #[diesel(sql_type = Integer)]
    pub playback_seconds: i32,
    /// Seconds watched so far.
    #[diesel(sql_type = Integer)]
    pub watched_seconds: i32,
    /// Length of the video, in seconds.
    #[diesel(sql_type = Nullable<Integer>)]
    pub video_duration: Option<i32>,
    #[diesel(sql_type = Double)]
    pub playback_rate: f64,
    /// The part of the page that contains the player.
    #[diesel(sql_type = Text)]
    pub context_tag: String,
    /// Other values that the player sent.
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub metadata: Option<Value>,
    /// When the hub received it.
    #[diesel(sql_type = Timestamptz)]
    pub arrived_at: DateTime<Utc>,
    /// Attempts to send it to this driver.
    #[diesel(sql_type = Integer)]
    pub attempts: i32,
    /// Attempts without a response.
    #[diesel(sql_type = Integer)]
    pub unanswered: i32,
    /// Whether the driver may have received it already.
    #[diesel(sql_type = Bool)]
    pub maybe_duplicate: bool,
    /// When it was first sent to this driver.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub first_attempt_at: Option<DateTime<Utc>>,
    /// When this driver refused it, if its latest response was a refusal.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub refused_at: Option<DateTime<Utc>>,
    /// Whether it already has a delivery for this driver.
    #[diesel(sql_type = Bool)]
    pub is_on_record: bool,
    /// Whether this was the only driver without a delivery when the event was fetched.
    #[diesel(sql_type = Bool)]
    pub is_last: bool,
}

impl PendingEvent {
    /// Its position in the order in which events are sent.
    pub const fn position(&self) -> EventPosition {
        EventPosition { recorded_at: self.recorded_at, id: self.id }
    }
}

/// The SQL types of [`PendingEvent`]'s fields.
type PendingEventSql = (
    BigInt,
    Timestamptz,
    Nullable<BigInt>,
    Nullable<Timestamptz>,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Text,
    Nullable<Text>,
    Integer,
    Integer,
    Nullable<Integer>,
    Double,
    Text,
    Nullable<Jsonb>,
    Timestamptz,
    Integer,
    Integer,
    Bool,
    Nullable<Timestamptz>,
    Nullable<Timestamptz>,
    Bool,
    Bool,
);

/// Selects the event columns of [`PendingEvent`] from a player event with the alias `event`. A boolean column
/// `with_user_since` must be in scope.
const EVENT_COLUMNS: &str = "event.id, event.recorded_at, event.user_id, \
    CASE WHEN with_user_since THEN (SELECT created_at FROM users WHERE users.id = event.user_id) END AS user_since, event.course_id, \
    event.lesson_id, event.event, event.provider, event.playback_seconds, event.watched_seconds, event.video_duration, \
    event.playback_rate, event.context_tag, event.metadata, \
    event.created_at AS arrived_at";

/// Joins the event of a row with the alias `pending_row`. The time limits the lookup to one partition.
const ITS_EVENT: &str = "CROSS JOIN LATERAL (SELECT * FROM video_player_events \
    WHERE recorded_at = pending_row.recorded_at AND id = pending_row.event_id OFFSET 0) AS event";
