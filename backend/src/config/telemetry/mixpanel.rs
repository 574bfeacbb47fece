//! The settings of Mixpanel.

use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;

use crate::config::kind::{self, Kind};
use crate::config::reader::Reader;

/// The settings of Mixpanel. If it is enabled without its token, the sync reports an error, and the hub
/// starts anyway.
#[derive(Debug)]
pub struct Mixpanel {
    pub enabled: bool,
    pub project_token: Option<SecretString>,
    /// The project's secret, if imports authenticate with one.
    pub api_secret: Option<SecretString>,
    /// A service account, `name:secret`, if imports authenticate with one.
    pub service_account: Option<SecretString>,
    /// The project's ID, required with a service account.
    pub project_id: Option<String>,
    pub base_url: Url,
    pub endpoint: Endpoint,
    pub guests: Guests,
    /// Maximum concurrent requests.
    pub concurrency: usize,
    /// The time limit of a request. It does not depend on the environment, so there is no setting for it.
    pub request_timeout: Duration,
}

/// See [`Mixpanel::request_timeout`].
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The endpoint to send events to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/import` if a secret or a service account is set. Otherwise `/track`, and `/import` for events that
    /// are too old for it.
    Auto,
    /// Only `/track`.
    Track,
    /// Only `/import`.
    Import,
}

/// The `distinct_id` of a guest's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guests {
    /// One per event: `guest-` and the event's ID.
    Spec,
    /// The same as a device ID, for projects with simplified ID merge.
    Device,
    /// An empty ID.
    Empty,
}

impl Mixpanel {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let enabled = reader.setting(
            "MIXPANEL_ENABLED",
            "false",
            kind::boolean(),
            "Whether player events are sent to Mixpanel.",
        );
        let project_token =
            reader.optional("MIXPANEL_PROJECT_TOKEN", kind::secret(), "The token of the Mixpanel project.");
        let api_secret = reader.optional(
            "MIXPANEL_API_SECRET",
            kind::secret(),
            "The secret of the Mixpanel project. Optional; Mixpanel stops accepting it on 2027-03-03.",
        );
        let service_account_kind =
            Kind::new("the name and the secret of a service account, as name:secret", |text| {
                let (name, secret) = text.split_once(':')?;
                (!name.is_empty() && !secret.is_empty()).then(|| SecretString::from(text))
            });
        let service_account = reader.optional(
            "MIXPANEL_SERVICE_ACCOUNT",
            service_account_kind,
            "A service account of the project. Optional.",
        );
        let project_number = Kind::new("the number of a project", |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.to_owned())
        });
        let project_id = reader.optional(
            "MIXPANEL_PROJECT_ID",
            project_number,
            "The project's number. Required with a service account.",
        );
        let region = reader.setting(
            "MIXPANEL_REGION",
            "us",
            kind::one_of(&[
                ("us", "https://api.mixpanel.com"),
                ("eu", "https://api-eu.mixpanel.com"),
                ("in", "https://api-in.mixpanel.com"),
            ]),
            "The region in which the Mixpanel project's data is stored.",
        );
        let base_url = reader.optional(
            "MIXPANEL_BASE_URL",
            kind::secure_url(),
            "Another address for Mixpanel, such as a proxy, instead of the region's.",
        );
        let endpoint = reader.setting(
            "MIXPANEL_ENDPOINT",
            "auto",
            kind::one_of(&[("auto", Endpoint::Auto), ("track", Endpoint::Track), ("import", Endpoint::Import)]),
            "The endpoint to send events to. auto uses /import if a secret or a service account is set, and otherwise /track for recent events.",
        );
        let guests = reader.setting(
            "MIXPANEL_GUEST_MODE",
            "spec",
            kind::one_of(&[("spec", Guests::Spec), ("device", Guests::Device), ("empty", Guests::Empty)]),
            "The distinct_id of a guest: guest-EVENT, the same as a device ID, or empty.",
        );
        let concurrency = reader.setting(
            "MIXPANEL_CONCURRENCY",
            "2",
            kind::number(1..=10),
            "Maximum concurrent requests to Mixpanel.",
        );
        if service_account.is_some() && project_id.is_none() {
            reader.report_error("MIXPANEL_PROJECT_ID", "is required with MIXPANEL_SERVICE_ACCOUNT");
        }
        let base_url =
            base_url.unwrap_or_else(|| Url::parse(region).expect("the addresses of all regions are valid"));
        Self {
            enabled,
            project_token,
            api_secret,
            service_account,
            project_id,
            base_url,
            endpoint,
            guests,
            concurrency,
            request_timeout: REQUEST_TIMEOUT,
        }
    }
}
