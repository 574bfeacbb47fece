//! What is on the schedule: each job's name, how often it is done, and what is done.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::app::App;
use crate::mail;
use crate::telemetry::monitor::{self, Checked, Finding};

/// Something that one process at a time does again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Look at the events that wait to be synced, and tell people when there is cause for alarm.
    MonitorBacklog,
    /// Send the mail that is due.
    SendMail,
}

impl Job {
    /// Every job.
    pub const ALL: [Self; 2] = [Self::MonitorBacklog, Self::SendMail];

    /// The job's name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MonitorBacklog => "telemetry_monitor_backlog",
            Self::SendMail => "send_mail",
        }
    }

    /// From one time to the next.
    pub const fn every(self) -> Duration {
        match self {
            Self::MonitorBacklog => Duration::from_mins(15),
            Self::SendMail => Duration::from_mins(1),
        }
    }

    /// Does it once. Told to stop, it ends soon, in good order.
    pub(super) async fn work(self, app: &App, stop: &CancellationToken) -> anyhow::Result<()> {
        match self {
            Self::MonitorBacklog => monitor::check(app).await.map(|checked| log(&checked)),
            Self::SendMail => mail::deliver(app, stop).await.map(drop),
        }
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
}
