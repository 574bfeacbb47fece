//! Which drivers are enabled. This is stored in the database and does not depend on the settings of a
//! process. A process that has not configured an enabled driver leaves its events pending.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Text, Timestamptz};
use diesel_async::RunQueryDsl;
use domain::Driver;

use crate::db::Connection;
use crate::db::schema::telemetry_drivers as drivers;
use crate::models::telemetry_delivery::EventPosition;

/// The enabled drivers, and for each the time from which on events are pending for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EnabledDrivers {
    ga4: Option<DateTime<Utc>>,
    mixpanel: Option<DateTime<Utc>>,
}

/// Maximum age of events that become pending when a driver is enabled. GA4 accepts events of the last 72
/// hours, minus an hour as a margin.
const fn catch_up_window(driver: Driver) -> TimeDelta {
    match driver {
        Driver::Ga4 => TimeDelta::hours(71),
        Driver::Mixpanel => TimeDelta::days(5),
    }
}

impl EnabledDrivers {
    /// Reads the enabled drivers from the database.
    pub async fn read(conn: &mut Connection) -> QueryResult<Self> {
        let rows: Vec<(String, Option<DateTime<Utc>>)> =
            drivers::table.select((drivers::driver, drivers::sends_from)).load(conn).await?;
        let mut enabled = Self::default();
        for (name, sends_from) in rows {
            if let Some(driver) = Driver::ALL.into_iter().find(|driver| driver.key() == name) {
                *enabled.sends_from_mut(driver) = sends_from;
            }
        }
        Ok(enabled)
    }

    /// Adds drivers as if they were enabled now. Drivers that are enabled already stay unchanged.
    pub fn with(mut self, drivers: &[Driver], now: DateTime<Utc>) -> Self {
        for driver in drivers {
            self.sends_from_mut(*driver).get_or_insert(now - catch_up_window(*driver));
        }
        self
    }

    /// Enables a driver, unless it is enabled already. Returns whether it was enabled now. It gets the
    /// pending events of the last 71 hours (GA4) or five days (Mixpanel), but no older ones.
    pub async fn enable(conn: &mut Connection, driver: Driver, now: DateTime<Utc>) -> QueryResult<bool> {
        let enabled = sql_query(
            "INSERT INTO telemetry_drivers AS known (driver, enabled_since, sends_from, updated_at) \
             SELECT $1, $2, $3, $2 WHERE NOT EXISTS (SELECT FROM telemetry_drivers \
                 WHERE driver = $1 AND enabled_since IS NOT NULL) \
             ON CONFLICT (driver) DO UPDATE SET enabled_since = excluded.enabled_since, sends_from = excluded.sends_from \
             WHERE known.enabled_since IS NULL",
        );
        let rows = enabled
            .bind::<Text, _>(driver.key())
            .bind::<Timestamptz, _>(now)
            .bind::<Timestamptz, _>(now - catch_up_window(driver))
            .execute(conn)
            .await?;
        Ok(rows > 0)
    }

    /// Disables a driver and clears its pause and outage.
    pub async fn disable(conn: &mut Connection, driver: Driver, now: DateTime<Utc>) -> QueryResult<()> {
        let none = (None::<DateTime<Utc>>, None::<DateTime<Utc>>);
        diesel::update(drivers::table.find(driver.key()))
            .set((
                drivers::enabled_since.eq(none.0),
                drivers::sends_from.eq(none.1),
                drivers::paused_until.eq(None::<DateTime<Utc>>),
                drivers::outage.eq(None::<serde_json::Value>),
                drivers::updated_at.eq(now),
            ))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// The time from which on events are pending for a driver, or `None` if it is not enabled.
    pub const fn sends_from(&self, driver: Driver) -> Option<DateTime<Utc>> {
        match driver {
            Driver::Ga4 => self.ga4,
            Driver::Mixpanel => self.mixpanel,
        }
    }

    /// Like [`Self::sends_from`], for comparisons in SQL: a time after all events if the driver is not
    /// enabled.
    pub(in crate::models) fn pending_from(&self, driver: Driver) -> DateTime<Utc> {
        self.sends_from(driver).unwrap_or(EventPosition::END.recorded_at)
    }

    /// The time from which on events are pending for any driver, or `None` if no driver is enabled.
    pub fn earliest(&self) -> Option<DateTime<Utc>> {
        Driver::ALL.into_iter().filter_map(|driver| self.sends_from(driver)).min()
    }

    /// The names of the enabled drivers.
    pub fn names(&self) -> impl Iterator<Item = Driver> {
        Driver::ALL.into_iter().filter(|driver| self.sends_from(*driver).is_some())
    }

    const fn sends_from_mut(&mut self, driver: Driver) -> &mut Option<DateTime<Utc>> {
        match driver {
            Driver::Ga4 => &mut self.ga4,
            Driver::Mixpanel => &mut self.mixpanel,
        }
    }
}
