//! The scheduled jobs: the name, the interval and the work of each.

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
use crate::practices::attendance::{self, Report};
use crate::telemetry::backlog::Backlog;
use crate::telemetry::delivery::{StartError, Started, SyncRequest};
use crate::telemetry::driver;
use crate::telemetry::monitor::{self, Checked, Finding};

/// Practices whose attendance is recorded before the job looks whether it should stop.
const PRACTICES_PER_RUN: i64 = 1_000;

/// A recurring job that runs in one process at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Checks the pending events, and sends alerts if a limit is reached.
    MonitorBacklog,
    /// Sends the mails that are due.
    SendMail,
    /// Sends player events to the analytics services until none are pending.
    Sync,
    /// Records the attendance of practices that have ended.
    SyncAttendance,
}

impl Job {
    /// Every job.
    pub const ALL: [Self; 4] = [Self::MonitorBacklog, Self::SendMail, Self::Sync, Self::SyncAttendance];

    /// The job's name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MonitorBacklog => "telemetry_monitor_backlog",
            Self::SendMail => "send_mail",
            Self::Sync => "telemetry_sync",
            Self::SyncAttendance => "practices_sync_attendance",
        }
    }

    /// The time from one run to the next.
    pub const fn interval(self, config: &Config) -> Duration {
        match self {
            Self::MonitorBacklog => Duration::from_mins(15),
            Self::SendMail => Duration::from_mins(1),
            Self::Sync => config.telemetry.sync.interval,
            Self::SyncAttendance => Duration::from_mins(30),
        }
    }

    /// Whether the job should run before it is due.
    pub(super) async fn should_run_early(self, app: &App) -> anyhow::Result<bool> {
        match self {
            Self::MonitorBacklog | Self::SendMail | Self::SyncAttendance => Ok(false),
            Self::Sync => is_backlog_growing(app).await,
        }
    }

    /// Runs the job once. If `stop` is cancelled, the job finishes soon and cleanly.
    pub(super) async fn run(self, app: &App, stop: &CancellationToken) -> anyhow::Result<JobOutcome> {
        match self {
            Self::MonitorBacklog => log(&monitor::check(app).await?),
            Self::SendMail => drop(mail::deliver(app, stop).await?),
            Self::Sync => return sync(app).await,
            Self::SyncAttendance => sync_attendance(app, stop).await?,
        }
        Ok(JobOutcome::Done)
    }
}

/// The result of running a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JobOutcome {
    /// The job is done.
    Done,
    /// Another process is doing the job, perhaps not completely, so it should be retried soon.
    Deferred,
}

/// Whether half as many events are pending as raise the alarm. An early run then keeps ordinary traffic from
/// raising it between two scheduled runs. While a service has an outage, there are no early runs.
async fn is_backlog_growing(app: &App) -> anyhow::Result<bool> {
    let config = &app.config.telemetry;
    if !config.has_driver() {
        return Ok(false);
    }
    let conn = &mut *app.pool.get().await.context("Failed to get a database connection")?;
    let enabled = EnabledDrivers::read(conn).await.context("Failed to read the drivers")?;
    let enabled = enabled.with(&driver::enabled_names(config), app.clock.now());
    for name in enabled.names() {
        if DriverState::read(conn, name).await.context("Failed to read a driver's state")?.outage.is_some() {
            return Ok(false);
        }
    }
    let backlog =
        Backlog::read(conn, &enabled, &config.alert).await.context("Failed to count the backlog")?;
    Ok(u64::try_from(backlog.events_pending).is_ok_and(|events| events >= config.alert.threshold.div_ceil(2)))
}

/// Takes no `stop` token, because a run ends by itself when the process shuts down.
async fn sync(app: &App) -> anyhow::Result<JobOutcome> {
    if !app.config.telemetry.has_driver() {
        return Ok(JobOutcome::Done);
    }
    match app.sync.start(SyncRequest::SCHEDULED).await {
        Ok(Started::Ended(_)) => Ok(JobOutcome::Done),
        Ok(Started::InProgress { run: _, ended }) => {
            ended.await.context("A sync run crashed")?;
            Ok(JobOutcome::Done)
        }
        Err(StartError::AlreadyRunning) => {
            info!("The scheduled sync is deferred because another run is in progress");
            Ok(JobOutcome::Deferred)
        }
        Err(StartError::Failed(Error::Unavailable)) => Ok(JobOutcome::Deferred),
        Err(StartError::Failed(Error::Internal(cause))) => Err(cause),
        Err(StartError::Failed(error)) => bail!("{}", error.message().in_locale(Locale::En)),
    }
}

/// Records attendance until none is due.
async fn sync_attendance(app: &App, stop: &CancellationToken) -> anyhow::Result<()> {
    while !stop.is_cancelled() {
        let Report { practices, attended, cancelled, late, remaining } =
            attendance::record(app, PRACTICES_PER_RUN).await?;
        if practices == 0 {
            break;
        }
        info!(practices, attended, cancelled, late, remaining, "Recorded the attendance of practices");
    }
    Ok(())
}

fn log(checked: &Checked) {
    let events = checked.backlog.events_pending;
    match checked.finding {
        Finding::NothingEnabled | Finding::Healthy | Finding::StillAlarmed { .. } => {}
        Finding::Alarmed { people, .. } => {
            warn!(events, people, "Raised the backlog alarm: {events} events are pending");
        }
        Finding::Recovered { people } => {
            info!(events, people, "Resolved the backlog alarm: {events} events are pending");
        }
    }
    for driver in &checked.refusing {
        warn!(driver = driver.key(), people = checked.notified_of_refusing, "A service rejects every event");
    }
}
