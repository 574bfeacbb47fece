//! The settings of telemetry: the drivers, the sync and the backlog alert.

mod ga4;
mod mixpanel;

use std::time::Duration;

use super::kind;
use super::reader::Reader;
pub use ga4::{Ambiguous, ClientIds, Ga4};
pub use mixpanel::{Endpoint, Guests, Mixpanel};

/// The settings of telemetry.
#[derive(Debug)]
pub struct Telemetry {
    pub ga4: Ga4,
    pub mixpanel: Mixpanel,
    pub sync: Sync,
    pub alert: Alert,
}

/// The settings of sync runs.
#[derive(Debug)]
pub struct Sync {
    /// How long a run waits for a service that asked for a pause, or for the next retry.
    pub max_wait: Duration,
    /// The time between scheduled runs.
    pub interval: Duration,
}

/// When an alert about the backlog is sent.
#[derive(Debug)]
pub struct Alert {
    /// The number of unsynced events.
    pub threshold: u64,
    /// The age of an unsynced event, since it reached the hub.
    pub max_age: Duration,
    /// The minimum time between two alerts.
    pub cooldown: Duration,
}

impl Telemetry {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let (ga4, mixpanel) = (Ga4::read(reader), Mixpanel::read(reader));
        Self { ga4, mixpanel, sync: Sync::read(reader), alert: Alert::read(reader) }
    }

    /// Whether any driver is enabled.
    pub fn has_driver(&self) -> bool {
        self.ga4.enabled || self.mixpanel.enabled
    }
}

impl Sync {
    fn read(reader: &mut Reader) -> Self {
        Self {
            max_wait: reader.setting(
                "TELEMETRY_SYNC_PATIENCE_SECONDS",
                "10",
                kind::seconds(0..=600),
                "How many seconds a run waits for a service that asks for a pause; twelve times as long in a run that continues until nothing is pending.",
            ),
            interval: reader.setting(
                "TELEMETRY_SYNC_MINUTES",
                "60",
                kind::minutes(1..=1_440),
                "Minutes between scheduled sync runs. A run also starts when half of TELEMETRY_ALERT_THRESHOLD is pending.",
            ),
        }
    }
}

impl Alert {
    fn read(reader: &mut Reader) -> Self {
        Self {
            threshold: reader.setting(
                "TELEMETRY_ALERT_THRESHOLD",
                "4000",
                kind::number(1..=1_000_000_000),
                "The number of unsynced events at which an alert is sent.",
            ),
            max_age: reader.setting(
                "TELEMETRY_ALERT_AGE_MINUTES",
                "180",
                kind::minutes(1..=525_600),
                "The age in minutes of an unsynced event, since it reached the hub, at which an alert is sent.",
            ),
            cooldown: reader.setting(
                "TELEMETRY_ALERT_COOLDOWN_MINUTES",
                "60",
                kind::minutes(1..=525_600),
                "Minimum number of minutes between two alerts.",
            ),
        }
    }
}
