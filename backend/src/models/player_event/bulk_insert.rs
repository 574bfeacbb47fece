//! Inserts player events as they are, in bulk, without validation. Used for demo data.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::sql_query;
use diesel::sql_types::{
    Array, BigInt, Double, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::RECORDED_COLUMNS;
use crate::db::Connection;

/// A player event to insert.
#[derive(Debug)]
pub struct NewPlayerEvent<'a> {
    /// The partition for its month must exist.
    pub recorded_at: DateTime<Utc>,
    /// When its delivery was completed, if it was.
    pub synced_at: Option<DateTime<Utc>>,
    pub user_id: Option<i64>,
    /// The course of the lesson.
    pub course_id: Option<i64>,
    pub lesson_id: Option<i64>,
    pub event: &'a str,
    pub provider: Option<&'a str>,
    /// The position in the video, in seconds.
    pub playback_seconds: i32,
    pub watched_seconds: i32,
    /// The length of the video, in seconds.
    pub video_duration: Option<i32>,
    pub playback_rate: f64,
    pub context_tag: &'a str,
    pub metadata: Option<Value>,
    pub client_event_id: Option<Uuid>,
}

/// Inserts player events, with ids in their order. Those without `synced_at` are pending.
///
/// Each column is bound as one array, so the statement is the same for any number of rows.
pub async fn insert_player_events(
    conn: &mut Connection,
    events: &[NewPlayerEvent<'_>],
    now: DateTime<Utc>,
) -> QueryResult<()> {
    fn column<'e, T>(events: &'e [NewPlayerEvent<'_>], of: impl Fn(&'e NewPlayerEvent<'_>) -> T) -> Vec<T> {
        events.iter().map(of).collect()
    }
    sql_query(format!(
        "WITH written AS ( \
             INSERT INTO video_player_events (recorded_at, synced_at, created_at, {RECORDED_COLUMNS}) \
             SELECT recorded_at, synced_at, $15, {RECORDED_COLUMNS} \
             FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
                 AS new (recorded_at, synced_at, {RECORDED_COLUMNS}) \
             RETURNING recorded_at, id, created_at, synced_at \
         ) \
         INSERT INTO telemetry_pending (recorded_at, event_id, arrived_at) \
         SELECT recorded_at, id, created_at FROM written WHERE synced_at IS NULL"
    ))
    .bind::<Array<Timestamptz>, _>(column(events, |event| event.recorded_at))
    .bind::<Array<Nullable<Timestamptz>>, _>(column(events, |event| event.synced_at))
    .bind::<Array<Nullable<BigInt>>, _>(column(events, |event| event.user_id))
    .bind::<Array<Nullable<BigInt>>, _>(column(events, |event| event.course_id))
    .bind::<Array<Nullable<BigInt>>, _>(column(events, |event| event.lesson_id))
    .bind::<Array<Text>, _>(column(events, |event| event.event))
    .bind::<Array<Nullable<Text>>, _>(column(events, |event| event.provider))
    .bind::<Array<Integer>, _>(column(events, |event| event.playback_seconds))
    .bind::<Array<Integer>, _>(column(events, |event| event.watched_seconds))
    .bind::<Array<Nullable<Integer>>, _>(column(events, |event| event.video_duration))
    .bind::<Array<Double>, _>(column(events, |event| event.playback_rate))
    .bind::<Array<Text>, _>(column(events, |event| event.context_tag))
    .bind::<Array<Nullable<Jsonb>>, _>(column(events, |event| event.metadata.as_ref()))
    .bind::<Array<Nullable<SqlUuid>>, _>(column(events, |event| event.client_event_id))
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}
