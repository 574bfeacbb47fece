//! The sync's status: what is pending, each driver, and the last and the current run.

use chrono::{DateTime, Utc};
use diesel::QueryResult;

use super::backlog::{self, Alarm, Backlog};
use super::delivery;
use super::driver::{self, NotConfigured};
use crate::config::telemetry::Telemetry;
use crate::db::Connection;
use crate::models::sync_run::{Outage, SyncRun};
use crate::models::telemetry_delivery::{DeadDelivery, PendingCounts, last_delivered_at};
use crate::models::telemetry_driver::{DriverState, EnabledDrivers};
use domain::Driver as Name;

/// The sync's status.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// What is pending.
    pub backlog: Backlog,
    /// The limit that the backlog exceeds, if it does.
    pub alarm: Option<Alarm>,
    /// Every driver, enabled or not.
    pub drivers: Vec<DriverStatus>,
    /// The last run with something to do that has ended.
    pub last_run: Option<SyncRun>,
    /// The run that is in progress.
    pub running: Option<SyncRun>,
}

/// A driver's status.
#[derive(Clone, Debug, PartialEq)]
pub struct DriverStatus {
    /// Which one.
    pub name: Name,
    /// Whether it is enabled, by this process or another.
    pub is_enabled: bool,
    /// Whether it is enabled in this process; if not, this process leaves its events pending.
    pub is_enabled_here: bool,
    /// A required setting that is missing.
    pub missing_setting: Option<&'static str>,
    /// Why the last run stopped sending to it.
    pub outage: Option<Outage>,
    /// Pending deliveries, up to the limit of counting.
    pub pending: i64,
    /// Dead and expired deliveries, up to the limit of counting.
    pub dead: i64,
    /// When it last accepted an event.
    pub last_delivered_at: Option<DateTime<Utc>>,
}

impl Status {
    /// Reads the status. Deliveries are counted up to a limit, so that the time does not depend on their number.
    pub async fn read(conn: &mut Connection, config: &Telemetry, now: DateTime<Utc>) -> QueryResult<Self> {
        let here = driver::enabled(config);
        let in_database = EnabledDrivers::read(conn).await?;
        let enabled = in_database.with(&driver::enabled_names(config), now);
        let most = backlog::counted_up_to(&config.alert);
        let pending = PendingCounts::count(conn, &enabled, most).await?;
        let backlog = Backlog::of(&pending);
        let mut drivers = Vec::new();
        for name in Name::ALL {
            let driver = here.iter().find(|(enabled, _)| *enabled == name).map(|(_, driver)| driver);
            let missing_setting = match driver {
                Some(Err(NotConfigured(setting))) => Some(*setting),
                Some(Ok(_)) | None => None,
            };
            let is_enabled = enabled.sends_from(name).is_some();
            drivers.push(DriverStatus {
                name,
                is_enabled,
                is_enabled_here: driver.is_some(),
                missing_setting,
                outage: DriverState::read(conn, name).await?.outage.filter(|_| is_enabled),
                pending: pending.to(name),
                dead: DeadDelivery::count_up_to(conn, name, most).await?,
                last_delivered_at: last_delivered_at(conn, name).await?,
            });
        }
        let running = SyncRun::running(conn).await?;
        // A run whose process died may not be closed yet.
        let is_running = running.is_some() && delivery::is_running(conn).await?;
        Ok(Self {
            alarm: backlog.alarm(&config.alert, now).filter(|_| enabled.names().next().is_some()),
            backlog,
            drivers,
            last_run: SyncRun::last_worked(conn).await?,
            running: running.filter(|_| is_running),
        })
    }
}
