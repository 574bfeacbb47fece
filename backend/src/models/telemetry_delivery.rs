//! What became of each player event at each analytics driver: the table `telemetry_deliveries`.
//!
//! An event costs no row here before a run of the sync takes it up. Then it gets one for each driver that is enabled,
//! all at once, so that what it owes is known from then on: a driver that is switched on later does not get what others
//! had long before.

mod claim;
mod enrol;
mod given_up;
mod judge;
mod owed;
mod release;
mod requeue;
mod viewing;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Double, Integer, Jsonb, Nullable, Text, Timestamptz};
use serde_json::Value;

pub use claim::claim;
pub use enrol::enrol;
pub use given_up::{GivenUp, Place, last_delivered_at};
pub use judge::{Judged, Judgement, judge};
pub use owed::{Owed, is_owed_of_batch};
pub use release::{drop_disabled, release, take_over};
pub use requeue::{Requeue, requeue};
pub use viewing::{Viewing, viewed_before};

use super::driver::Driver;

/// Whose turn it is, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    /// The run that takes events up.
    pub run_id: i64,
    /// By then it is done with them, or dead.
    pub until: DateTime<Utc>,
}

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

/// What is taken up.
#[derive(Clone, Copy, Debug)]
pub struct Take {
    /// For whom.
    pub driver: Driver,
    /// By whom.
    pub lease: Lease,
    /// Only what lies behind this.
    pub after: Frontier,
    /// At most so many.
    pub limit: i64,
    /// The time.
    pub now: DateTime<Utc>,
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
    /// When their account was made.
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
    Integer,
    Integer,
    Bool,
    Nullable<Timestamptz>,
);

/// [`OwedEvent`]'s columns of a player event called `event`.
const EVENT_COLUMNS: &str = "event.id, event.recorded_at, event.user_id, \
    (SELECT created_at FROM users WHERE users.id = event.user_id) AS user_since, event.course_id, event.lesson_id, event.event, \
    event.provider, event.playback_seconds, event.watched_seconds, event.video_duration, event.playback_rate, \
    event.context_tag, event.metadata";
