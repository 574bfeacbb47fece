//! Updates `telemetry_pending` when a driver gets its first delivery of an event.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use domain::Driver;

use crate::db::Connection;
use crate::models::telemetry_driver::EnabledDrivers;

/// An event by its id and time.
type Key = (i64, DateTime<Utc>);

/// Removes a driver from the pending rows of events that have just got a delivery for it. Returns the ids of
/// the events whose row was deleted because no other driver remains.
///
/// Each statement has to find the rows, so the likely case of each event comes first: `likely_last` are
/// events that are probably pending for no other driver.
pub(super) async fn remove(
    conn: &mut Connection,
    driver: Driver,
    enabled: &EnabledDrivers,
    likely_last: Vec<Key>,
    likely_not_last: Vec<Key>,
) -> QueryResult<HashSet<i64>> {
    let removal = |step, events: &[Key]| Removal::new(step, driver, enabled, events);
    let except = |events: Vec<Key>, excluded: &HashSet<i64>| -> Vec<Key> {
        events.into_iter().filter(|(id, _)| !excluded.contains(id)).collect()
    };
    let mut deleted = removal(Step::Last, &likely_last).run(conn).await?;
    removal(Step::NotLast, &except(likely_last, &deleted)).run(conn).await?;
    let updated = removal(Step::NotLast, &likely_not_last).run(conn).await?;
    deleted.extend(removal(Step::Last, &except(likely_not_last, &updated)).run(conn).await?);
    Ok(deleted)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Deletes the rows of events that are pending for no other driver.
    Last,
    /// Removes the driver from the rows of events that are pending for another one too.
    NotLast,
}

struct Removal {
    step: Step,
    driver: &'static str,
    /// For each driver, the time from which on events are pending for it.
    pending_from: [DateTime<Utc>; 2],
    ids: Vec<i64>,
    moments: Vec<DateTime<Utc>>,
}

impl Removal {
    fn new(step: Step, driver: Driver, enabled: &EnabledDrivers, events: &[Key]) -> Self {
        let (ids, moments) = events.iter().copied().unzip();
        let pending_from = Driver::ALL.map(|driver| enabled.pending_from(driver));
        Self { step, driver: driver.key(), pending_from, ids, moments }
    }

    /// Appends the drivers of a row that have no delivery of its event. If no driver has one, these are
    /// all enabled drivers that the event is pending for.
    fn without_delivery<'b>(&'b self, row: &'static str, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("coalesce(");
        out.push_sql(row);
        out.push_sql(".drivers, array_remove(ARRAY[");
        for (index, (driver, from)) in Driver::ALL.iter().zip(&self.pending_from).enumerate() {
            if index > 0 {
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

    async fn run(self, conn: &mut Connection) -> QueryResult<HashSet<i64>> {
        if self.ids.is_empty() {
            return Ok(HashSet::new());
        }
        Ok(self.load::<i64>(conn).await?.into_iter().collect())
    }
}

/// PostgreSQL plans each of these statements once per connection, possibly while the table is empty. The
/// statements are written so that any plan finds each row by its key and then by its `ctid`.
impl QueryFragment<Pg> for Removal {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        if self.step == Step::Last {
            out.push_sql("DELETE FROM telemetry_pending AS pending USING ");
        } else {
            out.push_sql("UPDATE telemetry_pending AS pending SET drivers = array_remove(");
            self.without_delivery("pending", out.reborrow())?;
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(&self.driver)?;
            out.push_sql(") FROM ");
        }
        out.push_sql("unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamptz>, _>(&self.moments)?;
        out.push_sql(
            ") AS given (event_id, recorded_at) \
             CROSS JOIN LATERAL (SELECT ctid AS place FROM telemetry_pending AS found \
                 WHERE found.recorded_at = given.recorded_at AND found.event_id = given.event_id AND ",
        );
        if self.step == Step::NotLast {
            out.push_sql("NOT ");
        }
        self.without_delivery("found", out.reborrow())?;
        out.push_sql(" <@ ARRAY[");
        out.push_bind_param::<Text, _>(&self.driver)?;
        out.push_sql("] OFFSET 0) AS found WHERE pending.ctid = place RETURNING pending.event_id");
        Ok(())
    }
}

/// Diesel cannot identify the statement by its type: there are two, with different SQL.
impl QueryId for Removal {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Removal {
    type SqlType = BigInt;
}
