//! What a driver is owed of what is on record, and may be tried again.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use super::{EVENT_COLUMNS, OwedEvent, OwedEventSql, Wanted};
use crate::db::Connection;

/// What this driver is owed and may be tried again now, the oldest first; with `batch` only what that run left, whether
/// its time has come or not.
pub async fn due(
    conn: &mut Connection,
    wanted: Wanted,
    batch: Option<i64>,
    now: DateTime<Utc>,
) -> QueryResult<Vec<OwedEvent>> {
    Due { wanted, batch, driver: wanted.driver.key(), now }.load(conn).await
}

/// Planned once a connection.
struct Due {
    wanted: Wanted,
    batch: Option<i64>,
    driver: &'static str,
    now: DateTime<Utc>,
}

impl QueryFragment<Pg> for Due {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        out.push_sql(EVENT_COLUMNS);
        out.push_sql(
            ", owed.attempts, owed.unanswered, owed.maybe_duplicate, owed.first_attempt_at, \
                 CASE WHEN owed.error_class IN ('refused', 'too_large') THEN owed.last_attempt_at END, true, false FROM ( \
                 SELECT *, ",
        );
        out.push_bind_param::<Bool, _>(&self.wanted.with_user_since)?;
        out.push_sql(
            " AS with_user_since FROM telemetry_deliveries WHERE state IN ('pending', 'retry') AND driver = ",
        );
        out.push_bind_param::<Text, _>(&self.driver)?;
        out.push_sql(" AND (recorded_at, event_id) > (");
        self.wanted.after(out.reborrow())?;
        out.push_sql(") AND CASE WHEN ");
        out.push_bind_param::<Nullable<BigInt>, _>(&self.batch)?;
        out.push_sql(" IS NULL THEN next_attempt_at IS NULL OR next_attempt_at <= ");
        out.push_bind_param::<Timestamptz, _>(&self.now)?;
        out.push_sql(" ELSE batch_id = ");
        out.push_bind_param::<Nullable<BigInt>, _>(&self.batch)?;
        out.push_sql(" END ORDER BY recorded_at, event_id) AS owed ");
        self.wanted.events_of_owed(out)
    }
}

impl QueryId for Due {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Due {
    type SqlType = OwedEventSql;
}
