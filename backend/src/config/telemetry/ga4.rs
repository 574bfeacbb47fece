//! The settings of Google Analytics 4.

use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;

use crate::config::kind::{self, Kind};
use crate::config::reader::Reader;

/// The settings of Google Analytics 4. If it is enabled without its identifiers, the sync reports an error,
/// and the hub starts anyway.
#[derive(Debug)]
pub struct Ga4 {
    pub enabled: bool,
    /// The ID of the web stream.
    pub measurement_id: Option<String>,
    /// The Measurement Protocol secret of the web stream.
    pub api_secret: Option<SecretString>,
    pub base_url: Url,
    pub client_ids: ClientIds,
    pub ambiguous: Ambiguous,
    /// Maximum concurrent requests.
    pub concurrency: usize,
    /// The time limit of a request. It does not depend on the environment, so there is no setting for it.
    pub request_timeout: Duration,
}

/// See [`Ga4::request_timeout`].
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The client ID of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientIds {
    /// One client ID per event, `user.event`.
    Spec,
    /// One client ID per viewer.
    Stable,
}

/// What to do about a request without a response, which the service may or may not have processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ambiguous {
    /// Send it once more, and mark its events as possible duplicates.
    Retry,
    /// Assume that it was delivered.
    AssumeDelivered,
}

impl Ga4 {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let enabled = reader.setting(
            "GA4_ENABLED",
            "false",
            kind::boolean(),
            "Whether player events are sent to Google Analytics 4.",
        );
        let stream_id = Kind::new("the ID of a web stream, such as G-ABC1234567", |text| {
            let id = text.strip_prefix("G-")?;
            let is_valid = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
            is_valid.then(|| text.to_owned())
        });
        let measurement_id =
            reader.optional("GA4_MEASUREMENT_ID", stream_id, "The GA4 web stream that receives the events.");
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
            "The region in which GA4 receives events. eu keeps them in the European Union.",
        );
        let base_url = reader.optional(
            "GA4_BASE_URL",
            kind::secure_url(),
            "Another address for GA4, such as a proxy, instead of the region's.",
        );
        let client_ids = reader.setting(
            "GA4_CLIENT_ID_MODE",
            "spec",
            kind::one_of(&[("spec", ClientIds::Spec), ("stable", ClientIds::Stable)]),
            "The client ID of an event: one per event (user.event), or one per viewer.",
        );
        let ambiguous = reader.setting(
            "GA4_AMBIGUOUS",
            "retry",
            kind::one_of(&[
                ("retry", Ambiguous::Retry),
                ("assume_delivered", Ambiguous::AssumeDelivered),
            ]),
            "What to do with an event that was sent without a response: send it once more, or assume that it was delivered.",
        );
        let concurrency = reader.setting(
            "GA4_CONCURRENCY",
            "8",
            kind::number(1..=16),
            "Maximum concurrent requests to GA4.",
        );
        let base_url =
            base_url.unwrap_or_else(|| Url::parse(region).expect("the addresses of all regions are valid"));
        Self {
            enabled,
            measurement_id,
            api_secret,
            base_url,
            client_ids,
            ambiguous,
            concurrency,
            request_timeout: REQUEST_TIMEOUT,
        }
    }
}
