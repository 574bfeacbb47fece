//! Where telemetry goes, and when a backlog raises the alarm.

mod ga4;
mod mixpanel;

use std::time::Duration;

use super::kind;
use super::reader::Reader;
pub use ga4::{Ambiguous, ClientIds, Ga4};
pub use mixpanel::{Endpoint, Guests, Mixpanel};

/// The drivers and the backlog alarm.
#[derive(Debug)]
pub struct Telemetry {
    /// Google Analytics 4.
    pub ga4: Ga4,
    /// Mixpanel.
    pub mixpanel: Mixpanel,
    /// Runs of the sync.
    pub sync: Sync,
    /// The backlog alarm.
    pub alert: Alert,
}

/// Runs of the sync.
#[derive(Debug)]
pub struct Sync {
    /// How long a run waits for a service that pauses, or for an event that is soon to be tried again.
    pub max_wait: Duration,
    /// From one scheduled run to the next.
    pub every: Duration,
}

/// When a backlog raises the alarm.
#[derive(Debug)]
pub struct Alert {
    /// At this many unsynced events.
    pub threshold: u64,
    /// When an unsynced event has waited for so long since it reached the hub.
    pub age: Duration,
    /// The least time between two alarms.
    pub cooldown: Duration,
}

impl Telemetry {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let (ga4, mixpanel) = (Ga4::read(reader), Mixpanel::read(reader));
        Self { ga4, mixpanel, sync: Sync::read(reader), alert: Alert::read(reader) }
    }

    /// Whether events are sent anywhere.
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
                "How many seconds a run waits for a service that asks for a pause; twelve times as long when it goes on until nothing is owed.",
            ),
            every: reader.setting(
                "TELEMETRY_SYNC_MINUTES",
                "60",
                kind::minutes(1..=1_440),
                "The minutes from one scheduled run of the sync to the next. One also starts when half of TELEMETRY_ALERT_THRESHOLD is pending.",
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
                "The number of unsynced events that raises the alarm.",
            ),
            age: reader.setting(
                "TELEMETRY_ALERT_AGE_MINUTES",
                "180",
                kind::minutes(1..=525_600),
                "The minutes that an unsynced event may wait, counted from when it reached the hub, before the alarm is raised.",
            ),
            cooldown: reader.setting(
                "TELEMETRY_ALERT_COOLDOWN_MINUTES",
                "60",
                kind::minutes(1..=525_600),
                "The least number of minutes between two alarms.",
            ),
        }
    }
}
