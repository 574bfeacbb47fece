//! What becomes of events that were taken up and not sent, by this run or by one that died, and of those that are owed to
//! a driver that is not enabled any more.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text, Timestamptz};
use diesel_async::{AsyncConnection as _, RunQueryDsl, SimpleAsyncConnection as _};

use super::judge::{LEDGER_LOCK, Settle};
use super::{EVENT_COLUMNS, Lease, OwedEvent};
use crate::db::Connection;
use crate::db::schema::telemetry_deliveries as deliveries;
use crate::models::driver::Driver;

/// Gives events back that this run has taken up and not sent; they are its batch all the same.
pub async fn release(
    conn: &mut Connection,
    driver: Driver,
    run_id: i64,
    event_ids: &[i64],
) -> QueryResult<usize> {
    let mine = deliveries::table
        .filter(deliveries::event_id.eq_any(event_ids))
        .filter(deliveries::driver.eq(driver.key()))
        .filter(deliveries::state.eq("in_flight"))
        .filter(deliveries::lease_owner.eq(run_id.to_string()));
    diesel::update(mine)
        .set((
            deliveries::state.eq(sql::<Text>("CASE WHEN attempts > 0 THEN 'retry' ELSE 'pending' END")),
            deliveries::lease_until.eq(None::<DateTime<Utc>>),
            deliveries::lease_owner.eq(None::<String>),
        ))
        .execute(conn)
        .await
}

/// Takes over what other runs had taken up for this driver: there is one run at a time, so they are dead, and whether
/// they had sent it nobody knows.
pub async fn take_over(conn: &mut Connection, driver: Driver, lease: Lease) -> QueryResult<Vec<OwedEvent>> {
    let run = lease.run_id.to_string();
    sql_query(
        "UPDATE telemetry_deliveries SET lease_owner = $1, lease_until = $2 \
         WHERE driver = $3 AND state = 'in_flight' AND lease_owner <> $1",
    )
    .bind::<Text, _>(&run)
    .bind::<Timestamptz, _>(lease.until)
    .bind::<Text, _>(driver.key())
    .execute(conn)
    .await?;
    let columns =
        "delivery.attempts, delivery.unanswered, delivery.maybe_duplicate, delivery.first_attempt_at";
    sql_query(format!(
        "SELECT {EVENT_COLUMNS}, {columns} FROM telemetry_deliveries AS delivery \
         CROSS JOIN LATERAL (SELECT * FROM video_player_events \
             WHERE recorded_at = delivery.recorded_at AND id = delivery.event_id OFFSET 0) AS event \
         WHERE delivery.driver = $1 AND delivery.state = 'in_flight' AND delivery.lease_owner = $2 \
         ORDER BY event.recorded_at, event.id"
    ))
    .bind::<Text, _>(driver.key())
    .bind::<Text, _>(run)
    .load(conn)
    .await
}

/// So many are dropped at a time, so that nobody waits long for the lock.
const SLICE: i64 = 5_000;

/// Says of what is owed to a driver that is not enabled any more that it is skipped, so that the events need not wait.
pub async fn drop_disabled(conn: &mut Connection, driver: Driver, now: DateTime<Utc>) -> QueryResult<usize> {
    #[derive(QueryableByName)]
    struct Dropped {
        #[diesel(sql_type = BigInt)]
        event_id: i64,
        #[diesel(sql_type = Timestamptz)]
        recorded_at: DateTime<Utc>,
    }
    let mut all = 0;
    loop {
        let slice = conn.transaction(async |conn| {
            conn.batch_execute(LEDGER_LOCK).await?;
            let dropped: Vec<Dropped> = sql_query(
                "UPDATE telemetry_deliveries SET state = 'skipped', lease_until = NULL, lease_owner = NULL \
                 WHERE driver = $1 AND event_id = ANY (ARRAY( \
                     SELECT event_id FROM telemetry_deliveries \
                     WHERE driver = $1 AND state IN ('pending', 'in_flight', 'retry') \
                     ORDER BY recorded_at, event_id LIMIT $2)) \
                 RETURNING event_id, recorded_at",
            )
            .bind::<Text, _>(driver.key())
            .bind::<BigInt, _>(SLICE)
            .load(conn)
            .await?;
            let slice = dropped.len();
            let (ids, moments) = dropped.into_iter().map(|one| (one.event_id, one.recorded_at)).unzip();
            Settle { ids, moments, now }.execute(conn).await?;
            QueryResult::Ok(slice)
        });
        let slice = slice.await?;
        all += slice;
        if i64::try_from(slice).is_ok_and(|slice| slice < SLICE) {
            return Ok(all);
        }
    }
}
