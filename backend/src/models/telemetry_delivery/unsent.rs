//! Events without a delivery for a driver.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;

use super::{EVENT_COLUMNS, PendingEvent, PendingEventSql, PendingQuery};
use crate::db::Connection;

/// The oldest events that are pending for this driver and do not have a delivery for it.
pub async fn unsent(conn: &mut Connection, query: PendingQuery) -> QueryResult<Vec<PendingEvent>> {
    Unsent { query, driver: query.driver.key() }.load(conn).await
}

/// PostgreSQL plans this statement once per connection.
struct Unsent {
    query: PendingQuery,
    driver: &'static str,
}

impl QueryFragment<Pg> for Unsent {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        out.push_sql(EVENT_COLUMNS);
        out.push_sql(", 0, 0, false, NULL::timestamptz, NULL::timestamptz, false, coalesce(cardinality(pending_row.drivers) = 1, false) FROM (SELECT *, ");
        out.push_bind_param::<Bool, _>(&self.query.with_user_since)?;
        out.push_sql(" AS with_user_since FROM telemetry_pending WHERE (recorded_at, event_id) > (");
        self.query.push_position(out.reborrow())?;
        out.push_sql(") AND (drivers IS NULL OR ");
        out.push_bind_param::<Text, _>(&self.driver)?;
        // A pending row that was inserted by hand may belong to an event that has a delivery. Such an event
        // must not be sent twice.
        out.push_sql(
            " = ANY (drivers)) AND NOT EXISTS (SELECT FROM telemetry_deliveries AS record \
                 WHERE record.event_id = telemetry_pending.event_id AND record.driver = ",
        );
        out.push_bind_param::<Text, _>(&self.driver)?;
        out.push_sql(" OFFSET 0) ORDER BY recorded_at, event_id) AS pending_row ");
        self.query.join_events(out)
    }
}

impl QueryId for Unsent {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Unsent {
    type SqlType = PendingEventSql;
}
