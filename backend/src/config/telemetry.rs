//! Where telemetry goes, and when a backlog raises the alarm.

use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;

use super::kind::{self, Kind};
use super::reader::Reader;

/// The drivers and the backlog alarm.
#[derive(Debug)]
pub struct Telemetry {
    /// Google Analytics 4.
    pub ga4: Ga4,
    /// Mixpanel.
    pub mixpanel: Mixpanel,
    /// The backlog alarm.
    pub alert: Alert,
}

/// Google Analytics 4. Enabled without its identifiers is an error of the sync, not of the start.
#[derive(Debug)]
pub struct Ga4 {
    /// Whether events are sent there.
    pub enabled: bool,
    /// The web stream's id.
    pub measurement_id: Option<String>,
    /// The web stream's secret.
    pub api_secret: Option<SecretString>,
    /// Where it is.
    pub base_url: Url,
}

/// Mixpanel. Enabled without its token is an error of the sync, not of the start.
#[derive(Debug)]
pub struct Mixpanel {
    /// Whether events are sent there.
    pub enabled: bool,
    /// The project's token.
    pub project_token: Option<SecretString>,
    /// The project's secret, where imports use one.
    pub api_secret: Option<SecretString>,
    /// Where it is.
    pub base_url: Url,
}

/// When a backlog raises the alarm.
#[derive(Debug)]
pub struct Alert {
    /// At this many unsynced events.
    pub threshold: u64,
    /// When the oldest unsynced event is this old.
    pub age: Duration,
    /// The least time between two alarms.
    pub cooldown: Duration,
}

impl Telemetry {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self { ga4: Ga4::read(reader), mixpanel: Mixpanel::read(reader), alert: Alert::read(reader) }
    }

    /// Whether events are sent anywhere.
    pub fn has_driver(&self) -> bool {
        self.ga4.enabled || self.mixpanel.enabled
    }
}

impl Ga4 {
    fn read(reader: &mut Reader) -> Self {
        Self {
            enabled: reader.setting(
                "GA4_ENABLED",
                "false",
                kind::yes_or_no(),
                "Whether player events are sent to Google Analytics 4.",
            ),
            measurement_id: reader.optional(
                "GA4_MEASUREMENT_ID",
                Kind::new("the id of a web stream, such as G-ABC1234567", |text| {
                    let id = text.strip_prefix("G-")?;
                    (!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
                        .then(|| text.to_owned())
                }),
                "The GA4 web stream that gets the events.",
            ),
            api_secret: reader.optional(
                "GA4_API_SECRET",
                kind::secret(),
                "The Measurement Protocol secret of that stream.",
            ),
            base_url: reader.setting(
                "GA4_BASE_URL",
                "https://www.google-analytics.com",
                kind::secure_address(),
                "Where GA4 is; https://region1.google-analytics.com keeps data in the European Union.",
            ),
        }
    }
}

impl Mixpanel {
    fn read(reader: &mut Reader) -> Self {
        Self {
            enabled: reader.setting("MIXPANEL_ENABLED", "false", kind::yes_or_no(), "Whether player events are sent to Mixpanel."),
            project_token: reader.optional("MIXPANEL_PROJECT_TOKEN", kind::secret(), "The token of the Mixpanel project."),
            api_secret: reader.optional("MIXPANEL_API_SECRET", kind::secret(), "The secret of the Mixpanel project; not needed."),
            base_url: reader.setting(
                "MIXPANEL_BASE_URL",
                "https://api.mixpanel.com",
                kind::secure_address(),
                "Where Mixpanel is; https://api-eu.mixpanel.com and https://api-in.mixpanel.com are its other regions.",
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
                "The age in minutes of the oldest unsynced event that raises the alarm.",
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
