//! Mixpanel.

use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;

use crate::config::kind::{self, Kind};
use crate::config::reader::Reader;

/// Mixpanel. Enabled without its token is an error of the sync, not of the start.
#[derive(Debug)]
pub struct Mixpanel {
    /// Whether events are sent there.
    pub enabled: bool,
    /// The project's token.
    pub project_token: Option<SecretString>,
    /// The project's secret, where imports use one.
    pub api_secret: Option<SecretString>,
    /// A service account, `name:secret`, where imports use one.
    pub service_account: Option<SecretString>,
    /// The project's id, which goes with a service account.
    pub project_id: Option<String>,
    /// Where it is.
    pub base_url: Url,
    /// Which way in is used.
    pub endpoint: Endpoint,
    /// Who a guest is.
    pub guests: Guests,
    /// Requests at once.
    pub concurrency: usize,
    /// How long a request may take; the same wherever the hub runs, so nothing sets it from outside.
    pub answer_within: Duration,
}

/// See [`Mixpanel::answer_within`].
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Which way in is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/import` where a secret or a service account is there; else `/track`, and `/import` for what is too old for it.
    Auto,
    /// `/track` only.
    Track,
    /// `/import` only.
    Import,
}

/// Who a guest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guests {
    /// Each event's own: `guest-` and its id.
    Spec,
    /// The same as a device, for projects with the simplified merge of ids.
    Device,
    /// Nobody.
    Empty,
}

impl Mixpanel {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let enabled = reader.setting(
            "MIXPANEL_ENABLED",
            "false",
            kind::yes_or_no(),
            "Whether player events are sent to Mixpanel.",
        );
        let project_token =
            reader.optional("MIXPANEL_PROJECT_TOKEN", kind::secret(), "The token of the Mixpanel project.");
        let api_secret = reader.optional(
            "MIXPANEL_API_SECRET",
            kind::secret(),
            "The secret of the Mixpanel project; not needed, and not accepted by Mixpanel from 2027-03-03 on.",
        );
        let account = Kind::new("the name and the secret of a service account, as name:secret", |text| {
            let (name, secret) = text.split_once(':')?;
            (!name.is_empty() && !secret.is_empty()).then(|| SecretString::from(text))
        });
        let service_account = reader.optional(
            "MIXPANEL_SERVICE_ACCOUNT",
            account,
            "A service account of the project; not needed.",
        );
        let digits = Kind::new("the number of a project", |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.to_owned())
        });
        let project_id = reader.optional(
            "MIXPANEL_PROJECT_ID",
            digits,
            "The project's number, which goes with a service account.",
        );
        let region = reader.setting(
            "MIXPANEL_REGION",
            "us",
            kind::one_of(&[
                ("us", "https://api.mixpanel.com"),
                ("eu", "https://api-eu.mixpanel.com"),
                ("in", "https://api-in.mixpanel.com"),
            ]),
            "Where the Mixpanel project's data lives.",
        );
        let base_url = reader.optional(
            "MIXPANEL_BASE_URL",
            kind::secure_address(),
            "Another address for Mixpanel, such as a proxy's, in place of the region's.",
        );
        let endpoint = reader.setting(
            "MIXPANEL_ENDPOINT",
            "auto",
            kind::one_of(&[("auto", Endpoint::Auto), ("track", Endpoint::Track), ("import", Endpoint::Import)]),
            "Which way in is used; auto imports where a secret or a service account is set, and else tracks what is recent.",
        );
        let guests = reader.setting(
            "MIXPANEL_GUEST_MODE",
            "spec",
            kind::one_of(&[("spec", Guests::Spec), ("device", Guests::Device), ("empty", Guests::Empty)]),
            "Who a guest is: guest-EVENT, the same as a device, or nobody.",
        );
        let concurrency = reader.setting(
            "MIXPANEL_CONCURRENCY",
            "2",
            kind::number(1..=10),
            "Requests to Mixpanel at once.",
        );
        if service_account.is_some() && project_id.is_none() {
            reader.refuse("MIXPANEL_PROJECT_ID", "is needed beside MIXPANEL_SERVICE_ACCOUNT");
        }
        let base_url = base_url.unwrap_or_else(|| Url::parse(region).expect("regions have addresses"));
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
            answer_within: ANSWER_WITHIN,
        }
    }
}
