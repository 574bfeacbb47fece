//! What a run is sending at the moment: put on record before it goes out, so that a run that dies leaves behind what was
//! perhaps sent.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;

use super::{EVENT_COLUMNS, Frontier, ITS_EVENT, OwedEvent};
use crate::db::Connection;
use crate::db::schema::telemetry_leases as leases;
use crate::models::driver::Driver;

/// Events that a run may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Its id.
    pub id: i64,
    /// The events that it was taken for.
    pub events: Vec<Frontier>,
}

/// An event that a run that died was perhaps sending.
#[derive(Clone, Debug, QueryableByName)]
pub struct TakenOver {
    /// The lease that it stands in.
    #[diesel(sql_type = BigInt)]
    pub lease_id: i64,
    /// The event.
    #[diesel(embed)]
    pub event: OwedEvent,
}

/// Puts on record that this run is sending these events to a driver from now on.
pub async fn hold(
    conn: &mut Connection,
    driver: Driver,
    run_id: i64,
    events: Vec<Frontier>,
    now: DateTime<Utc>,
) -> QueryResult<Lease> {
    let (ids, moments) = columns(&events);
    let id = diesel::insert_into(leases::table)
        .values((
            leases::run_id.eq(run_id),
            leases::driver.eq(driver.key()),
            leases::taken_at.eq(now),
            leases::event_ids.eq(ids),
            leases::recorded_at.eq(moments),
        ))
        .returning(leases::id)
        .get_result(conn)
        .await?;
    Ok(Lease { id, events })
}

/// Takes over what other runs were sending to this driver: there is one run at a time, so they are dead, and whether
/// they had sent it nobody knows.
pub async fn take_over(conn: &mut Connection, driver: Driver, run_id: i64) -> QueryResult<Vec<TakenOver>> {
    let mine = leases::table.filter(leases::driver.eq(driver.key()));
    diesel::update(mine.filter(leases::run_id.ne(run_id)))
        .set(leases::run_id.eq(run_id))
        .execute(conn)
        .await?;
    let taken: Vec<TakenOver> = sql_query(format!(
        "SELECT owed.lease_id, {EVENT_COLUMNS}, coalesce(delivery.attempts, 0) AS attempts, \
             coalesce(delivery.unanswered, 0) AS unanswered, coalesce(delivery.maybe_duplicate, false) AS maybe_duplicate, \
             delivery.first_attempt_at, NULL::timestamptz AS refused_at, delivery.event_id IS NOT NULL AS is_on_record, false AS is_last \
         FROM (SELECT lease.id AS lease_id, leased.event_id, leased.recorded_at, true AS with_user_since \
             FROM telemetry_leases AS lease, unnest(lease.event_ids, lease.recorded_at) AS leased (event_id, recorded_at) \
             WHERE lease.driver = $1 AND lease.run_id = $2) AS owed \
         {ITS_EVENT} \
         LEFT JOIN telemetry_deliveries AS delivery ON delivery.event_id = event.id AND delivery.driver = $1 \
         WHERE coalesce(delivery.state, 'pending') IN ('pending', 'retry')"
    ))
    .bind::<Text, _>(driver.key())
    .bind::<BigInt, _>(run_id)
    .load(conn)
    .await?;
    // Of some nothing is left, since their events were deleted.
    let living: Vec<i64> = taken.iter().map(|taken| taken.lease_id).collect();
    let empty = mine.filter(leases::run_id.eq(run_id)).filter(leases::id.ne_all(living));
    diesel::delete(empty).execute(conn).await?;
    Ok(taken)
}

/// Says which events of leases of this run are still being sent; a lease of none is over.
pub(super) async fn narrow(conn: &mut Connection, run_id: i64, left: &[Lease]) -> QueryResult<()> {
    let mine = leases::table.filter(leases::run_id.eq(run_id));
    let over: Vec<i64> = left.iter().filter(|lease| lease.events.is_empty()).map(|lease| lease.id).collect();
    if !over.is_empty() {
        diesel::delete(mine.filter(leases::id.eq_any(over))).execute(conn).await?;
    }
    for lease in left.iter().filter(|lease| !lease.events.is_empty()) {
        let (ids, moments) = columns(&lease.events);
        diesel::update(mine.filter(leases::id.eq(lease.id)))
            .set((leases::event_ids.eq(ids), leases::recorded_at.eq(moments)))
            .execute(conn)
            .await?;
    }
    Ok(())
}

fn columns(events: &[Frontier]) -> (Vec<i64>, Vec<DateTime<Utc>>) {
    events.iter().map(|event| (event.id, event.recorded_at)).unzip()
}
