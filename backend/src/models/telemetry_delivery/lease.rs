//! Leases: the events that a run is sending. They are stored before the request is sent, so that after a
//! crash the next run knows which events may have been delivered.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use domain::Driver;

use super::{EVENT_COLUMNS, EventPosition, ITS_EVENT, PendingEvent};
use crate::db::Connection;
use crate::db::schema::telemetry_leases as leases;

/// A lease on events that are in flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub id: i64,
    pub events: Vec<EventPosition>,
}

/// A leased event of a run that died.
#[derive(Clone, Debug, QueryableByName)]
pub struct ReclaimedEvent {
    #[diesel(sql_type = BigInt)]
    pub lease_id: i64,
    #[diesel(embed)]
    pub event: PendingEvent,
}

/// Leases events to this run, which is about to send them to a driver.
pub async fn acquire(
    conn: &mut Connection,
    driver: Driver,
    run_id: i64,
    events: Vec<EventPosition>,
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

/// Reclaims the leases of other runs for this driver. Only one run is in progress at a time, so those runs
/// are dead. They may have sent the events.
pub async fn reclaim(conn: &mut Connection, driver: Driver, run_id: i64) -> QueryResult<Vec<ReclaimedEvent>> {
    let for_driver = leases::table.filter(leases::driver.eq(driver.key()));
    diesel::update(for_driver.filter(leases::run_id.ne(run_id)))
        .set(leases::run_id.eq(run_id))
        .execute(conn)
        .await?;
    let reclaimed: Vec<ReclaimedEvent> = sql_query(format!(
        "SELECT pending_row.lease_id, {EVENT_COLUMNS}, coalesce(delivery.attempts, 0) AS attempts, \
             coalesce(delivery.unanswered, 0) AS unanswered, coalesce(delivery.maybe_duplicate, false) AS maybe_duplicate, \
             delivery.first_attempt_at, NULL::timestamptz AS refused_at, delivery.event_id IS NOT NULL AS is_on_record, false AS is_last \
         FROM (SELECT lease.id AS lease_id, leased.event_id, leased.recorded_at, true AS with_user_since \
             FROM telemetry_leases AS lease, unnest(lease.event_ids, lease.recorded_at) AS leased (event_id, recorded_at) \
             WHERE lease.driver = $1 AND lease.run_id = $2) AS pending_row \
         {ITS_EVENT} \
         LEFT JOIN telemetry_deliveries AS delivery ON delivery.event_id = event.id AND delivery.driver = $1 \
         WHERE coalesce(delivery.state, 'pending') IN ('pending', 'retry')"
    ))
    .bind::<Text, _>(driver.key())
    .bind::<BigInt, _>(run_id)
    .load(conn)
    .await?;
    // Delete leases without events to send: the events were deleted or have a final delivery.
    let in_use: Vec<i64> = reclaimed.iter().map(|event| event.lease_id).collect();
    let empty = for_driver.filter(leases::run_id.eq(run_id)).filter(leases::id.ne_all(in_use));
    diesel::delete(empty).execute(conn).await?;
    Ok(reclaimed)
}

/// Reduces leases of this run to the events that are still in flight. Deletes leases without events.
pub(super) async fn shrink(conn: &mut Connection, run_id: i64, remaining: &[Lease]) -> QueryResult<()> {
    let of_run = leases::table.filter(leases::run_id.eq(run_id));
    let empty: Vec<i64> =
        remaining.iter().filter(|lease| lease.events.is_empty()).map(|lease| lease.id).collect();
    if !empty.is_empty() {
        diesel::delete(of_run.filter(leases::id.eq_any(empty))).execute(conn).await?;
    }
    for lease in remaining.iter().filter(|lease| !lease.events.is_empty()) {
        let (ids, moments) = columns(&lease.events);
        diesel::update(of_run.filter(leases::id.eq(lease.id)))
            .set((leases::event_ids.eq(ids), leases::recorded_at.eq(moments)))
            .execute(conn)
            .await?;
    }
    Ok(())
}

fn columns(events: &[EventPosition]) -> (Vec<i64>, Vec<DateTime<Utc>>) {
    events.iter().map(|event| (event.id, event.recorded_at)).unzip()
}
