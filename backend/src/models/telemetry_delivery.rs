//! What became of each player event at each analytics driver: the table `telemetry_deliveries`.
//!
//! An event costs no row here before the first driver says something of it. Until each driver that is enabled
//! ([`EnabledDrivers`](super::telemetry_driver::EnabledDrivers)) has a record of it, those that have none stand in the
//! table `telemetry_pending`: a driver that is enabled later does not get what others had long before. What is being sent
//! at the moment stands in `telemetry_leases`, many events to a row.

mod backfill;
mod due;
mod fresh;
mod given_up;
mod judge;
mod judgement;
mod lease;
mod leftover;
mod note;
mod orphans;
mod owed;
mod pending;
mod requeue;
mod settle;
mod skip;
mod too_old;
mod viewing;

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::AstPass;
use diesel::sql_types::{BigInt, Bool, Double, Integer, Jsonb, Nullable, Text, Timestamptz};
use serde_json::Value;

pub use backfill::backfill;
pub use due::due;
pub use fresh::fresh;
pub use given_up::{GivenUp, Place, last_delivered_at};
pub use judge::{Writing, Written, write_down};
pub use judgement::{Judged, Judgement};
pub use lease::{Lease, TakenOver, hold, take_over};
pub use leftover::put_on_record;
pub use orphans::{forget_gap, forget_month, forget_oldest_orphans, note_forgotten};
pub use owed::{Owed, is_anything_owed, newest_batch_owed};
pub use requeue::{Requeue, RequeuePlace, requeue};
pub use skip::skip_pending;
pub use too_old::settle_too_old;
pub use viewing::{Viewing, viewed_before};

use super::driver::Driver;

/// A place in the order in which events are sent: by when they happened, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Frontier {
    /// When it happened.
    pub recorded_at: DateTime<Utc>,
    /// Its id.
    pub id: i64,
}

impl Frontier {
    /// Before every event.
    pub const START: Self = Self {
        recorded_at: DateTime::from_timestamp(-2_208_988_800, 0).expect("1900 is within range"),
        id: 0,
    };
    /// Behind every event.
    pub const END: Self = Self {
        recorded_at: DateTime::from_timestamp(253_370_764_800, 0).expect("9999 is within range"),
        id: i64::MAX,
    };
}

/// Which events are looked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Owed to this driver.
    pub driver: Driver,
    /// Only what lies behind this.
    pub after: Frontier,
    /// At most so many.
    pub limit: i64,
    /// Whether it matters when a viewer's account was made.
    pub with_user_since: bool,
}

impl Wanted {
    /// The place behind which it is looked, as two values.
    fn after<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_bind_param::<Timestamptz, _>(&self.after.recorded_at)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.after.id)
    }

    /// The events of rows called `owed`, in their order, as many as are wanted.
    fn events_of_owed<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(ITS_EVENT);
        out.push_sql(" ORDER BY owed.recorded_at, owed.event_id LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)
    }
}

/// A player event that a driver is owed.
#[derive(Clone, Debug, PartialEq, Queryable, QueryableByName)]
pub struct OwedEvent {
    /// Its id.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// When it happened.
    #[diesel(sql_type = Timestamptz)]
    pub recorded_at: DateTime<Utc>,
    /// Who watched; nobody for a guest.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub user_id: Option<i64>,
    /// When their account was made, where that was asked for.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub user_since: Option<DateTime<Utc>>,
    /// The lesson's course.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub course_id: Option<i64>,
    /// The lesson.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub lesson_id: Option<i64>,
    /// What happened.
    #[diesel(sql_type = Text)]
    pub event: String,
    /// Who plays the video.
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
    /// Speed of playback.
    #[diesel(sql_type = Double)]
    pub playback_rate: f64,
    /// The part of the page.
    #[diesel(sql_type = Text)]
    pub context_tag: String,
    /// Whatever else the player said.
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub metadata: Option<Value>,
    /// When it reached the hub.
    #[diesel(sql_type = Timestamptz)]
    pub arrived_at: DateTime<Utc>,
    /// Times that it was sent to this driver.
    #[diesel(sql_type = Integer)]
    pub attempts: i32,
    /// How many of them were not answered.
    #[diesel(sql_type = Integer)]
    pub unanswered: i32,
    /// Whether it may be there already.
    #[diesel(sql_type = Bool)]
    pub maybe_duplicate: bool,
    /// When it was first sent there.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub first_attempt_at: Option<DateTime<Utc>>,
    /// When this driver refused it, if that is the last that it said of it.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub refused_at: Option<DateTime<Utc>>,
    /// Whether it has a delivery record for this driver.
    #[diesel(sql_type = Bool)]
    pub is_on_record: bool,
    /// Whether all other drivers that it is owed to had a record of it when it was taken up.
    #[diesel(sql_type = Bool)]
    pub is_last: bool,
}

impl OwedEvent {
    /// Its place in the order.
    pub const fn frontier(&self) -> Frontier {
        Frontier { recorded_at: self.recorded_at, id: self.id }
    }
}

/// The SQL types of [`OwedEvent`]'s fields.
type OwedEventSql = (
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

/// [`OwedEvent`]'s columns of a player event called `event`; a flag called `with_user_since` belongs before.
const EVENT_COLUMNS: &str = "event.id, event.recorded_at, event.user_id, \
    CASE WHEN with_user_since THEN (SELECT created_at FROM users WHERE users.id = event.user_id) END AS user_since, event.course_id, \
    event.lesson_id, event.event, event.provider, event.playback_seconds, event.watched_seconds, event.video_duration, \
    event.playback_rate, event.context_tag, event.metadata, \
    event.created_at AS arrived_at";

/// The event of a row called `owed`, found in its month.
const ITS_EVENT: &str = "CROSS JOIN LATERAL (SELECT * FROM video_player_events \
    WHERE recorded_at = owed.recorded_at AND id = owed.event_id OFFSET 0) AS event";
