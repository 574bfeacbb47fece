//! Records the events that players send, many at a time: each once however often it is sent, with its lesson's course,
//! and with the progress that it means.

mod statement;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use tracing::warn;

use self::statement::Statement;
use crate::db::{Connection, outage};
use crate::telemetry::player_event::PlayerEvent;

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// It is recorded.
    Written(Recorded),
    /// It was recorded before, under the same id of its player's; nothing was changed.
    Duplicate(Recorded),
    /// There is no such lesson.
    UnknownLesson,
    /// There is no such user.
    UnknownUser,
    /// Its user is not there, or may not do anything.
    LockedOut,
    /// It was recorded before, but could not be found again.
    Forgotten,
}

/// An event that is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The event's id.
    pub event_id: i64,
    /// How far its viewer has come in its lesson, where it is a tick of one.
    pub progress: Option<Progress>,
}

/// How far somebody has come in a lesson's video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The position last reported, in seconds.
    pub last_second: i32,
    /// The furthest position ever reported, in seconds.
    pub furthest_second: i32,
    /// Seconds watched.
    pub watched_seconds: i32,
    /// When it was last reported.
    pub updated_at: DateTime<Utc>,
}

/// What is known of events that were recorded before.
const FIND: &str = "\
    SELECT sent.place - 1 AS place, keys.event_id, NULL AS refusal, \
        progress.last_second, progress.furthest_second, progress.watched_seconds, progress.updated_at \
    FROM unnest($1, $2, $3) WITH ORDINALITY AS sent (client_event_id, user_id, lesson_id, place) \
    JOIN player_event_keys AS keys \
        ON keys.client_event_id = sent.client_event_id AND keys.user_id = sent.user_id \
    LEFT JOIN video_progress AS progress \
        ON progress.user_id = sent.user_id AND progress.lesson_id = sent.lesson_id \
        AND progress.lesson_id = keys.tick_of_lesson_id";

const LOCKED_OUT: &str = "locked_out";
const UNKNOWN_USER: &str = "unknown_user";

#[derive(Queryable, QueryableByName)]
struct Found {
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

/// Records events and answers with what became of each, in order. When the answer comes, it is committed, unless the
/// caller has a transaction open.
///
/// A month that is missing, and whatever else the database refuses, fails all of them.
pub async fn record_sent_events(
    conn: &mut Connection,
    events: &[&PlayerEvent],
    now: DateTime<Utc>,
) -> QueryResult<Vec<Record>> {
    let written: Vec<Found> = Statement::of(events, now).load(conn).await?;
    let mut records = vec![None; events.len()];
    for found in written {
        put(&mut records, place(&found), found.record(Record::Written));
    }
    // Of what is neither written nor refused, the first was, by this group or by another one.
    let repeated: Vec<usize> = (0..events.len()).filter(|place| records[*place].is_none()).collect();
    if !repeated.is_empty() {
        match find(conn, &column(&repeated, |place| events[*place])).await {
            Ok(found) => {
                for found in found {
                    let repetition = repeated.get(place(&found)).copied().unwrap_or(usize::MAX);
                    put(&mut records, repetition, found.record(Record::Duplicate));
                }
            }
            // What is written stays written.
            Err(cause) => {
                if let Some(cause) = outage::loggable_cause(cause) {
                    warn!(cause, "Player events that were sent again could not be found");
                }
            }
        }
    }
    Ok(records.into_iter().map(|record| record.unwrap_or(Record::Forgotten)).collect())
}

async fn find(conn: &mut Connection, events: &[&PlayerEvent]) -> QueryResult<Vec<Found>> {
    sql_query(FIND)
        .bind::<Array<Nullable<SqlUuid>>, _>(column(events, |event| event.client_event_id))
        .bind::<Array<BigInt>, _>(column(events, |event| event.user_id))
        .bind::<Array<Nullable<BigInt>>, _>(column(events, |event| event.lesson_id))
        .load(conn)
        .await
}

fn put(records: &mut [Option<Record>], place: usize, record: Option<Record>) {
    if let Some(slot) = records.get_mut(place) {
        *slot = record;
    }
}

fn place(found: &Found) -> usize {
    usize::try_from(found.place).unwrap_or(usize::MAX)
}

impl Found {
    fn record(&self, recorded: impl FnOnce(Recorded) -> Record) -> Option<Record> {
        match self.refusal.as_deref() {
            Some(LOCKED_OUT) => Some(Record::LockedOut),
            Some(UNKNOWN_USER) => Some(Record::UnknownUser),
            Some(_) => Some(Record::UnknownLesson),
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

/// Forgets ids that players made before this moment, so many at most, and answers with how many it forgot.
pub async fn forget_keys(conn: &mut Connection, before: DateTime<Utc>, most: i64) -> QueryResult<usize> {
    let delete = "\
        DELETE FROM player_event_keys \
        WHERE ctid = ANY (ARRAY( \
            SELECT ctid FROM player_event_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2))";
    sql_query(delete).bind::<Timestamptz, _>(before).bind::<BigInt, _>(most).execute(conn).await
}
