//! What is on the schedule: each job's name, how often it is done, and what is done.

use std::time::Duration;

use anyhow::{Context as _, bail};
use domain::Locale;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::app::App;
use crate::config::Config;
use crate::error::Error;
use crate::mail;
use crate::models::telemetry_driver::{DriverState, EnabledDrivers};
use crate::telemetry::backlog::Backlog;
use crate::telemetry::delivery::{StartError, Started, SyncRequest};
use crate::telemetry::driver;
use crate::telemetry::monitor::{self, Checked, Finding};

/// Something that one process at a time does again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Look at the events that wait to be synced, and tell people when there is cause for alarm.
    MonitorBacklog,
    /// Send the mail that is due.
    SendMail,
    /// Send player events to the analytics services until nothing is owed.
    Sync,
}

impl Job {
    /// Every job.
    pub const ALL: [Self; 3] = [Self::MonitorBacklog, Self::SendMail, Self::Sync];

    /// The job's name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MonitorBacklog => "telemetry_monitor_backlog",
            Self::SendMail => "send_mail",
            Self::Sync => "telemetry_sync",
        }
    }

    /// From one time to the next.
    pub const fn every(self, config: &Config) -> Duration {
        match self {
            Self::MonitorBacklog => Duration::from_mins(15),
            Self::SendMail => Duration::from_mins(1),
            Self::Sync => config.telemetry.sync.every,
        }
    }

    /// Whether it had better be done before it is due.
    pub(super) async fn is_wanted_early(self, app: &App) -> anyhow::Result<bool> {
        match self {
            Self::MonitorBacklog | Self::SendMail => Ok(false),
            Self::Sync => is_backlog_growing(app).await,
        }
    }

    /// Does it once. Told to stop, it ends soon, in good order.
    pub(super) async fn work(self, app: &App, stop: &CancellationToken) -> anyhow::Result<Work> {
        match self {
            Self::MonitorBacklog => log(&monitor::check(app).await?),
            Self::SendMail => drop(mail::deliver(app, stop).await?),
            Self::Sync => return sync(app).await,
        }
        Ok(Work::Done)
    }
}

/// What came of doing a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// It was done.
    Done,
    /// Somebody else was at it, and may not do all of it.
    Hindered,
}

/// Whether half as many events are pending as raise the alarm, so that ordinary traffic does not raise it between two
/// runs. A service with an outage is not asked more often for that.
async fn is_backlog_growing(app: &App) -> anyhow::Result<bool> {
    let config = &app.config.telemetry;
    if !config.has_driver() {
        return Ok(false);
    }
    let conn = &mut *app.pool.get().await.context("No database connection")?;
    let enabled = EnabledDrivers::read(conn).await.context("The drivers cannot be read")?;
    let enabled = enabled.with(&driver::enabled_here(config), app.clock.now());
    for name in enabled.names() {
        if DriverState::read(conn, name).await.context("A driver cannot be looked at")?.outage.is_some() {
            return Ok(false);
        }
    }
    let backlog =
        Backlog::read(conn, &enabled, &config.alert).await.context("The backlog cannot be counted")?;
    Ok(u64::try_from(backlog.events_pending).is_ok_and(|events| events >= config.alert.threshold.div_ceil(2)))
}

/// A run that is told to end with the process does so by itself.
async fn sync(app: &App) -> anyhow::Result<Work> {
    if !app.config.telemetry.has_driver() {
        return Ok(Work::Done);
    }
    match app.sync.start(SyncRequest::SCHEDULED).await {
        Ok(Started::Ended(_)) => Ok(Work::Done),
        Ok(Started::InProgress { run: _, ended }) => {
            ended.await.context("A run of the sync broke down")?;
            Ok(Work::Done)
        }
        Err(StartError::AlreadyRunning) => {
            info!("The sync is not begun on schedule: somebody else's run is under way");
            Ok(Work::Hindered)
        }
        Err(StartError::Failed(Error::Unavailable)) => Ok(Work::Hindered),
        Err(StartError::Failed(Error::Internal(cause))) => Err(cause),
        Err(StartError::Failed(error)) => bail!("{}", error.message(Locale::En)),
    }
}

fn log(checked: &Checked) {
    let events = checked.backlog.events_pending;
    match checked.finding {
        Finding::NothingEnabled | Finding::Calm | Finding::StillAlarmed { .. } => {}
        Finding::Alarmed { people, .. } => {
            warn!(events, people, "{events} events wait to be synced: raised the alarm");
        }
        Finding::Recovered { people } => {
            info!(events, people, "{events} events wait to be synced: ended the alarm");
        }
    }
    for driver in &checked.refusing {
        warn!(
            driver = driver.key(),
            people = checked.told_of_refusing,
            "A service refuses whatever it is sent"
        );
    }
}
