//! What a driver is owed that is not on record.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;

use super::{EVENT_COLUMNS, OwedEvent, OwedEventSql, Wanted};
use crate::db::Connection;

/// The oldest events of which this driver, being enabled, has no delivery record yet.
pub async fn fresh(conn: &mut Connection, wanted: Wanted) -> QueryResult<Vec<OwedEvent>> {
    Fresh { wanted, driver: wanted.driver.key() }.load(conn).await
}

/// Planned once a connection.
struct Fresh {
    wanted: Wanted,
    driver: &'static str,
}

impl QueryFragment<Pg> for Fresh {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        out.push_sql(EVENT_COLUMNS);
        out.push_sql(", 0, 0, false, NULL::timestamptz, NULL::timestamptz, false, coalesce(cardinality(owed.drivers) = 1, false) FROM (SELECT *, ");
        out.push_bind_param::<Bool, _>(&self.wanted.with_user_since)?;
        out.push_sql(" AS with_user_since FROM telemetry_pending WHERE (recorded_at, event_id) > (");
        self.wanted.after(out.reborrow())?;
        out.push_sql(") AND (drivers IS NULL OR ");
        out.push_bind_param::<Text, _>(&self.driver)?;
        // What is on record is not pending, unless somebody put it there: it must not be sent twice for that.
        out.push_sql(
            " = ANY (drivers)) AND NOT EXISTS (SELECT FROM telemetry_deliveries AS record \
                 WHERE record.event_id = telemetry_pending.event_id AND record.driver = ",
        );
        out.push_bind_param::<Text, _>(&self.driver)?;
        out.push_sql(" OFFSET 0) ORDER BY recorded_at, event_id) AS owed ");
        self.wanted.events_of_owed(out)
    }
}

impl QueryId for Fresh {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Fresh {
    type SqlType = OwedEventSql;
}
