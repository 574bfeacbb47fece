//! Records a group of player events. An event that is sent repeatedly is recorded once. Each event gets the
//! course of its lesson, is pending for the analytics drivers, and progress events update the progress of
//! their users.

mod statement;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use tracing::warn;
use uuid::Uuid;

use self::statement::Statement;
use crate::db::{Connection, outage};

/// A valid event. Whether its user and its lesson exist is checked when it is recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct PlayerEvent {
    /// The id that the client generated for it. Retries are recognized by this id.
    pub client_event_id: Option<Uuid>,
    pub recorded_at: DateTime<Utc>,
    pub user_id: i64,
    /// Whether recording it has to check that its user is active.
    pub needs_active_user: bool,
    pub lesson_id: Option<i64>,
    pub event: String,
    pub provider: Option<String>,
    /// The position in the video, in seconds.
    pub playback_seconds: i32,
    pub watched_seconds: i32,
    /// The length of the video, in seconds.
    pub video_duration: Option<i32>,
    pub playback_rate: f64,
    pub context_tag: String,
    /// JSON.
    pub metadata: Option<String>,
}

/// The outcome of recording an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordOutcome {
    /// It was recorded.
    Written(Recorded),
    /// It was recorded before with the same client event id. Nothing changed.
    Duplicate(Recorded),
    /// Its lesson does not exist.
    UnknownLesson,
    /// Its user does not exist.
    UnknownUser,
    /// Its user does not exist or is not active.
    Inactive,
    /// It was recorded before, but its record was not found.
    NotFound,
}

/// An event that is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub event_id: i64,
    /// Its user's progress in its lesson, if it is a progress event.
    pub progress: Option<Progress>,
}

/// A user's progress in a lesson's video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The last reported position, in seconds.
    pub last_second: i32,
    /// The furthest reported position, in seconds.
    pub furthest_second: i32,
    pub watched_seconds: i32,
    /// When progress was last reported.
    pub updated_at: DateTime<Utc>,
}

/// Finds events that were recorded before.
const FIND_SQL: &str = "\
    SELECT sent.place - 1 AS place, keys.event_id, NULL AS refusal, \
        progress.last_second, progress.furthest_second, progress.watched_seconds, progress.updated_at \
    FROM unnest($1, $2, $3) WITH ORDINALITY AS sent (client_event_id, user_id, lesson_id, place) \
    JOIN player_event_keys AS keys \
        ON keys.client_event_id = sent.client_event_id AND keys.user_id = sent.user_id \
    LEFT JOIN video_progress AS progress \
        ON progress.user_id = sent.user_id AND progress.lesson_id = sent.lesson_id \
        AND progress.lesson_id = keys.progress_lesson_id";

const INACTIVE: &str = "inactive";
const UNKNOWN_USER: &str = "unknown_user";

#[derive(Queryable, QueryableByName)]
struct ResultRow {
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    event_id: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    refusal: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    last_second: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    furthest_second: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    watched_seconds: Option<i32>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    updated_at: Option<DateTime<Utc>>,
}

/// Records events. Returns the outcome of each, in order. Commits, unless the caller has started a
/// transaction.
///
/// Fails for all events if one violates a constraint or if the partition for its month is missing.
pub async fn record_player_events(
    conn: &mut Connection,
    events: &[&PlayerEvent],
    now: DateTime<Utc>,
) -> QueryResult<Vec<RecordOutcome>> {
    let rows: Vec<ResultRow> = Statement::of(events, now).load(conn).await?;
    let mut outcomes = vec![None; events.len()];
    for row in rows {
        set(&mut outcomes, position(&row), row.outcome(RecordOutcome::Written));
    }
    // The other events repeat an event of this group or of an earlier one.
    let repeated: Vec<usize> = (0..events.len()).filter(|position| outcomes[*position].is_none()).collect();
    if !repeated.is_empty() {
        match find(conn, &column(&repeated, |position| events[*position])).await {
            Ok(rows) => {
                for row in rows {
                    let index = repeated.get(position(&row)).copied().unwrap_or(usize::MAX);
                    set(&mut outcomes, index, row.outcome(RecordOutcome::Duplicate));
                }
            }
            // The events that were written are not affected.
            Err(cause) => {
                if let Some(cause) = outage::loggable_cause(cause) {
                    warn!(cause, "Failed to find the first records of repeated player events");
                }
            }
        }
    }
    Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or(RecordOutcome::NotFound)).collect())
}

async fn find(conn: &mut Connection, events: &[&PlayerEvent]) -> QueryResult<Vec<ResultRow>> {
    sql_query(FIND_SQL)
        .bind::<Array<Nullable<SqlUuid>>, _>(column(events, |event| event.client_event_id))
        .bind::<Array<BigInt>, _>(column(events, |event| event.user_id))
        .bind::<Array<Nullable<BigInt>>, _>(column(events, |event| event.lesson_id))
        .load(conn)
        .await
}

fn set(outcomes: &mut [Option<RecordOutcome>], position: usize, outcome: Option<RecordOutcome>) {
    if let Some(slot) = outcomes.get_mut(position) {
        *slot = outcome;
    }
}

fn position(row: &ResultRow) -> usize {
    usize::try_from(row.place).unwrap_or(usize::MAX)
}

impl ResultRow {
    fn outcome(&self, recorded: impl FnOnce(Recorded) -> RecordOutcome) -> Option<RecordOutcome> {
        match self.refusal.as_deref() {
            Some(INACTIVE) => Some(RecordOutcome::Inactive),
            Some(UNKNOWN_USER) => Some(RecordOutcome::UnknownUser),
            Some(_) => Some(RecordOutcome::UnknownLesson),
            None => Some(recorded(Recorded { event_id: self.event_id?, progress: self.progress() })),
        }
    }

    fn progress(&self) -> Option<Progress> {
        Some(Progress {
            last_second: self.last_second?,
            furthest_second: self.furthest_second?,
            watched_seconds: self.watched_seconds?,
            updated_at: self.updated_at?,
        })
    }
}

fn column<'e, E, T>(events: &'e [E], of: impl Fn(&'e E) -> T) -> Vec<T> {
    events.iter().map(of).collect()
}

/// Deletes at most `max_keys` client event ids that were stored before this time. Returns their number.
pub async fn forget_keys(conn: &mut Connection, before: DateTime<Utc>, max_keys: i64) -> QueryResult<usize> {
    let delete = "\
        DELETE FROM player_event_keys \
        WHERE ctid = ANY (ARRAY( \
            SELECT ctid FROM player_event_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2))";
    sql_query(delete).bind::<Timestamptz, _>(before).bind::<BigInt, _>(max_keys).execute(conn).await
}
