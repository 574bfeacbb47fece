//! How the sync stands: what is pending, how each driver does, and the last and the present run.

use chrono::{DateTime, Utc};
use diesel::QueryResult;

use super::backlog::{self, Alarm, Backlog};
use super::driver::{self, NotConfigured};
use super::sync;
use crate::config::telemetry::Telemetry;
use crate::db::Connection;
use crate::models::driver::Driver as Name;
use crate::models::sync_run::{SyncRun, Trouble};
use crate::models::telemetry_delivery::{GivenUp, Owed, last_delivered_at};
use crate::models::telemetry_driver::{DriverState, EnabledDrivers};

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
    /// Whether it is enabled, by this process or another.
    pub is_enabled: bool,
    /// Whether this process has it enabled; one that does not leaves its events pending.
    pub is_enabled_here: bool,
    /// The setting that it lacks.
    pub lacks: Option<&'static str>,
    /// What kept it from taking anything when it was last tried.
    pub trouble: Option<Trouble>,
    /// Deliveries that are pending for it, as far as they are counted.
    pub pending: i64,
    /// Deliveries that were given up, as far as they are counted.
    pub given_up: i64,
    /// When it last took an event.
    pub last_delivered_at: Option<DateTime<Utc>>,
}

impl Status {
    /// How the sync stands now. What is pending or was given up is counted up to a limit, so that this takes no longer
    /// however much that is.
    pub async fn read(conn: &mut Connection, config: &Telemetry, now: DateTime<Utc>) -> QueryResult<Self> {
        let here = driver::enabled(config);
        let in_database = EnabledDrivers::read(conn).await?;
        let enabled = in_database.with(&driver::enabled_here(config), now);
        let most = backlog::counted_up_to(&config.alert);
        let owed = Owed::count(conn, &enabled, most).await?;
        let backlog = Backlog::of(&owed);
        let mut drivers = Vec::new();
        for name in Name::ALL {
            let driver = here.iter().find(|(enabled, _)| *enabled == name).map(|(_, driver)| driver);
            let lacks = match driver {
                Some(Err(NotConfigured(setting))) => Some(*setting),
                Some(Ok(_)) | None => None,
            };
            let is_enabled = enabled.sends_from(name).is_some();
            drivers.push(DriverStatus {
                name,
                is_enabled,
                is_enabled_here: driver.is_some(),
                lacks,
                trouble: DriverState::read(conn, name).await?.trouble.filter(|_| is_enabled),
                pending: owed.to(name),
                given_up: GivenUp::count_up_to(conn, name, most).await?,
                last_delivered_at: last_delivered_at(conn, name).await?,
            });
        }
        let running = SyncRun::running(conn).await?;
        // A run whose process died is not under way, though nobody has said so yet.
        let is_under_way = running.is_some() && sync::is_under_way(conn).await?;
        Ok(Self {
            alarm: backlog.alarm(&config.alert, now).filter(|_| enabled.names().next().is_some()),
            backlog,
            drivers,
            last_run: SyncRun::last_worked(conn).await?,
            running: running.filter(|_| is_under_way),
        })
    }
}
