//! The analytics drivers: which ones are enabled, and their state between runs of the sync. The table
//! `telemetry_drivers`.

mod enabled;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use domain::Driver;
use serde_json::Value;

use super::sync_run::Outage;
use crate::db::Connection;
use crate::db::schema::telemetry_drivers as drivers;
pub use enabled::EnabledDrivers;

/// The state of a driver between runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DriverState {
    /// No events are sent before this time, because the service asked for a pause.
    pub paused_until: Option<DateTime<Utc>>,
    /// Why the last run stopped sending to the service.
    pub outage: Option<Outage>,
}

impl DriverState {
    /// Reads the state. It is empty before the driver's first run.
    pub async fn read(conn: &mut Connection, driver: Driver) -> QueryResult<Self> {
        let row: Option<(Option<DateTime<Utc>>, Option<Value>)> = drivers::table
            .find(driver.key())
            .select((drivers::paused_until, drivers::outage))
            .first(conn)
            .await
            .optional()?;
        let (paused_until, outage) = row.unwrap_or_default();
        let outage = outage.and_then(|stored| serde_json::from_value(stored).ok());
        Ok(Self { paused_until, outage })
    }

    /// Stores the state.
    pub async fn store(&self, conn: &mut Connection, driver: Driver, now: DateTime<Utc>) -> QueryResult<()> {
        let outage = self
            .outage
            .as_ref()
            .map(|outage| serde_json::to_value(outage).expect("an outage always serializes"));
        diesel::insert_into(drivers::table)
            .values((
                drivers::driver.eq(driver.key()),
                drivers::paused_until.eq(self.paused_until),
                drivers::outage.eq(outage),
                drivers::updated_at.eq(now),
            ))
            .on_conflict(drivers::driver)
            .do_update()
            .set((
                drivers::paused_until.eq(excluded(drivers::paused_until)),
                drivers::outage.eq(excluded(drivers::outage)),
                drivers::updated_at.eq(excluded(drivers::updated_at)),
            ))
            .execute(conn)
            .await?;
        Ok(())
    }
}
