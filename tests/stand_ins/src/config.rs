//! The configuration of the stand-ins: credentials, limits, and switches for behavior that the vendors do not
//! document.

use serde::{Deserialize, Serialize};

/// The measurement id that is valid by default.
pub const MEASUREMENT_ID: &str = "G-STANDIN001";
/// The API secret of [`MEASUREMENT_ID`].
pub const API_SECRET: &str = "standin-ga4-secret";
/// The Mixpanel project token that is valid by default.
pub const PROJECT_TOKEN: &str = "standin0mixpanel0token";
/// The API secret of the same project.
pub const PROJECT_SECRET: &str = "standin0mixpanel0secret";
/// The id of the same project. Requests of a service account must contain it.
pub const PROJECT_ID: &str = "2718281";

/// The configuration of all stand-ins.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub ga4: Ga4Config,
    pub mixpanel: MixpanelConfig,
    /// How many requests the journal keeps. Requests are counted in any case.
    pub journal: Keep,
    /// How many events each store keeps. Events are counted in any case.
    pub stored: Keep,
}

/// How many received items are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// All.
    #[default]
    All,
    /// At most this number, the latest.
    Last(usize),
    /// None, for benchmarks.
    Nothing,
}

/// The configuration of GA4.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ga4Config {
    /// The streams that store events. Events of other streams get the same response and are dropped.
    pub streams: Vec<Ga4Stream>,
    /// A body with at least this number of bytes is dropped. Source: the limits of the Measurement Protocol,
    /// "smaller than 130kB". Assumption: the response is 204 all the same.
    pub body_limit: usize,
    /// The response of `/mp/collect`.
    pub collect_answer: CollectAnswer,
    /// The status for methods other than POST, 405 or 204. It is not documented.
    pub other_method_status: u16,
}

impl Default for Ga4Config {
    fn default() -> Self {
        let stream = Ga4Stream { id: MEASUREMENT_ID.to_owned(), api_secret: API_SECRET.to_owned() };
        Self {
            streams: vec![stream],
            body_limit: 130_000,
            collect_answer: CollectAnswer::NoContent,
            other_method_status: 405,
        }
    }
}

/// A data stream with its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ga4Stream {
    /// The `measurement_id` of a web stream or the `firebase_app_id` of an app stream.
    pub id: String,
    /// Case-sensitive.
    pub api_secret: String,
}

/// The success response of `/mp/collect`. GA4 documents any 2xx and sends 204 without a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CollectAnswer {
    /// 204 without a body.
    #[default]
    NoContent,
    /// 200 without a body.
    Ok,
    /// 204 with a body, which HTTP does not allow.
    NoContentWithBody,
}

/// The configuration of Mixpanel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MixpanelConfig {
    pub projects: Vec<Project>,
    /// Whether `/import` accepts project secrets. Source: Mixpanel's "Project secret" reference, according to
    /// which they are disabled on 2027-03-03.
    pub secrets: Secrets,
    /// Maximum size of a body before compression, in bytes. It is 2 MiB in the documented sample of a 413,
    /// and 10 MB in the reference.
    pub body_limit: usize,
    /// Maximum number of events in a request.
    pub event_limit: usize,
    /// The status for more events than that, 413 or 400. It is not documented.
    pub too_many_events_status: u16,
    /// The response of `/import` to an empty list. It is not documented.
    pub empty_import: EmptyImport,
    /// The name of the key with the id of a failed record.
    pub insert_id_key: InsertIdKey,
    /// Maximum number of events per `distinct_id` and day. Further events lose their name and user.
    pub hot_shard_threshold: u64,
}

impl Default for MixpanelConfig {
    fn default() -> Self {
        let project = Project {
            id: PROJECT_ID.to_owned(),
            token: PROJECT_TOKEN.to_owned(),
            api_secret: PROJECT_SECRET.to_owned(),
            service_accounts: vec![ServiceAccount {
                username: "standin.service-account".to_owned(),
                secret: "standin0service0account0secret".to_owned(),
            }],
        };
        Self {
            projects: vec![project],
            secrets: Secrets::Accepted,
            body_limit: 2_097_152,
            event_limit: 2_000,
            too_many_events_status: 413,
            empty_import: EmptyImport::Imported,
            insert_id_key: InsertIdKey::InsertId,
            hot_shard_threshold: 200_000,
        }
    }
}

/// A Mixpanel project with its credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// The `project_id` that requests of a service account must contain.
    pub id: String,
    pub token: String,
    /// The project's (API) secret.
    pub api_secret: String,
    #[serde(default)]
    pub service_accounts: Vec<ServiceAccount>,
}

/// A username and a secret for Basic authentication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccount {
    pub username: String,
    pub secret: String,
}

/// Whether project secrets are accepted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Secrets {
    /// As before 2027-03-03.
    #[default]
    Accepted,
    /// As from 2027-03-03 on.
    SwitchedOff,
}

/// The response of `/import` to an empty list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmptyImport {
    /// A 200 with a count of zero.
    #[default]
    Imported,
    /// A 400 with the error that Mixpanel's add-on for Google Sheets expects when it tests credentials.
    Refused,
}

/// The two spellings of the id's key in `failed_records`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum InsertIdKey {
    /// As in the OpenAPI description and the Go library.
    #[default]
    #[serde(rename = "insert_id")]
    InsertId,
    /// As on the page "Import events".
    #[serde(rename = "$insert_id")]
    DollarInsertId,
}

impl InsertIdKey {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::InsertId => "insert_id",
            Self::DollarInsertId => "$insert_id",
        }
    }

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::InsertId => Self::DollarInsertId,
            Self::DollarInsertId => Self::InsertId,
        }
    }
}
