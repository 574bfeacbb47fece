//! What stands in `telemetry_pending`, when a driver gets its record of it.

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

/// Removes a driver from the pending rows of events of which it has its first delivery, and answers with the events that
/// have no row any more.
///
/// Each attempt searches for the rows, so the likely case of each event is tried first: whether it is pending for no other
/// driver.
pub(super) async fn remove(
    conn: &mut Connection,
    driver: Driver,
    enabled: &EnabledDrivers,
    likely_last: Vec<Key>,
    likely_not: Vec<Key>,
) -> QueryResult<HashSet<i64>> {
    let removal = |step, events: &[Key]| Removal::new(step, driver, enabled, events);
    let but = |events: Vec<Key>, these: &HashSet<i64>| -> Vec<Key> {
        events.into_iter().filter(|(id, _)| !these.contains(id)).collect()
    };
    let mut gone = removal(Step::Last, &likely_last).carry_out(conn).await?;
    removal(Step::NotLast, &but(likely_last, &gone)).carry_out(conn).await?;
    let left = removal(Step::NotLast, &likely_not).carry_out(conn).await?;
    gone.extend(removal(Step::Last, &but(likely_not, &left)).carry_out(conn).await?);
    Ok(gone)
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
    /// Events from then on are pending for each driver.
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

    /// The drivers without a delivery, for a row of this name: all that its event is pending for, if none has one.
    fn without_delivery<'b>(&'b self, row: &'static str, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
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

/// Planned once per connection and step, perhaps while the table is empty: so the statement itself makes sure that each row
/// is found by its key and then by its `ctid`.
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

/// The two statements of this type differ in their text.
impl QueryId for Removal {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Removal {
    type SqlType = BigInt;
}
