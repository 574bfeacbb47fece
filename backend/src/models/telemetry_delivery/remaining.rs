//! Records what a run leaves pending.

use diesel::QueryResult;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;

use crate::db::Connection;

/// Maximum number of rows per statement, so that nobody waits long.
const SLICE: i64 = 5_000;

/// Inserts pending deliveries of events of which another driver has one already; they belong to this run's batch.
pub async fn record_remaining(conn: &mut Connection, run_id: i64) -> QueryResult<()> {
    loop {
        let slice = sql_query(
            "WITH begun AS (DELETE FROM telemetry_pending WHERE ctid = ANY (ARRAY( \
                 SELECT ctid FROM telemetry_pending WHERE drivers IS NOT NULL LIMIT $2)) RETURNING *) \
             INSERT INTO telemetry_deliveries (event_id, recorded_at, driver, state, batch_id, arrived_at) \
             SELECT event_id, recorded_at, driver, 'pending', $1, arrived_at FROM begun, unnest(drivers) AS driver \
             ON CONFLICT DO NOTHING",
        );
        let put = slice.bind::<BigInt, _>(run_id).bind::<BigInt, _>(SLICE).execute(conn).await?;
        if put == 0 {
            return Ok(());
        }
    }
}
