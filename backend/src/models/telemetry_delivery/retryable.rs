//! Pending deliveries that may be retried.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use super::{EVENT_COLUMNS, PendingEvent, PendingEventSql, PendingQuery};
use crate::db::Connection;

/// This driver's deliveries that may be retried now, oldest first. With `batch`, only the deliveries of that
/// run, even if they are not due yet.
pub async fn retryable(
    conn: &mut Connection,
    query: PendingQuery,
    batch: Option<i64>,
    now: DateTime<Utc>,
) -> QueryResult<Vec<PendingEvent>> {
    Retryable { query, batch, driver: query.driver.key(), now }.load(conn).await
}

/// PostgreSQL plans this statement once per connection.
struct Retryable {
    query: PendingQuery,
    batch: Option<i64>,
    driver: &'static str,
    now: DateTime<Utc>,
}

impl QueryFragment<Pg> for Retryable {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        out.push_sql(EVENT_COLUMNS);
        out.push_sql(
            ", pending_row.attempts, pending_row.unanswered, pending_row.maybe_duplicate, pending_row.first_attempt_at, \
                 CASE WHEN pending_row.error_class IN ('refused', 'too_large') THEN pending_row.last_attempt_at END, true, false FROM ( \
                 SELECT *, ",
        );
        out.push_bind_param::<Bool, _>(&self.query.with_user_since)?;
        out.push_sql(
            " AS with_user_since FROM telemetry_deliveries WHERE state IN ('pending', 'retry') AND driver = ",
        );
        out.push_bind_param::<Text, _>(&self.driver)?;
        out.push_sql(" AND (recorded_at, event_id) > (");
        self.query.push_position(out.reborrow())?;
        out.push_sql(") AND CASE WHEN ");
        out.push_bind_param::<Nullable<BigInt>, _>(&self.batch)?;
        out.push_sql(" IS NULL THEN next_attempt_at IS NULL OR next_attempt_at <= ");
        out.push_bind_param::<Timestamptz, _>(&self.now)?;
        out.push_sql(" ELSE batch_id = ");
        out.push_bind_param::<Nullable<BigInt>, _>(&self.batch)?;
        out.push_sql(" END ORDER BY recorded_at, event_id) AS pending_row ");
        self.query.join_events(out)
    }
}

impl QueryId for Retryable {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Retryable {
    type SqlType = PendingEventSql;
}
