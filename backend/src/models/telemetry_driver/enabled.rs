//! Which drivers are enabled. The database says so, whatever settings a process has: one that lacks a driver's settings
//! leaves what is pending for that driver alone.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Text, Timestamptz};
use diesel_async::RunQueryDsl;
use domain::Driver;

use crate::db::Connection;
use crate::db::schema::telemetry_drivers as drivers;
use crate::models::telemetry_delivery::EventPosition;

/// The enabled drivers, and from when on events are pending for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EnabledDrivers {
    ga4: Option<DateTime<Utc>>,
    mixpanel: Option<DateTime<Utc>>,
}

/// How old an event may be when its driver is enabled. GA4 takes 72 hours and needs an hour's margin.
const fn catches_up(driver: Driver) -> TimeDelta {
    match driver {
        Driver::Ga4 => TimeDelta::hours(71),
        Driver::Mixpanel => TimeDelta::days(5),
    }
}

impl EnabledDrivers {
    /// Those that the database says are enabled.
    pub async fn read(conn: &mut Connection) -> QueryResult<Self> {
        let rows: Vec<(String, Option<DateTime<Utc>>)> =
            drivers::table.select((drivers::driver, drivers::sends_from)).load(conn).await?;
        let mut enabled = Self::default();
        for (name, sends_from) in rows {
            if let Some(driver) = Driver::ALL.into_iter().find(|driver| driver.key() == name) {
                *enabled.of(driver) = sends_from;
            }
        }
        Ok(enabled)
    }

    /// Those and the ones that this process would enable now.
    pub fn with(mut self, drivers: &[Driver], now: DateTime<Utc>) -> Self {
        for driver in drivers {
            self.of(*driver).get_or_insert(now - catches_up(*driver));
        }
        self
    }

    /// Says that a driver is enabled, unless it is already. It gets pending events of the last 71 hours (GA4) or five
    /// days (Mixpanel), and none that are older.
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
            .bind::<Timestamptz, _>(now - catches_up(driver))
            .execute(conn)
            .await?;
        Ok(rows > 0)
    }

    /// Says that a driver is not enabled any more, and forgets what kept it from taking anything.
    pub async fn disable(conn: &mut Connection, driver: Driver, now: DateTime<Utc>) -> QueryResult<()> {
        let none = (None::<DateTime<Utc>>, None::<DateTime<Utc>>);
        diesel::update(drivers::table.find(driver.key()))
            .set((
                drivers::enabled_since.eq(none.0),
                drivers::sends_from.eq(none.1),
                drivers::paused_until.eq(None::<DateTime<Utc>>),
                drivers::trouble.eq(None::<serde_json::Value>),
                drivers::updated_at.eq(now),
            ))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// From when on events are pending for a driver; nothing when it is not enabled.
    pub const fn sends_from(&self, driver: Driver) -> Option<DateTime<Utc>> {
        match driver {
            Driver::Ga4 => self.ga4,
            Driver::Mixpanel => self.mixpanel,
        }
    }

    /// The same for a comparison in SQL: after every event when it is not enabled.
    pub(in crate::models) fn pending_from(&self, driver: Driver) -> DateTime<Utc> {
        self.sends_from(driver).unwrap_or(EventPosition::END.recorded_at)
    }

    /// From when on events are pending for any of them; nothing when none is enabled.
    pub fn earliest(&self) -> Option<DateTime<Utc>> {
        Driver::ALL.into_iter().filter_map(|driver| self.sends_from(driver)).min()
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = Driver> {
        Driver::ALL.into_iter().filter(|driver| self.sends_from(*driver).is_some())
    }

    const fn of(&mut self, driver: Driver) -> &mut Option<DateTime<Utc>> {
        match driver {
            Driver::Ga4 => &mut self.ga4,
            Driver::Mixpanel => &mut self.mixpanel,
        }
    }
}
