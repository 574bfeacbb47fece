//! Google Analytics 4.

use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;

use crate::config::kind::{self, Kind};
use crate::config::reader::Reader;

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
    /// Who events are said to come from.
    pub client_ids: ClientIds,
    /// What is done about a request that was not answered.
    pub ambiguous: Ambiguous,
    /// Requests at once.
    pub concurrency: usize,
    /// How long a request may take; the same wherever the hub runs, so nothing sets it from outside.
    pub answer_within: Duration,
}

/// See [`Ga4::answer_within`].
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Who events are said to come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientIds {
    /// Each event from a client of its own, `user.event`.
    Spec,
    /// All of a viewer's events from one client.
    Stable,
}

/// What is done about a request that was not answered, so that nobody knows whether the service has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ambiguous {
    /// It is sent once more, and marked as perhaps doubled.
    Retry,
    /// It is taken for delivered.
    AssumeDelivered,
}

impl Ga4 {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let enabled = reader.setting(
            "GA4_ENABLED",
            "false",
            kind::yes_or_no(),
            "Whether player events are sent to Google Analytics 4.",
        );
        let stream = Kind::new("the id of a web stream, such as G-ABC1234567", |text| {
            let id = text.strip_prefix("G-")?;
            let fine = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
            fine.then(|| text.to_owned())
        });
        let measurement_id =
            reader.optional("GA4_MEASUREMENT_ID", stream, "The GA4 web stream that gets the events.");
        let api_secret = reader.optional(
            "GA4_API_SECRET",
            kind::secret(),
            "The Measurement Protocol secret of that stream.",
        );
        let region = reader.setting(
            "GA4_REGION",
            "global",
            kind::one_of(&[
                ("global", "https://www.google-analytics.com"),
                ("eu", "https://region1.google-analytics.com"),
            ]),
            "Where GA4 takes the events in; eu keeps them in the European Union.",
        );
        let base_url = reader.optional(
            "GA4_BASE_URL",
            kind::secure_address(),
            "Another address for GA4, such as a proxy's, in place of the region's.",
        );
        let client_ids = reader.setting(
            "GA4_CLIENT_ID_MODE",
            "spec",
            kind::one_of(&[("spec", ClientIds::Spec), ("stable", ClientIds::Stable)]),
            "Who events come from: a client for each event (user.event), or one for each viewer.",
        );
        let ambiguous = reader.setting(
            "GA4_AMBIGUOUS",
            "retry",
            kind::one_of(&[
                ("retry", Ambiguous::Retry),
                ("assume_delivered", Ambiguous::AssumeDelivered),
            ]),
            "What is done about an event that was sent and not answered: it is sent once more, or counts as delivered.",
        );
        let concurrency =
            reader.setting("GA4_CONCURRENCY", "8", kind::number(1..=16), "Requests to GA4 at once.");
        let base_url = base_url.unwrap_or_else(|| Url::parse(region).expect("regions have addresses"));
        Self {
            enabled,
            measurement_id,
            api_secret,
            base_url,
            client_ids,
            ambiguous,
            concurrency,
            answer_within: ANSWER_WITHIN,
        }
    }
}
