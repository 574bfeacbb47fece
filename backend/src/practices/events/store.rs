//! Writes what events have changed, with one statement for each table.

use super::refusal::Refusal;
use super::state::{Judgement, State};
use super::{Applied, Outcome};
use crate::db::Connection;
use crate::models::QueryResult;
use crate::models::dataset::student_activity_snapshot::NewStudentSnapshot;
use crate::models::dataset::teacher_activity_snapshot::NewTeacherSnapshot;
use crate::models::order::Order;
use crate::models::platform_event::AppliedEvent;
use crate::models::practice_request;
use crate::models::reservation::Reservation;

/// Snapshots per statement, whose bind parameters must stay below PostgreSQL's limit of 65,535.
const SNAPSHOTS_PER_STATEMENT: usize = 2_000;

impl State {
    /// Writes the changes, and returns the results of the judged events. Rows are written in the order of their keys.
    pub(super) async fn store(
        self,
        conn: &mut Connection,
        judged: Vec<Judgement>,
    ) -> QueryResult<Vec<Outcome>> {
        let Self { now, reservations, orders, changes, .. } = self;
        let mut events = changes.events;
        let changed = changes.orders.iter().filter_map(|id| orders.get(id)).cloned();
        let (new, known): (Vec<Order>, Vec<_>) =
            changed.partition(|order| changes.new_orders.contains(&order.id));
        if !known.is_empty() {
            Order::update(conn, &known, now).await?;
        }
        if !new.is_empty() {
            // Fails if another call has inserted one of them in the meantime. This call is then judged again.
            Order::insert(conn, &new, now).await?;
        }
        let reservations: Vec<Reservation> =
            changes.reservations.iter().filter_map(|seat| reservations.get(seat)).cloned().collect();
        if !reservations.is_empty() {
            Reservation::upsert(conn, &reservations).await?;
        }
        if !changes.escalations.is_empty() {
            practice_request::escalate(conn, &changes.escalations).await?;
        }
        let (positions, snapshots): (Vec<_>, Vec<_>) = changes.students.into_iter().unzip();
        for (positions, snapshots) in
            positions.chunks(SNAPSHOTS_PER_STATEMENT).zip(snapshots.chunks(SNAPSHOTS_PER_STATEMENT))
        {
            add_ids(&mut events, positions, NewStudentSnapshot::insert(conn, snapshots).await?);
        }
        let (positions, snapshots): (Vec<_>, Vec<_>) = changes.teachers.into_iter().unzip();
        for (positions, snapshots) in
            positions.chunks(SNAPSHOTS_PER_STATEMENT).zip(snapshots.chunks(SNAPSHOTS_PER_STATEMENT))
        {
            add_ids(&mut events, positions, NewTeacherSnapshot::insert(conn, snapshots).await?);
        }
        let ids: Vec<Vec<i64>> = events.iter().map(|event| event.snapshot_ids.clone()).collect();
        events.sort_unstable_by_key(|event| event.event_id);
        if !events.is_empty() {
            AppliedEvent::insert(conn, &events).await?;
        }
        Ok(judged.into_iter().map(|judgement| outcome(judgement, &ids)).collect())
    }
}

fn add_ids(events: &mut [AppliedEvent], positions: &[usize], ids: Vec<i64>) {
    for (position, id) in positions.iter().zip(ids) {
        events[*position].snapshot_ids.push(id);
    }
}

/// The result of an event. `ids` are the ids of the snapshots of each applied event.
fn outcome(judgement: Judgement, ids: &[Vec<i64>]) -> Result<Applied, Refusal> {
    match judgement {
        Judgement::Applied(position) => Ok(Applied { duplicate: false, snapshot_ids: ids[position].clone() }),
        Judgement::Repeated(position) => Ok(Applied { duplicate: true, snapshot_ids: ids[position].clone() }),
        Judgement::AppliedBefore(snapshot_ids) => Ok(Applied { duplicate: true, snapshot_ids }),
        Judgement::Refused(refusal) => Err(refusal),
    }
}
