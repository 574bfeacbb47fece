//! How the sync stands: what is pending, how each driver does, and the last and the present run.

use chrono::{DateTime, Utc};
use diesel::QueryResult;

use super::backlog::{Alarm, Backlog};
use super::driver::{self, NotConfigured};
use super::sync;
use crate::config::telemetry::Telemetry;
use crate::db::Connection;
use crate::models::driver::Driver as Name;
use crate::models::sync_run::{SyncRun, Trouble};
use crate::models::telemetry_delivery::{GivenUp, Owed, last_delivered_at};
use crate::models::telemetry_driver::DriverState;

/// How the sync stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// What is pending.
    pub backlog: Backlog,
    /// Why that is cause for alarm, if it is.
    pub alarm: Option<Alarm>,
    /// Every driver, enabled or not.
    pub drivers: Vec<DriverStatus>,
    /// The last run with something to do that has ended.
    pub last_run: Option<SyncRun>,
    /// The run that is under way.
    pub running: Option<SyncRun>,
}

/// How a driver does.
#[derive(Clone, Debug, PartialEq)]
pub struct DriverStatus {
    /// Which one.
    pub name: Name,
    /// Whether it is enabled.
    pub is_enabled: bool,
    /// The setting that it lacks.
    pub lacks: Option<&'static str>,
    /// What kept it from taking anything when it was last tried.
    pub trouble: Option<Trouble>,
    /// Deliveries that it is owed.
    pub pending: i64,
    /// Deliveries that were given up.
    pub given_up: i64,
    /// When it last took an event.
    pub last_delivered_at: Option<DateTime<Utc>>,
}

impl Status {
    /// How the sync stands now. This takes as long as much is pending or was given up, whatever was delivered before.
    pub async fn read(conn: &mut Connection, config: &Telemetry, now: DateTime<Utc>) -> QueryResult<Self> {
        let owed = Owed::count(conn).await?;
        let backlog = Backlog::of(&owed);
        let enabled = driver::enabled(config);
        let mut drivers = Vec::new();
        for name in Name::ALL {
            let driver = enabled.iter().find(|(enabled, _)| *enabled == name).map(|(_, driver)| driver);
            let lacks = match driver {
                Some(Err(NotConfigured(setting))) => Some(*setting),
                Some(Ok(_)) | None => None,
            };
            let untouched = if driver.is_some() { owed.untouched } else { 0 };
            drivers.push(DriverStatus {
                name,
                is_enabled: driver.is_some(),
                lacks,
                trouble: DriverState::read(conn, name).await?.trouble.filter(|_| driver.is_some()),
                pending: owed.to(name) + untouched,
                given_up: GivenUp::count(conn, Some(name)).await?,
                last_delivered_at: last_delivered_at(conn, name).await?,
            });
        }
        let running = SyncRun::running(conn).await?;
        // A run whose process died is not under way, though nobody has said so yet.
        let is_under_way = running.is_some() && sync::is_under_way(conn).await?;
        Ok(Self {
            alarm: backlog.alarm(&config.alert, now).filter(|_| !enabled.is_empty()),
            backlog,
            drivers,
            last_run: SyncRun::last_worked(conn).await?,
            running: running.filter(|_| is_under_way),
        })
    }
}
