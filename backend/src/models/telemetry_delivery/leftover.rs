//! What a run leaves of what some driver had already, and what is owed to a driver that is not enabled any more.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::prelude::QueryableByName;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text, Timestamptz};
use diesel_async::{AsyncConnection as _, RunQueryDsl, SimpleAsyncConnection as _};

use super::judge::LEDGER_LOCK;
use super::pending;
use super::settle::settle;
use crate::db::Connection;
use crate::models::driver::Driver;

/// So many are put on record or dropped at a time, so that nobody waits long.
const SLICE: i64 = 5_000;

/// Puts on record what is owed of events that another driver has a record of already; it is the batch of this run.
pub async fn put_on_record(conn: &mut Connection, run_id: i64) -> QueryResult<()> {
    loop {
        let slice = sql_query(
            "WITH begun AS (DELETE FROM telemetry_pending WHERE ctid = ANY (ARRAY( \
                 SELECT ctid FROM telemetry_pending WHERE drivers IS NOT NULL LIMIT $2)) RETURNING *) \
             INSERT INTO telemetry_deliveries (event_id, recorded_at, driver, state, batch_id) \
             SELECT event_id, recorded_at, driver, 'pending', $1 FROM begun, unnest(drivers) AS driver \
             ON CONFLICT DO NOTHING",
        );
        let put = slice.bind::<BigInt, _>(run_id).bind::<BigInt, _>(SLICE).execute(conn).await?;
        if put == 0 {
            return Ok(());
        }
    }
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    event_id: i64,
    #[diesel(sql_type = Timestamptz)]
    recorded_at: DateTime<Utc>,
}

/// Says of what is on record as owed to a driver that is not enabled any more, as these are, that it is skipped, so that
/// the events need not wait; of what a run that died was sending to it as well.
pub async fn drop_disabled(
    conn: &mut Connection,
    driver: Driver,
    enabled: &[Driver],
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    let held = conn.transaction(async |conn| {
        conn.batch_execute(LEDGER_LOCK).await?;
        let held: Vec<Found> = sql_query(
            "WITH held AS (DELETE FROM telemetry_leases WHERE driver = $1 RETURNING *) \
             INSERT INTO telemetry_deliveries (event_id, recorded_at, driver, maybe_duplicate) \
             SELECT leased.*, driver, true FROM held, unnest(event_ids, recorded_at) AS leased \
             ON CONFLICT (event_id, driver) DO UPDATE SET maybe_duplicate = true \
             RETURNING event_id, recorded_at",
        )
        .bind::<Text, _>(driver.key())
        .load(conn)
        .await?;
        let held = held.into_iter().map(|held| (held.event_id, held.recorded_at)).collect();
        pending::put_on_record(conn, driver, enabled, Vec::new(), held).await
    });
    held.await?;
    let mut all = 0;
    loop {
        let slice = conn.transaction(async |conn| {
            conn.batch_execute(LEDGER_LOCK).await?;
            let dropped: Vec<Found> = sql_query(
                "UPDATE telemetry_deliveries SET state = 'skipped' \
                 WHERE driver = $1 AND event_id = ANY (ARRAY( \
                     SELECT event_id FROM telemetry_deliveries WHERE driver = $1 AND state IN ('pending', 'retry') \
                     ORDER BY recorded_at, event_id LIMIT $2)) \
                 RETURNING event_id, recorded_at",
            )
            .bind::<Text, _>(driver.key())
            .bind::<BigInt, _>(SLICE)
            .load(conn)
            .await?;
            let slice = dropped.len();
            let ended = dropped.into_iter().map(|one| ((one.event_id, one.recorded_at), false)).collect();
            settle(conn, ended, now).await?;
            QueryResult::Ok(slice)
        });
        let slice = slice.await?;
        all += slice;
        if i64::try_from(slice).is_ok_and(|slice| slice < SLICE) {
            return Ok(all);
        }
    }
}
