//! Marks deliveries of a disabled driver as skipped, so that its events need not wait. Requeueing brings them back.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::prelude::QueryableByName;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text, Timestamptz};
use diesel_async::{AsyncConnection as _, RunQueryDsl, SimpleAsyncConnection as _};
use domain::Driver;

use super::record::RECORD_LOCK;
use super::synced::mark_synced;
use super::{EventPosition, pending};
use crate::db::Connection;
use crate::models::telemetry_driver::EnabledDrivers;

/// Maximum number of deliveries per transaction, so that nobody waits long.
const SLICE: i64 = 5_000;

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    event_id: i64,
    #[diesel(sql_type = Timestamptz)]
    recorded_at: DateTime<Utc>,
}

/// Marks everything as skipped that is pending for a driver, in slices, while no run is in progress: leases of a run that
/// died, events without a delivery, and deliveries to retry. Answers with their number.
pub async fn skip_pending(
    conn: &mut Connection,
    driver: Driver,
    enabled: &EnabledDrivers,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    skip_leased(conn, driver, enabled).await?;
    let mut all = 0;
    let mut after = enabled.sends_from(driver).map(|recorded_at| EventPosition { recorded_at, id: 0 });
    while let Some(place) = after {
        let slice = skip_unsent(conn, driver, enabled, place, now).await?;
        all += slice.len();
        after = is_full(&slice).then(|| slice.last().map(Found::position)).flatten();
    }
    loop {
        let slice = skip_deliveries(conn, driver, now).await?;
        all += slice.len();
        if !is_full(&slice) {
            return Ok(all);
        }
    }
}

/// Records that leased events may have been delivered.
async fn skip_leased(conn: &mut Connection, driver: Driver, enabled: &EnabledDrivers) -> QueryResult<()> {
    conn.transaction(async |conn| {
        conn.batch_execute(RECORD_LOCK).await?;
        let leased: Vec<Found> = sql_query(
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
        let leased = leased.iter().map(Found::key).collect();
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
) -> QueryResult<Vec<Found>> {
    conn.transaction(async |conn| {
        conn.batch_execute(RECORD_LOCK).await?;
        let slice: Vec<Found> = sql_query(
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
        .bind::<BigInt, _>(SLICE)
        .load(conn)
        .await?;
        let keys: Vec<_> = slice.iter().map(Found::key).collect();
        let gone = pending::remove(conn, driver, enabled, Vec::new(), keys.clone()).await?;
        let ended = keys.into_iter().filter(|(id, _)| gone.contains(id)).map(|key| (key, true)).collect();
        mark_synced(conn, ended, now).await?;
        Ok(slice)
    })
    .await
}

async fn skip_deliveries(
    conn: &mut Connection,
    driver: Driver,
    now: DateTime<Utc>,
) -> QueryResult<Vec<Found>> {
    conn.transaction(async |conn| {
        conn.batch_execute(RECORD_LOCK).await?;
        let slice: Vec<Found> = sql_query(
            "UPDATE telemetry_deliveries SET state = 'skipped', next_attempt_at = NULL \
             WHERE driver = $1 AND event_id = ANY (ARRAY( \
                 SELECT event_id FROM telemetry_deliveries WHERE driver = $1 AND state IN ('pending', 'retry') \
                 ORDER BY recorded_at, event_id LIMIT $2)) \
             RETURNING event_id, recorded_at",
        )
        .bind::<Text, _>(driver.key())
        .bind::<BigInt, _>(SLICE)
        .load(conn)
        .await?;
        mark_synced(conn, slice.iter().map(|found| (found.key(), false)).collect(), now).await?;
        Ok(slice)
    })
    .await
}

fn is_full(slice: &[Found]) -> bool {
    i64::try_from(slice.len()).is_ok_and(|slice| slice >= SLICE)
}

impl Found {
    const fn key(&self) -> (i64, DateTime<Utc>) {
        (self.event_id, self.recorded_at)
    }

    const fn position(&self) -> EventPosition {
        EventPosition { recorded_at: self.recorded_at, id: self.event_id }
    }
}
