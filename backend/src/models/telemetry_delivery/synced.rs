//! Marks events as synced once they are pending for no driver.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::db::Connection;

/// Events with a final delivery, by id and time. The value says whether the event is known to have no row in
/// `telemetry_pending`.
pub(super) type FinishedEvents = BTreeMap<(i64, DateTime<Utc>), bool>;

/// Marks events as synced, except those that are still pending for a driver. Returns the number of marked
/// events.
pub(super) async fn mark_synced(
    conn: &mut Connection,
    finished: FinishedEvents,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    if finished.is_empty() {
        return Ok(0);
    }
    let mut statement = MarkSynced { ids: Vec::new(), moments: Vec::new(), not_pending: Vec::new(), now };
    for ((id, moment), is_not_pending) in finished {
        statement.ids.push(id);
        statement.moments.push(moment);
        statement.not_pending.push(is_not_pending);
    }
    statement.execute(conn).await
}

/// PostgreSQL may plan this statement while the tables are empty, and would then choose to scan them.
/// `OFFSET 0` forces a lookup of each event, and `coalesce` prevents the use of the index of pending
/// deliveries.
struct MarkSynced {
    ids: Vec<i64>,
    moments: Vec<DateTime<Utc>>,
    not_pending: Vec<bool>,
    now: DateTime<Utc>,
}

impl QueryFragment<Pg> for MarkSynced {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("UPDATE video_player_events AS event SET synced_at = ");
        out.push_bind_param::<Timestamptz, _>(&self.now)?;
        out.push_sql(" FROM (SELECT * FROM unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamptz>, _>(&self.moments)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Bool>, _>(&self.not_pending)?;
        out.push_sql(
            ") AS finished (id, recorded_at, is_not_pending) \
             WHERE (is_not_pending OR NOT EXISTS (SELECT FROM telemetry_pending AS pending \
                 WHERE pending.recorded_at = finished.recorded_at AND pending.event_id = finished.id OFFSET 0)) \
             AND NOT EXISTS (SELECT FROM telemetry_deliveries AS delivery \
                 WHERE delivery.event_id = finished.id AND coalesce(delivery.state) IN ('pending', 'retry') OFFSET 0) \
             OFFSET 0) AS finished \
             WHERE event.recorded_at = finished.recorded_at AND event.id = finished.id \
                 AND event.synced_at IS NULL",
        );
        Ok(())
    }
}

impl QueryId for MarkSynced {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<Conn> diesel::RunQueryDsl<Conn> for MarkSynced {}
