//! Makes events pending for a driver that were too old when the driver was enabled.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::prelude::QueryableByName;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use domain::Driver;

use super::EventPosition;
use crate::db::Connection;
use crate::db::advisory_lock::AdvisoryLock;
use crate::models::telemetry_driver::EnabledDrivers;

/// Maximum number of events per transaction, which keeps the lock times short.
const BATCH_SIZE: i64 = 5_000;

#[derive(QueryableByName)]
struct BackfilledBatch {
    #[diesel(sql_type = BigInt)]
    put: i64,
    #[diesel(sql_type = BigInt)]
    seen: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    recorded_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<BigInt>)]
    id: Option<i64>,
}

/// Inserts pending deliveries for the next batch of events before `before` that have no delivery for this
/// driver and are not pending for it. `before` is stored as their time of arrival. Returns the number of
/// inserted deliveries and the position to continue after, if there may be more events.
pub async fn backfill(
    conn: &mut Connection,
    driver: Driver,
    enabled: &EnabledDrivers,
    after: EventPosition,
    before: DateTime<Utc>,
) -> QueryResult<(i64, Option<EventPosition>)> {
    let BackfilledBatch { put, seen, recorded_at, id } = conn
        .transaction(async |conn| {
            AdvisoryLock::Deliveries.acquire_in_transaction(conn).await?;
            sql_query(
                "WITH slice AS (SELECT recorded_at, id FROM video_player_events \
                     WHERE recorded_at >= $2 AND (recorded_at, id) > ($2, $3) AND recorded_at < $4 \
                     ORDER BY recorded_at, id LIMIT $5), \
                 missing AS (SELECT * FROM slice \
                     WHERE NOT EXISTS (SELECT FROM telemetry_deliveries AS record \
                         WHERE record.event_id = slice.id AND record.driver = $1 OFFSET 0) \
                     AND NOT EXISTS (SELECT FROM telemetry_pending AS pending \
                         WHERE pending.recorded_at = slice.recorded_at AND pending.event_id = slice.id \
                             AND ($1 = ANY (drivers) OR drivers IS NULL AND pending.recorded_at >= $6) OFFSET 0)), \
                 put AS (INSERT INTO telemetry_deliveries (event_id, recorded_at, driver, state, arrived_at) \
                     SELECT id, recorded_at, $1, 'pending', $4 FROM missing ON CONFLICT DO NOTHING RETURNING event_id), \
                 reopened AS (UPDATE video_player_events AS event SET synced_at = NULL FROM missing \
                     WHERE event.recorded_at = missing.recorded_at AND event.id = missing.id \
                         AND event.synced_at IS NOT NULL), \
                 last AS (SELECT recorded_at, id FROM slice ORDER BY recorded_at DESC, id DESC LIMIT 1) \
                 SELECT (SELECT count(*) FROM put) AS put, (SELECT count(*) FROM slice) AS seen, \
                     (SELECT recorded_at FROM last) AS recorded_at, (SELECT id FROM last) AS id",
            )
            .bind::<Text, _>(driver.key())
            .bind::<Timestamptz, _>(after.recorded_at)
            .bind::<BigInt, _>(after.id)
            .bind::<Timestamptz, _>(before)
            .bind::<BigInt, _>(BATCH_SIZE)
            .bind::<Timestamptz, _>(enabled.pending_from(driver))
            .get_result(conn)
            .await
        })
        .await?;
    let end = recorded_at.zip(id).map(|(recorded_at, id)| EventPosition { recorded_at, id });
    Ok((put, end.filter(|_| seen == BATCH_SIZE)))
}
