//! Records the events that players send, many at a time: each once however often it is sent, with its lesson's course,
//! and with the progress that it means.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::telemetry::player_event::{PROGRESS_TICK, PlayerEvent};

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

/// Ids are drawn in the order of the events, before anything is joined. Keys and progress are written in the order of
/// their own keys, and keys come first, so that two groups wait for each other in one direction only.
///
/// Of the ticks of one viewer and lesson the latest says where they are now; the table keeps whatever is later still.
const RECORD: &str = "\
    WITH sent AS MATERIALIZED ( \
        SELECT nextval('video_player_events_id_seq') AS id, sent.* \
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) WITH ORDINALITY AS sent \
            (client_event_id, recorded_at, user_id, needs_active_user, lesson_id, event, provider, playback_seconds, \
             watched_seconds, video_duration, playback_rate, context_tag, metadata, place) \
    ), placed AS MATERIALIZED ( \
        SELECT sent.*, lessons.course_id, CASE \
            WHEN needs_active_user AND users.active IS NOT TRUE THEN 'locked_out' \
            WHEN users.id IS NULL THEN 'unknown_user' \
            WHEN lesson_id IS NOT NULL AND lessons.id IS NULL THEN 'unknown_lesson' \
        END AS refusal \
        FROM sent \
        LEFT JOIN users ON users.id = sent.user_id \
        LEFT JOIN lessons ON lessons.id = sent.lesson_id \
    ), keys AS ( \
        INSERT INTO player_event_keys (client_event_id, user_id, event_id, created_at) \
        SELECT DISTINCT ON (client_event_id, user_id) client_event_id, user_id, id, $14 \
        FROM placed \
        WHERE client_event_id IS NOT NULL AND refusal IS NULL \
        ORDER BY client_event_id, user_id, id \
        ON CONFLICT DO NOTHING \
        RETURNING event_id \
    ), written AS ( \
        INSERT INTO video_player_events (id, recorded_at, user_id, course_id, lesson_id, event, provider, \
            playback_seconds, watched_seconds, video_duration, playback_rate, context_tag, metadata, \
            client_event_id, created_at) \
        SELECT id, recorded_at, user_id, course_id, lesson_id, event, provider, playback_seconds, watched_seconds, \
            video_duration, playback_rate, context_tag, metadata::jsonb, client_event_id, $14 \
        FROM placed \
        WHERE refusal IS NULL AND (client_event_id IS NULL OR id IN (SELECT event_id FROM keys)) \
        RETURNING id, recorded_at, user_id, lesson_id, event, provider, playback_seconds, watched_seconds, \
            video_duration, playback_rate \
    ), progress AS ( \
        INSERT INTO video_progress AS known (user_id, lesson_id, created_at, updated_at, playback_rate, last_second, \
            furthest_second, watched_seconds, duration, source) \
        SELECT user_id, lesson_id, $14, max(recorded_at), \
            (array_agg(coalesce(nullif(playback_rate, 0), 1) ORDER BY recorded_at DESC, id DESC))[1], \
            (array_agg(playback_seconds ORDER BY recorded_at DESC, id DESC))[1], \
            max(playback_seconds), max(watched_seconds), \
            (array_agg(video_duration ORDER BY video_duration IS NULL, recorded_at DESC, id DESC))[1], \
            (array_agg(provider ORDER BY recorded_at DESC, id DESC))[1] \
        FROM written \
        WHERE event = $15 AND lesson_id IS NOT NULL AND provider IN ('vimeo', 'cloudflare', 'youtube') \
        GROUP BY user_id, lesson_id \
        ORDER BY user_id, lesson_id \
        ON CONFLICT (user_id, lesson_id) DO UPDATE SET \
            playback_rate = CASE WHEN excluded.updated_at >= known.updated_at \
                THEN excluded.playback_rate ELSE known.playback_rate END, \
            last_second = CASE WHEN excluded.updated_at >= known.updated_at \
                THEN excluded.last_second ELSE known.last_second END, \
            source = CASE WHEN excluded.updated_at >= known.updated_at \
                THEN excluded.source ELSE known.source END, \
            duration = CASE WHEN excluded.updated_at >= known.updated_at \
                THEN coalesce(excluded.duration, known.duration) ELSE coalesce(known.duration, excluded.duration) END, \
            furthest_second = greatest(known.furthest_second, excluded.furthest_second), \
            watched_seconds = greatest(known.watched_seconds, excluded.watched_seconds), \
            updated_at = greatest(known.updated_at, excluded.updated_at) \
        RETURNING user_id, lesson_id, last_second, furthest_second, watched_seconds, updated_at \
    ) \
    SELECT placed.place - 1 AS place, written.id AS event_id, placed.refusal, \
        progress.last_second, progress.furthest_second, progress.watched_seconds, progress.updated_at \
    FROM placed \
    LEFT JOIN written ON written.id = placed.id \
    LEFT JOIN progress ON progress.user_id = written.user_id AND progress.lesson_id = written.lesson_id \
        AND written.event = $15";

/// What is known of events that were recorded before.
const FIND: &str = "\
    SELECT sent.place - 1 AS place, keys.event_id, NULL AS refusal, \
        progress.last_second, progress.furthest_second, progress.watched_seconds, progress.updated_at \
    FROM unnest($1, $2, $3) WITH ORDINALITY AS sent (client_event_id, user_id, lesson_id, place) \
    JOIN player_event_keys AS keys \
        ON keys.client_event_id = sent.client_event_id AND keys.user_id = sent.user_id \
    LEFT JOIN video_progress AS progress \
        ON progress.user_id = sent.user_id AND progress.lesson_id = sent.lesson_id";

const LOCKED_OUT: &str = "locked_out";
const UNKNOWN_USER: &str = "unknown_user";

#[derive(QueryableByName)]
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
    let written: Vec<Found> = sql_query(RECORD)
        .bind::<Array<Nullable<SqlUuid>>, _>(column(events, |event| event.client_event_id))
        .bind::<Array<Timestamptz>, _>(column(events, |event| event.recorded_at))
        .bind::<Array<BigInt>, _>(column(events, |event| event.user_id))
        .bind::<Array<Bool>, _>(column(events, |event| event.needs_active_user))
        .bind::<Array<Nullable<BigInt>>, _>(column(events, |event| event.lesson_id))
        .bind::<Array<Text>, _>(column(events, |event| event.event.as_str()))
        .bind::<Array<Nullable<Text>>, _>(column(events, |event| event.provider.as_deref()))
        .bind::<Array<Integer>, _>(column(events, |event| event.playback_seconds))
        .bind::<Array<Integer>, _>(column(events, |event| event.watched_seconds))
        .bind::<Array<Nullable<Integer>>, _>(column(events, |event| event.video_duration))
        .bind::<Array<Double>, _>(column(events, |event| event.playback_rate))
        .bind::<Array<Text>, _>(column(events, |event| event.context_tag.as_str()))
        .bind::<Array<Nullable<Text>>, _>(column(events, |event| event.metadata.as_deref()))
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(PROGRESS_TICK)
        .load(conn)
        .await?;
    let mut records = vec![None; events.len()];
    for found in written {
        put(&mut records, place(&found), found.record(Record::Written));
    }
    // Of what is neither written nor refused, the first was, by this group or by another one.
    let repeated: Vec<usize> = (0..events.len()).filter(|place| records[*place].is_none()).collect();
    if !repeated.is_empty() {
        for found in find(conn, &column(&repeated, |place| events[*place])).await? {
            let repetition = repeated.get(place(&found)).copied().unwrap_or(usize::MAX);
            put(&mut records, repetition, found.record(Record::Duplicate));
        }
    }
    // One that was forgotten between the two statements: a month old, and sent twice at once.
    records.into_iter().map(|record| record.ok_or(diesel::result::Error::NotFound)).collect()
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

/// Forgets the ids that players made before this moment.
pub async fn forget_keys(conn: &mut Connection, before: DateTime<Utc>) -> QueryResult<usize> {
    sql_query("DELETE FROM player_event_keys WHERE created_at < $1")
        .bind::<Timestamptz, _>(before)
        .execute(conn)
        .await
}
