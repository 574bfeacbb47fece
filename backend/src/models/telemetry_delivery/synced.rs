//! Says of events that owe nothing any more that they are synced.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::db::Connection;

/// Events by id and moment, and whether it is known that nothing stands in `telemetry_pending` of them.
pub(super) type Ended = BTreeMap<(i64, DateTime<Utc>), bool>;

/// Says of those of these events that owe nothing any more that they are synced, and answers with how many these are.
pub(super) async fn settle(conn: &mut Connection, ended: Ended, now: DateTime<Utc>) -> QueryResult<usize> {
    if ended.is_empty() {
        return Ok(0);
    }
    let mut settle = Settle { ids: Vec::new(), moments: Vec::new(), not_pending: Vec::new(), now };
    for ((id, moment), is_not_pending) in ended {
        settle.ids.push(id);
        settle.moments.push(moment);
        settle.not_pending.push(is_not_pending);
    }
    settle.execute(conn).await
}

/// A plan may be made when the tables are empty, and would then read them as a whole: `OFFSET 0` has each event looked up,
/// and `coalesce` hides the state from the index of what is owed.
struct Settle {
    ids: Vec<i64>,
    moments: Vec<DateTime<Utc>>,
    not_pending: Vec<bool>,
    now: DateTime<Utc>,
}

impl QueryFragment<Pg> for Settle {
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
            ") AS judged (id, recorded_at, is_not_pending) \
             WHERE (is_not_pending OR NOT EXISTS (SELECT FROM telemetry_pending AS pending \
                 WHERE pending.recorded_at = judged.recorded_at AND pending.event_id = judged.id OFFSET 0)) \
             AND NOT EXISTS (SELECT FROM telemetry_deliveries AS owed \
                 WHERE owed.event_id = judged.id AND coalesce(owed.state) IN ('pending', 'retry') OFFSET 0) \
             OFFSET 0) AS judged \
             WHERE event.recorded_at = judged.recorded_at AND event.id = judged.id \
                 AND event.synced_at IS NULL",
        );
        Ok(())
    }
}

impl QueryId for Settle {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<Conn> diesel::RunQueryDsl<Conn> for Settle {}
