//! The sync's status and runs as the server reports them. A newer server may send enum values unknown here.

mod reading;

use crate::api::scalars::DateTime;

/// The sync's status.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    pub events_pending: u64,
    /// The age of the oldest pending event, in seconds. `None` if no event is pending.
    pub oldest_pending_seconds: Option<f64>,
    /// The number of pending events that triggers the backlog alert.
    pub alert_threshold: u64,
    /// The age of the oldest pending event that triggers the backlog alert, in seconds.
    pub alert_age_seconds: f64,
    pub backlog_alert: bool,
    pub drivers: Vec<DriverStatus>,
    /// The run that finished last.
    pub last_run: Option<Run>,
    /// The run in progress.
    pub running: Option<Run>,
    /// The IANA name of the hub's time zone.
    pub timezone: String,
}

/// Whether a run could send events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// At least one driver is enabled, and every enabled driver is configured.
    Ready,
    /// A required setting of an enabled driver is missing. No run starts until it is set.
    SettingMissing,
    /// No driver is enabled.
    Off,
}

/// The status of one driver.
#[derive(Clone, Debug, PartialEq)]
pub struct DriverStatus {
    pub driver: Driver,
    pub enabled: bool,
    /// Whether all required settings are set.
    pub configured: bool,
    /// The name of the missing setting.
    pub missing_setting: Option<String>,
    /// The server's message about why nothing is sent.
    pub problem: Option<String>,
    pub pending: u64,
    /// Events that the service rejected for good.
    pub dead: u64,
    pub last_delivered_at: Option<DateTime>,
}

/// A run of the sync.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub id: String,
    pub state: RunState,
    pub trigger: Trigger,
    /// The name of the user who started it, if a user did.
    pub triggered_by: Option<String>,
    pub started_at: DateTime,
    pub finished_at: Option<DateTime>,
    pub duration_ms: Option<f64>,
    /// Maximum number of events that it sends.
    pub limit: Option<u64>,
    /// Events with a final outcome at every driver.
    pub processed: u64,
    pub drivers: Vec<DriverRun>,
    /// The server's summary for users.
    pub message: Option<String>,
}

/// The counts of one driver in a run.
#[derive(Clone, Debug, PartialEq)]
pub struct DriverRun {
    pub driver: Driver,
    pub delivered: u64,
    /// Events that will be retried later.
    pub retrying: u64,
    /// Events that the service rejected for good.
    pub dead: u64,
    /// Events that became too old for the service.
    pub expired: u64,
}

/// An analytics service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// Google Analytics 4.
    Ga4,
    /// Mixpanel.
    Mixpanel,
    /// A service unknown to this version of the app.
    Unknown,
}

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// In progress.
    Running,
    /// All fetched events were delivered.
    Success,
    /// Some events were not delivered.
    Partial,
    /// Nothing could be sent.
    Failed,
    /// There was nothing to send.
    Skipped,
    /// A state unknown to this version of the app.
    Unknown,
}

/// What started a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The schedule.
    Schedule,
    /// The command line.
    Command,
    /// A user, in the Hub or through the API.
    User,
    /// A trigger unknown to this version of the app.
    Unknown,
}

impl Status {
    /// Whether a run could send events.
    pub fn readiness(&self) -> Readiness {
        let mut enabled = self.drivers.iter().filter(|driver| driver.enabled).peekable();
        if enabled.peek().is_none() {
            Readiness::Off
        } else if enabled.all(|driver| driver.configured) {
            Readiness::Ready
        } else {
            Readiness::SettingMissing
        }
    }
}

impl Driver {
    /// The services known to this version of the app.
    pub const KNOWN: [Self; 2] = [Self::Ga4, Self::Mixpanel];

    /// The service's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ga4 => "GA4",
            Self::Mixpanel => "Mixpanel",
            Self::Unknown => "…",
        }
    }

    /// The setting that enables it.
    pub const fn enable_setting(self) -> &'static str {
        match self {
            Self::Ga4 => "GA4_ENABLED",
            Self::Mixpanel => "MIXPANEL_ENABLED",
            Self::Unknown => "…",
        }
    }
}

impl DriverRun {
    /// Events with a final outcome: delivered, dead or expired.
    pub fn finished(&self) -> u64 {
        self.delivered + self.dead + self.expired
    }
}
