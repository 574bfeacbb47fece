//! Takes up events that no run has seen yet.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use super::{EVENT_COLUMNS, OwedEvent, OwedEventSql, Take};
use crate::db::Connection;
use crate::models::driver::Driver;

/// Takes up the oldest events that have no delivery record yet: each gets one for every enabled driver, and the driver
/// that asks has them at once.
pub async fn enrol(conn: &mut Connection, take: Take, enabled: &[Driver]) -> QueryResult<Vec<OwedEvent>> {
    let enabled = enabled.iter().map(|driver| driver.key()).collect();
    Enrol { take, enabled, driver: take.driver.key(), run: take.lease.run_id.to_string() }.load(conn).await
}

/// Planned once a connection.
struct Enrol {
    take: Take,
    enabled: Vec<&'static str>,
    driver: &'static str,
    run: String,
}

impl QueryFragment<Pg> for Enrol {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let Take { driver: _, lease, after, limit, now: _ } = &self.take;
        out.push_sql("WITH fresh AS MATERIALIZED ( SELECT ");
        out.push_sql(EVENT_COLUMNS);
        out.push_sql(
            " FROM video_player_events AS event \
             WHERE synced_at IS NULL AND recorded_at >= ",
        );
        // The comparison of rows does not rule out whole months; this does.
        out.push_bind_param::<Timestamptz, _>(&after.recorded_at)?;
        out.push_sql(" AND (recorded_at, id) > (");
        out.push_bind_param::<Timestamptz, _>(&after.recorded_at)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&after.id)?;
        out.push_sql(
            ") AND NOT EXISTS (SELECT FROM telemetry_deliveries WHERE event_id = event.id) \
             ORDER BY recorded_at, id LIMIT ",
        );
        out.push_bind_param::<BigInt, _>(limit)?;
        out.push_sql(
            "), made AS ( \
                 INSERT INTO telemetry_deliveries (event_id, recorded_at, driver, state, batch_id, lease_until, lease_owner) \
                 SELECT fresh.id, fresh.recorded_at, enabled.driver, \
                     CASE WHEN mine THEN 'in_flight' ELSE 'pending' END, ",
        );
        out.push_bind_param::<BigInt, _>(&lease.run_id)?;
        out.push_sql(", CASE WHEN mine THEN ");
        out.push_bind_param::<Timestamptz, _>(&lease.until)?;
        out.push_sql(" END, CASE WHEN mine THEN ");
        out.push_bind_param::<Text, _>(&self.run)?;
        out.push_sql(" END FROM fresh CROSS JOIN LATERAL (SELECT driver, driver = ");
        out.push_bind_param::<Text, _>(&self.driver)?;
        out.push_sql(" AS mine FROM unnest(");
        out.push_bind_param::<Array<Text>, _>(&self.enabled)?;
        out.push_sql(
            "::text[]) AS driver) AS enabled \
             ) SELECT event.*, 0, 0, false, NULL::timestamptz \
             FROM fresh AS event \
             ORDER BY event.recorded_at, event.id",
        );
        Ok(())
    }
}

impl QueryId for Enrol {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Enrol {
    type SqlType = OwedEventSql;
}
