//! What a run is sending at the moment: put on record before it goes out, so that a run that dies leaves behind what was
//! perhaps sent.

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

/// Events in flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Its id.
    pub id: i64,
    /// The events that are leased.
    pub events: Vec<EventPosition>,
}

/// An event in flight of a run that died.
#[derive(Clone, Debug, QueryableByName)]
pub struct Reclaimed {
    /// Its lease.
    #[diesel(sql_type = BigInt)]
    pub lease_id: i64,
    /// The event.
    #[diesel(embed)]
    pub event: PendingEvent,
}

/// Leases events: puts on record that this run is about to send them to a driver.
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

/// Takes over the leases for this driver of other runs. There is one run at a time, so they are dead, and may or may not
/// have sent the events.
pub async fn reclaim(conn: &mut Connection, driver: Driver, run_id: i64) -> QueryResult<Vec<Reclaimed>> {
    let mine = leases::table.filter(leases::driver.eq(driver.key()));
    diesel::update(mine.filter(leases::run_id.ne(run_id)))
        .set(leases::run_id.eq(run_id))
        .execute(conn)
        .await?;
    let taken: Vec<Reclaimed> = sql_query(format!(
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
    // The events of some leases were deleted.
    let living: Vec<i64> = taken.iter().map(|taken| taken.lease_id).collect();
    let empty = mine.filter(leases::run_id.eq(run_id)).filter(leases::id.ne_all(living));
    diesel::delete(empty).execute(conn).await?;
    Ok(taken)
}

/// Reduces leases of this run to the events that are still in flight, and deletes those without any.
pub(super) async fn shrink(conn: &mut Connection, run_id: i64, leases_left: &[Lease]) -> QueryResult<()> {
    let mine = leases::table.filter(leases::run_id.eq(run_id));
    let over: Vec<i64> =
        leases_left.iter().filter(|lease| lease.events.is_empty()).map(|lease| lease.id).collect();
    if !over.is_empty() {
        diesel::delete(mine.filter(leases::id.eq_any(over))).execute(conn).await?;
    }
    for lease in leases_left.iter().filter(|lease| !lease.events.is_empty()) {
        let (ids, moments) = columns(&lease.events);
        diesel::update(mine.filter(leases::id.eq(lease.id)))
            .set((leases::event_ids.eq(ids), leases::recorded_at.eq(moments)))
            .execute(conn)
            .await?;
    }
    Ok(())
}

fn columns(events: &[EventPosition]) -> (Vec<i64>, Vec<DateTime<Utc>>) {
    events.iter().map(|event| (event.id, event.recorded_at)).unzip()
}
