//! The statement that records a group of events.
//!
//! Event ids are assigned in the order of the events, before any join. To prevent deadlocks between groups,
//! client event ids are inserted before progress, and each of the two in the order of its primary key.
//!
//! Of several progress events of one user and lesson, the latest sets the current position, unless the table
//! has a later one.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use super::{PlayerEvent, column};
use crate::models::player_event::RECORDED_COLUMNS;

/// The part before the values.
const RECORD_HEAD: &str = "\
    WITH sent AS MATERIALIZED ( \
        SELECT nextval('video_player_events_id_seq') AS id, sent.*, ";
/// The part between the values and [`RECORDED_COLUMNS`].
const RECORD_MIDDLE: &str = "\
        ) WITH ORDINALITY AS sent \
            (client_event_id, recorded_at, user_id, needs_active_user, lesson_id, event, provider, playback_seconds, \
             watched_seconds, video_duration, playback_rate, context_tag, metadata, place) \
    ), placed AS MATERIALIZED ( \
        SELECT sent.*, lessons.course_id, CASE \
            WHEN needs_active_user AND users.active IS NOT TRUE THEN 'inactive' \
            WHEN users.id IS NULL OR users.erased_at IS NOT NULL THEN 'unknown_user' \
            WHEN lesson_id IS NOT NULL AND lessons.id IS NULL THEN 'unknown_lesson' \
        END AS refusal \
        FROM sent \
        LEFT JOIN users ON users.id = sent.user_id \
        LEFT JOIN lessons ON lessons.id = sent.lesson_id \
    ), keys AS ( \
        INSERT INTO player_event_keys (client_event_id, user_id, event_id, progress_lesson_id, created_at) \
        SELECT DISTINCT ON (client_event_id, user_id) client_event_id, user_id, id, \
            CASE WHEN event = 'progress_tick' THEN lesson_id END, received_at \
        FROM placed \
        WHERE client_event_id IS NOT NULL AND refusal IS NULL \
        ORDER BY client_event_id, user_id, id \
        ON CONFLICT DO NOTHING \
        RETURNING event_id \
    ), written AS ( \
        INSERT INTO video_player_events (id, recorded_at, created_at, ";
/// The part after `RECORDED_COLUMNS`.
const RECORD_TAIL: &str = " \
        FROM placed \
        WHERE refusal IS NULL AND (client_event_id IS NULL OR id IN (SELECT event_id FROM keys)) \
        RETURNING id, recorded_at, created_at, user_id, lesson_id, event, provider, playback_seconds, \
            watched_seconds, video_duration, playback_rate \
    ), pending AS ( \
        INSERT INTO telemetry_pending (recorded_at, event_id, arrived_at) \
        SELECT recorded_at, id, created_at FROM written \
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

/// The statement with its values. Because it has a static query id, it is prepared once per connection and
/// not once per group.
pub(super) struct Statement<'a> {
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
    pub(super) fn of(events: &[&'a PlayerEvent], now: DateTime<Utc>) -> Self {
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
        out.push_sql("::jsonb[]");
        out.push_sql(RECORD_MIDDLE);
        out.push_sql(RECORDED_COLUMNS);
        out.push_sql(") SELECT id, recorded_at, received_at, ");
        out.push_sql(RECORDED_COLUMNS);
        out.push_sql(RECORD_TAIL);
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
