//! What stands in `telemetry_pending`, when a driver gets its record of it.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::models::driver::Driver;
use crate::models::telemetry_driver::EnabledDrivers;

/// An event by its id and its moment.
type Key = (i64, DateTime<Utc>);

/// Notes that a driver has its first record of these events, and answers with those that no driver is without now.
///
/// To try is to search for it, so what is likely of each event is tried first: whether it is owed to no other driver.
pub(super) async fn put_on_record(
    conn: &mut Connection,
    driver: Driver,
    enabled: &EnabledDrivers,
    likely_last: Vec<Key>,
    likely_not: Vec<Key>,
) -> QueryResult<HashSet<i64>> {
    let told = |step, events: &[Key]| Told::new(step, driver, enabled, events);
    let but = |events: Vec<Key>, these: &HashSet<i64>| -> Vec<Key> {
        events.into_iter().filter(|(id, _)| !these.contains(id)).collect()
    };
    let mut gone = told(Step::Last, &likely_last).carry_out(conn).await?;
    told(Step::NotLast, &but(likely_last, &gone)).carry_out(conn).await?;
    let left = told(Step::NotLast, &likely_not).carry_out(conn).await?;
    gone.extend(told(Step::Last, &but(likely_not, &left)).carry_out(conn).await?);
    Ok(gone)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Deletes those that are owed to no other driver.
    Last,
    /// Notes of those that are owed to another driver that they are owed to that one only.
    NotLast,
}

struct Told {
    step: Step,
    driver: &'static str,
    /// From when on events are pending for each driver.
    pending_from: [DateTime<Utc>; 2],
    ids: Vec<i64>,
    moments: Vec<DateTime<Utc>>,
}

impl Told {
    fn new(step: Step, driver: Driver, enabled: &EnabledDrivers, events: &[Key]) -> Self {
        let (ids, moments) = events.iter().copied().unzip();
        let pending_from = Driver::ALL.map(|driver| enabled.pending_from(driver));
        Self { step, driver: driver.key(), pending_from, ids, moments }
    }

    /// The drivers that have no record of a row of this name: all for which it is pending, while none has one.
    fn without_record<'b>(&'b self, row: &'static str, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("coalesce(");
        out.push_sql(row);
        out.push_sql(".drivers, array_remove(ARRAY[");
        for (place, (driver, from)) in Driver::ALL.iter().zip(&self.pending_from).enumerate() {
            if place > 0 {
                out.push_sql(", ");
            }
            out.push_sql("CASE WHEN ");
            out.push_sql(row);
            out.push_sql(".recorded_at >= ");
            out.push_bind_param::<Timestamptz, _>(from)?;
            out.push_sql(" THEN '");
            out.push_sql(driver.key());
            out.push_sql("' END");
        }
        out.push_sql("]::text[], NULL))");
        Ok(())
    }

    async fn carry_out(self, conn: &mut Connection) -> QueryResult<HashSet<i64>> {
        if self.ids.is_empty() {
            return Ok(HashSet::new());
        }
        Ok(self.load::<i64>(conn).await?.into_iter().collect())
    }
}

/// Planned once a connection for each step, which may be when the table is empty: so it says itself that each row is found
/// by its key and then by its place.
impl QueryFragment<Pg> for Told {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        if self.step == Step::Last {
            out.push_sql("DELETE FROM telemetry_pending AS pending USING ");
        } else {
            out.push_sql("UPDATE telemetry_pending AS pending SET drivers = array_remove(");
            self.without_record("pending", out.reborrow())?;
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(&self.driver)?;
            out.push_sql(") FROM ");
        }
        out.push_sql("unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamptz>, _>(&self.moments)?;
        out.push_sql(
            ") AS told (event_id, recorded_at) \
             CROSS JOIN LATERAL (SELECT ctid AS place FROM telemetry_pending AS found \
                 WHERE found.recorded_at = told.recorded_at AND found.event_id = told.event_id AND ",
        );
        if self.step == Step::NotLast {
            out.push_sql("NOT ");
        }
        self.without_record("found", out.reborrow())?;
        out.push_sql(" <@ ARRAY[");
        out.push_bind_param::<Text, _>(&self.driver)?;
        out.push_sql("] OFFSET 0) AS found WHERE pending.ctid = place RETURNING pending.event_id");
        Ok(())
    }
}

/// There are two statements of this type, which are told apart by their texts.
impl QueryId for Told {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Told {
    type SqlType = BigInt;
}
