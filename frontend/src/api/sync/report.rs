//! What the server tells of the sync. A server that is newer than this app may name more than is known here.

mod reading;

use crate::api::scalars::DateTime;

/// How the sync stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// Events that are still to be sent.
    pub events_pending: u64,
    /// How long the oldest of them waits, in seconds; `None` when none does.
    pub oldest_pending_seconds: Option<f64>,
    /// From how many pending events on there is an alarm.
    pub alert_threshold: u64,
    /// From which age of the oldest event on there is an alarm, in seconds.
    pub alert_age_seconds: f64,
    /// Whether there is one.
    pub backlog_alert: bool,
    /// The services.
    pub drivers: Vec<DriverStatus>,
    /// The run that ended last.
    pub last_run: Option<Run>,
    /// The run that is under way.
    pub running: Option<Run>,
    /// The IANA name of the hub's time zone.
    pub timezone: String,
}

/// Whether a run could send anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It could.
    Ready,
    /// A service that is turned on lacks a setting, and no run begins before that is mended.
    LacksSetting,
    /// No service is turned on.
    Off,
}

/// How it stands with one service.
#[derive(Clone, Debug, PartialEq)]
pub struct DriverStatus {
    /// The service.
    pub driver: Driver,
    /// Whether events are to be sent to it.
    pub enabled: bool,
    /// Whether it has all its settings.
    pub configured: bool,
    /// The setting that it lacks, in words.
    pub problem: Option<String>,
    /// Events that are still to be sent to it.
    pub pending: u64,
    /// Events that it refused for good.
    pub dead: u64,
    /// When it last took one.
    pub last_delivered_at: Option<DateTime>,
}

/// One run of the sync.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Identifies it.
    pub id: String,
    /// How it went, or that it goes on.
    pub state: RunState,
    /// What started it.
    pub trigger: Trigger,
    /// Who started it, where it was somebody.
    pub triggered_by: Option<String>,
    /// When it began.
    pub started_at: DateTime,
    /// When it ended.
    pub finished_at: Option<DateTime>,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<f64>,
    /// How many events it may take at most.
    pub limit: Option<u64>,
    /// Events of which every service has said its last word.
    pub processed: u64,
    /// What each service did.
    pub drivers: Vec<DriverRun>,
    /// What a person should know of it.
    pub message: Option<String>,
}

/// What one service did in a run.
#[derive(Clone, Debug, PartialEq)]
pub struct DriverRun {
    /// The service.
    pub driver: Driver,
    /// Events that it took.
    pub delivered: u64,
    /// Events that are to be tried again later.
    pub retrying: u64,
    /// Events that it refused for good.
    pub dead: u64,
    /// Events that became too old for it.
    pub expired: u64,
}

/// A service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// Google Analytics 4.
    Ga4,
    /// Mixpanel.
    Mixpanel,
    /// One that this version of the app does not know.
    Unknown,
}

/// How a run went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// It is under way.
    Running,
    /// Everything that it took up was delivered.
    Success,
    /// Some of it was not.
    Partial,
    /// It could do nothing.
    Failed,
    /// There was nothing to do.
    Skipped,
    /// A way that this version of the app does not know.
    Unknown,
}

/// What started a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The schedule.
    Schedule,
    /// The command line.
    Command,
    /// Somebody in the Hub or by the API.
    User,
    /// Something that this version of the app does not know.
    Unknown,
}

impl Status {
    /// Whether a run could send anything.
    pub fn readiness(&self) -> Readiness {
        let mut enabled = self.drivers.iter().filter(|driver| driver.enabled).peekable();
        if enabled.peek().is_none() {
            Readiness::Off
        } else if enabled.all(|driver| driver.configured) {
            Readiness::Ready
        } else {
            Readiness::LacksSetting
        }
    }
}

impl Driver {
    /// The services that this version of the app knows.
    pub const KNOWN: [Self; 2] = [Self::Ga4, Self::Mixpanel];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ga4 => "GA4",
            Self::Mixpanel => "Mixpanel",
            Self::Unknown => "…",
        }
    }

    /// The setting that turns it on.
    pub const fn switch(self) -> &'static str {
        match self {
            Self::Ga4 => "GA4_ENABLED",
            Self::Mixpanel => "MIXPANEL_ENABLED",
            Self::Unknown => "…",
        }
    }
}

impl DriverStatus {
    /// The name of the setting that it lacks, taken from what the server says in one language or another.
    pub fn missing_setting(&self) -> Option<&str> {
        let is_name = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
        self.problem.as_deref()?.split(|letter| !is_name(letter)).find(|word| word.contains('_'))
    }
}

impl DriverRun {
    /// Events that this run will not send to the service again.
    pub fn settled(&self) -> u64 {
        self.delivered + self.dead + self.expired
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_missing_setting_is_found_in_what_the_server_says() {
        let mut status = DriverStatus {
            driver: Driver::Mixpanel,
            enabled: true,
            configured: false,
            problem: Some("Falta «MIXPANEL_PROJECT_TOKEN».".to_owned()),
            pending: 0,
            dead: 0,
            last_delivered_at: None,
        };
        assert_eq!(status.missing_setting(), Some("MIXPANEL_PROJECT_TOKEN"));
        status.problem = Some("Algo más.".to_owned());
        assert_eq!(status.missing_setting(), None);
    }
}
