//! Takes up what a driver is owed from before.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use super::{EVENT_COLUMNS, OwedEvent, OwedEventSql, Take};
use crate::db::Connection;

/// Takes up what this driver is owed and may be tried again now, the oldest first; with `batch` only what that run left,
/// whether its time has come or not.
pub async fn claim(conn: &mut Connection, take: Take, batch: Option<i64>) -> QueryResult<Vec<OwedEvent>> {
    Claim { take, batch, driver: take.driver.key(), run: take.lease.run_id.to_string() }.load(conn).await
}

/// Planned once a connection.
struct Claim {
    take: Take,
    batch: Option<i64>,
    driver: &'static str,
    run: String,
}

impl QueryFragment<Pg> for Claim {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let Take { driver: _, lease, after, limit, now } = &self.take;
        out.push_sql(
            "WITH due AS MATERIALIZED ( \
                 SELECT event_id, driver FROM telemetry_deliveries \
                 WHERE state IN ('pending', 'retry') AND driver = ",
        );
        out.push_bind_param::<Text, _>(&self.driver)?;
        out.push_sql(" AND (recorded_at, event_id) > (");
        out.push_bind_param::<Timestamptz, _>(&after.recorded_at)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&after.id)?;
        out.push_sql(") AND CASE WHEN ");
        out.push_bind_param::<Nullable<BigInt>, _>(&self.batch)?;
        out.push_sql(" IS NULL THEN next_attempt_at IS NULL OR next_attempt_at <= ");
        out.push_bind_param::<Timestamptz, _>(now)?;
        out.push_sql(" ELSE batch_id = ");
        out.push_bind_param::<Nullable<BigInt>, _>(&self.batch)?;
        out.push_sql(" END ORDER BY recorded_at, event_id LIMIT ");
        out.push_bind_param::<BigInt, _>(limit)?;
        out.push_sql(
            " FOR UPDATE SKIP LOCKED \
             ), claimed AS ( \
                 UPDATE telemetry_deliveries AS delivery SET state = 'in_flight', lease_until = ",
        );
        out.push_bind_param::<Timestamptz, _>(&lease.until)?;
        out.push_sql(", lease_owner = ");
        out.push_bind_param::<Text, _>(&self.run)?;
        out.push_sql(", batch_id = ");
        out.push_bind_param::<BigInt, _>(&lease.run_id)?;
        out.push_sql(
            " FROM due WHERE delivery.event_id = due.event_id AND delivery.driver = due.driver \
                 RETURNING delivery.event_id, delivery.recorded_at, delivery.attempts, delivery.unanswered, \
                     delivery.maybe_duplicate, delivery.first_attempt_at \
             ) SELECT ",
        );
        out.push_sql(EVENT_COLUMNS);
        out.push_sql(
            ", claimed.attempts, claimed.unanswered, claimed.maybe_duplicate, claimed.first_attempt_at \
             FROM claimed CROSS JOIN LATERAL ( \
                 SELECT * FROM video_player_events AS event \
                 WHERE event.recorded_at = claimed.recorded_at AND event.id = claimed.event_id OFFSET 0 \
             ) AS event \
             ORDER BY event.recorded_at, event.id",
        );
        Ok(())
    }
}

impl QueryId for Claim {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Claim {
    type SqlType = OwedEventSql;
}
