//! Records deliveries that a run leaves pending.

use diesel::QueryResult;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;

use crate::db::Connection;

/// Maximum number of rows per statement, which keeps the lock times short.
const BATCH_SIZE: i64 = 5_000;

/// Inserts pending deliveries for the remaining drivers of events that have a delivery for another driver.
/// They belong to the batch of this run.
pub async fn record_remaining(conn: &mut Connection, run_id: i64) -> QueryResult<()> {
    loop {
        let statement = sql_query(
            "WITH begun AS (DELETE FROM telemetry_pending WHERE ctid = ANY (ARRAY( \
                 SELECT ctid FROM telemetry_pending WHERE drivers IS NOT NULL LIMIT $2)) RETURNING *) \
             INSERT INTO telemetry_deliveries (event_id, recorded_at, driver, state, batch_id, arrived_at) \
             SELECT event_id, recorded_at, driver, 'pending', $1, arrived_at FROM begun, unnest(drivers) AS driver \
             ON CONFLICT DO NOTHING",
        );
        let inserted =
            statement.bind::<BigInt, _>(run_id).bind::<BigInt, _>(BATCH_SIZE).execute(conn).await?;
        if inserted == 0 {
            return Ok(());
        }
    }
}
