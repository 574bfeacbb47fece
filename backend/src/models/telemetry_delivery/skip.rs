//! Marks pending deliveries of a disabled driver as skipped, so that their events count as synced. Requeueing
//! makes them pending again.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::prelude::QueryableByName;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text, Timestamptz};
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use domain::Driver;

use super::synced::mark_synced;
use super::{EventPosition, pending};
use crate::db::Connection;
use crate::db::advisory_lock::AdvisoryLock;
use crate::models::telemetry_driver::EnabledDrivers;

/// Maximum number of deliveries per transaction, which keeps the lock times short.
const BATCH_SIZE: i64 = 5_000;

#[derive(QueryableByName)]
struct EventRow {
    #[diesel(sql_type = BigInt)]
    event_id: i64,
    #[diesel(sql_type = Timestamptz)]
    recorded_at: DateTime<Utc>,
}

/// Skips all events that are pending for a driver, in batches: leased events of a run that died, events
/// without a delivery, and deliveries to retry. No run may be in progress. Returns the number of skipped
/// deliveries.
pub async fn skip_pending(
    conn: &mut Connection,
    driver: Driver,
    enabled: &EnabledDrivers,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    skip_leased(conn, driver, enabled).await?;
    let mut total = 0;
    let mut after = enabled.sends_from(driver).map(|recorded_at| EventPosition { recorded_at, id: 0 });
    while let Some(position) = after {
        let batch = skip_unsent(conn, driver, enabled, position, now).await?;
        total += batch.len();
        after = is_full(&batch).then(|| batch.last().map(EventRow::position)).flatten();
    }
    loop {
        let batch = skip_deliveries(conn, driver, now).await?;
        total += batch.len();
        if !is_full(&batch) {
            return Ok(total);
        }
    }
}

/// Deletes the leases and records that their events may have been delivered.
async fn skip_leased(conn: &mut Connection, driver: Driver, enabled: &EnabledDrivers) -> QueryResult<()> {
    conn.transaction(async |conn| {
        AdvisoryLock::Deliveries.acquire_in_transaction(conn).await?;
        let leased: Vec<EventRow> = sql_query(
            "WITH ended AS (DELETE FROM telemetry_leases WHERE driver = $1 RETURNING *) \
             INSERT INTO telemetry_deliveries AS delivery (event_id, recorded_at, driver, maybe_duplicate) \
             SELECT leased.*, driver, true FROM ended, unnest(event_ids, recorded_at) AS leased \
             ON CONFLICT (event_id, driver) DO UPDATE SET maybe_duplicate = true \
             WHERE delivery.state IN ('pending', 'retry') \
             RETURNING event_id, recorded_at",
        )
        .bind::<Text, _>(driver.key())
        .load(conn)
        .await?;
        let leased = leased.iter().map(EventRow::key).collect();
        pending::remove(conn, driver, enabled, Vec::new(), leased).await
    })
    .await?;
    Ok(())
}

async fn skip_unsent(
    conn: &mut Connection,
    driver: Driver,
    enabled: &EnabledDrivers,
    after: EventPosition,
    now: DateTime<Utc>,
) -> QueryResult<Vec<EventRow>> {
    conn.transaction(async |conn| {
        AdvisoryLock::Deliveries.acquire_in_transaction(conn).await?;
        let batch: Vec<EventRow> = sql_query(
            "WITH slice AS (SELECT event_id, recorded_at FROM telemetry_pending \
                 WHERE (recorded_at, event_id) > ($2, $3) AND (drivers IS NULL OR $1 = ANY (drivers)) \
                 ORDER BY recorded_at, event_id LIMIT $4), \
             skipped AS (INSERT INTO telemetry_deliveries (event_id, recorded_at, driver, state) \
                 SELECT event_id, recorded_at, $1, 'skipped' FROM slice ON CONFLICT DO NOTHING) \
             SELECT event_id, recorded_at FROM slice ORDER BY recorded_at, event_id",
        )
        .bind::<Text, _>(driver.key())
        .bind::<Timestamptz, _>(after.recorded_at)
        .bind::<BigInt, _>(after.id)
        .bind::<BigInt, _>(BATCH_SIZE)
        .load(conn)
        .await?;
        let keys: Vec<_> = batch.iter().map(EventRow::key).collect();
        let deleted = pending::remove(conn, driver, enabled, Vec::new(), keys.clone()).await?;
        let finished =
            keys.into_iter().filter(|(id, _)| deleted.contains(id)).map(|key| (key, true)).collect();
        mark_synced(conn, finished, now).await?;
        Ok(batch)
    })
    .await
}

async fn skip_deliveries(
    conn: &mut Connection,
    driver: Driver,
    now: DateTime<Utc>,
) -> QueryResult<Vec<EventRow>> {
    conn.transaction(async |conn| {
        AdvisoryLock::Deliveries.acquire_in_transaction(conn).await?;
        let batch: Vec<EventRow> = sql_query(
            "UPDATE telemetry_deliveries SET state = 'skipped', next_attempt_at = NULL \
             WHERE driver = $1 AND event_id = ANY (ARRAY( \
                 SELECT event_id FROM telemetry_deliveries WHERE driver = $1 AND state IN ('pending', 'retry') \
                 ORDER BY recorded_at, event_id LIMIT $2)) \
             RETURNING event_id, recorded_at",
        )
        .bind::<Text, _>(driver.key())
        .bind::<BigInt, _>(BATCH_SIZE)
        .load(conn)
        .await?;
        mark_synced(conn, batch.iter().map(|event| (event.key(), false)).collect(), now).await?;
        Ok(batch)
    })
    .await
}

fn is_full(batch: &[EventRow]) -> bool {
    i64::try_from(batch.len()).is_ok_and(|count| count >= BATCH_SIZE)
}

impl EventRow {
    const fn key(&self) -> (i64, DateTime<Utc>) {
        (self.event_id, self.recorded_at)
    }

    const fn position(&self) -> EventPosition {
        EventPosition { recorded_at: self.recorded_at, id: self.event_id }
    }
}
