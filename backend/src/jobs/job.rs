//! What is on the schedule: each job's name, how often it is done, and what is done.

use std::time::Duration;

use anyhow::{Context as _, bail};
use domain::Locale;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::app::App;
use crate::error::Error;
use crate::mail;
use crate::telemetry::monitor::{self, Checked, Finding};
use crate::telemetry::sync::{Begun, NotBegun, Order};

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
    pub const fn every(self) -> Duration {
        match self {
            Self::MonitorBacklog => Duration::from_mins(15),
            Self::SendMail => Duration::from_mins(1),
            Self::Sync => Duration::from_hours(1),
        }
    }

    /// Does it once. Told to stop, it ends soon, in good order.
    pub(super) async fn work(self, app: &App, stop: &CancellationToken) -> anyhow::Result<()> {
        match self {
            Self::MonitorBacklog => monitor::check(app).await.map(|checked| log(&checked)),
            Self::SendMail => mail::deliver(app, stop).await.map(drop),
            Self::Sync => sync(app).await,
        }
    }
}

/// A run that is told to end with the process does so by itself.
async fn sync(app: &App) -> anyhow::Result<()> {
    if !app.config.telemetry.has_driver() {
        return Ok(());
    }
    match app.sync.begin(Order::SCHEDULED).await {
        Ok(Begun::Over(_)) => Ok(()),
        Ok(Begun::UnderWay { run: _, ended }) => ended.await.context("A run of the sync broke down"),
        Err(NotBegun::AlreadyRunning) => {
            info!("The sync is not begun on schedule: somebody else's run is under way");
            Ok(())
        }
        Err(NotBegun::Failed(Error::Internal(cause))) => Err(cause),
        Err(NotBegun::Failed(error)) => bail!("{}", error.message(Locale::En)),
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
