//! Records the events that players send, many at a time: each once however often it is sent, with its lesson's course,
//! and with the progress that it means.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use tracing::warn;
use uuid::Uuid;

use crate::db::Connection;
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

/// Ids are drawn in the order of the events, before anything is joined. Keys and progress are written in the order of
/// their own keys, and keys come first, so that two groups wait for each other in one direction only.
///
/// Of the ticks of one viewer and lesson the latest says where they are now; the table keeps whatever is later still.
/// The head of the statement, up to its values.
const RECORD_HEAD: &str = "\
    WITH sent AS MATERIALIZED ( \
        SELECT nextval('video_player_events_id_seq') AS id, sent.*, ";
const RECORD: &str = "\
        ) WITH ORDINALITY AS sent \
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
        INSERT INTO player_event_keys (client_event_id, user_id, event_id, tick_of_lesson_id, created_at) \
        SELECT DISTINCT ON (client_event_id, user_id) client_event_id, user_id, id, \
            CASE WHEN event = 'progress_tick' THEN lesson_id END, received_at \
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
            video_duration, playback_rate, context_tag, metadata::jsonb, client_event_id, received_at \
        FROM placed \
        WHERE refusal IS NULL AND (client_event_id IS NULL OR id IN (SELECT event_id FROM keys)) \
        RETURNING id, recorded_at, created_at, user_id, lesson_id, event, provider, playback_seconds, \
            watched_seconds, video_duration, playback_rate \
    ), progress AS ( \
        INSERT INTO video_progress AS known (user_id, lesson_id, created_at, updated_at, playback_rate, last_second, \
            furthest_second, watched_seconds, duration, source) \
        SELECT user_id, lesson_id, max(created_at), max(recorded_at), \
            (array_agg(coalesce(nullif(playback_rate, 0), 1) ORDER BY recorded_at DESC, id DESC))[1], \
            (array_agg(playback_seconds ORDER BY recorded_at DESC, id DESC))[1], \
            max(playback_seconds), max(watched_seconds), \
            (array_agg(video_duration ORDER BY video_duration IS NULL, recorded_at DESC, id DESC))[1], \
            (array_agg(provider ORDER BY recorded_at DESC, id DESC))[1] \
        FROM written \
        WHERE event = 'progress_tick' AND lesson_id IS NOT NULL AND provider IN ('vimeo', 'cloudflare', 'youtube') \
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
        AND written.event = 'progress_tick'";

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

/// The statement with its values. It is prepared once for each connection, where one put together from text would be
/// prepared for each group.
struct Statement<'a> {
    now: DateTime<Utc>,
    client_event_ids: Vec<Option<Uuid>>,
    recorded_at: Vec<DateTime<Utc>>,
    user_ids: Vec<i64>,
    needs_active_user: Vec<bool>,
    lesson_ids: Vec<Option<i64>>,
    events: Vec<&'a str>,
    providers: Vec<Option<&'a str>>,
    playback_seconds: Vec<i32>,
    watched_seconds: Vec<i32>,
    video_durations: Vec<Option<i32>>,
    playback_rates: Vec<f64>,
    context_tags: Vec<&'a str>,
    metadata: Vec<Option<&'a str>>,
}

impl<'a> Statement<'a> {
    fn of(events: &[&'a PlayerEvent], now: DateTime<Utc>) -> Self {
        Self {
            now,
            client_event_ids: column(events, |event| event.client_event_id),
            recorded_at: column(events, |event| event.recorded_at),
            user_ids: column(events, |event| event.user_id),
            needs_active_user: column(events, |event| event.needs_active_user),
            lesson_ids: column(events, |event| event.lesson_id),
            events: column(events, |event| event.event.as_str()),
            providers: column(events, |event| event.provider.as_deref()),
            playback_seconds: column(events, |event| event.playback_seconds),
            watched_seconds: column(events, |event| event.watched_seconds),
            video_durations: column(events, |event| event.video_duration),
            playback_rates: column(events, |event| event.playback_rate),
            context_tags: column(events, |event| event.context_tag.as_str()),
            metadata: column(events, |event| event.metadata.as_deref()),
        }
    }
}

impl QueryFragment<Pg> for Statement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(RECORD_HEAD);
        out.push_bind_param::<Timestamptz, _>(&self.now)?;
        out.push_sql(" AS received_at FROM unnest(");
        out.push_bind_param::<Array<Nullable<SqlUuid>>, _>(&self.client_event_ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamptz>, _>(&self.recorded_at)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.user_ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Bool>, _>(&self.needs_active_user)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<BigInt>>, _>(&self.lesson_ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.events)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.providers)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.playback_seconds)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.watched_seconds)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Integer>>, _>(&self.video_durations)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Double>, _>(&self.playback_rates)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.context_tags)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.metadata)?;
        out.push_sql(RECORD);
        Ok(())
    }
}

impl QueryId for Statement<'_> {
    type QueryId = Statement<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Statement<'_> {
    type SqlType = (
        BigInt,
        Nullable<BigInt>,
        Nullable<Text>,
        Nullable<Integer>,
        Nullable<Integer>,
        Nullable<Integer>,
        Nullable<Timestamptz>,
    );
}

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
            Err(cause) => warn!(%cause, "Player events that were sent again could not be found"),
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
