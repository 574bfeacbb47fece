//! The status of the sync: the backlog, each driver, and the last and the current run.

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

/// The status of the sync.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    pub backlog: Backlog,
    /// The limits that the backlog has reached, if any.
    pub alarm: Option<Alarm>,
    /// All drivers, including those that are not enabled.
    pub drivers: Vec<DriverStatus>,
    /// The last completed run that had events to send.
    pub last_run: Option<SyncRun>,
    /// The run in progress.
    pub running: Option<SyncRun>,
}

/// A driver's status.
#[derive(Clone, Debug, PartialEq)]
pub struct DriverStatus {
    pub name: Name,
    /// Whether it is enabled, by this process or another.
    pub is_enabled: bool,
    /// Whether it is enabled in this process. If not, this process does not send its events.
    pub is_enabled_here: bool,
    /// A required setting that is missing.
    pub missing_setting: Option<&'static str>,
    /// Why the last run stopped sending to it.
    pub outage: Option<Outage>,
    /// The number of pending deliveries, counted up to a limit.
    pub pending: i64,
    /// The number of dead and expired deliveries, counted up to a limit.
    pub dead: i64,
    /// When it last accepted an event.
    pub last_delivered_at: Option<DateTime<Utc>>,
}

impl Status {
    /// Reads the status. Deliveries are counted up to a limit, so that the time does not depend on their
    /// number.
    pub async fn read(conn: &mut Connection, config: &Telemetry, now: DateTime<Utc>) -> QueryResult<Self> {
        let here = driver::enabled(config);
        let in_database = EnabledDrivers::read(conn).await?;
        let enabled = in_database.with(&driver::enabled_names(config), now);
        let count_limit = backlog::count_limit(&config.alert);
        let pending = PendingCounts::count(conn, &enabled, count_limit).await?;
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
                pending: pending.for_driver(name),
                dead: DeadDelivery::count_up_to(conn, name, count_limit).await?,
                last_delivered_at: last_delivered_at(conn, name).await?,
            });
        }
        let running = SyncRun::running(conn).await?;
        // If its process died, a run can still be marked as running.
        let is_running = running.is_some() && delivery::is_running(conn).await?;
        Ok(Self {
            alarm: backlog.alarm(&config.alert, now).filter(|_| enabled.names().next().is_some()),
            backlog,
            drivers,
            last_run: SyncRun::last_finished(conn).await?,
            running: running.filter(|_| is_running),
        })
    }
}
