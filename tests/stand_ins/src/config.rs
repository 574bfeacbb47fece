//! What the stand-ins hold to be true, and the switches for what the vendors document nowhere.

use serde::{Deserialize, Serialize};

/// The measurement id that is valid unless told otherwise.
pub const MEASUREMENT_ID: &str = "G-STANDIN001";
/// The API secret that belongs to [`MEASUREMENT_ID`].
pub const API_SECRET: &str = "standin-ga4-secret";
/// The Mixpanel project token that is valid unless told otherwise.
pub const PROJECT_TOKEN: &str = "standin0mixpanel0token";
/// The API secret of the same project.
pub const PROJECT_SECRET: &str = "standin0mixpanel0secret";
/// The id of the same project, which a service account must name.
pub const PROJECT_ID: &str = "2718281";

/// Everything that can be set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Of GA4.
    pub ga4: Ga4Config,
    /// Of Mixpanel.
    pub mixpanel: MixpanelConfig,
    /// How many requests the journal keeps; they are counted in any case.
    pub journal: Keep,
    /// How many events the stores keep; they are counted in any case.
    pub stored: Keep,
}

/// How much is kept of what comes in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// All.
    #[default]
    All,
    /// The last so many.
    Last(usize),
    /// None, as a benchmark wants it.
    Nothing,
}

/// GA4's side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ga4Config {
    /// The streams whose events are stored; those of any other are answered alike and dropped.
    pub streams: Vec<Ga4Stream>,
    /// A body of this many bytes or more is dropped. Source: the limits of the Measurement Protocol, "smaller than
    /// 130kB"; that 204 answers it anyway is an assumption.
    pub body_limit: usize,
    /// What answers a `/mp/collect` that was received.
    pub collect_answer: CollectAnswer,
    /// The status that answers another method than POST, which is documented nowhere: 405 or 204.
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

/// A data stream and its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ga4Stream {
    /// A web stream's `measurement_id` or an app stream's `firebase_app_id`.
    pub id: String,
    /// The secret, which is case-sensitive.
    pub api_secret: String,
}

/// The shape of the 2xx of `/mp/collect`: seen is 204 without a body, promised is any 2xx.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CollectAnswer {
    /// 204 and nothing.
    #[default]
    NoContent,
    /// 200 and nothing.
    Ok,
    /// 204 with a body all the same, which no server should send.
    NoContentWithBody,
}

/// Mixpanel's side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MixpanelConfig {
    /// The projects there are.
    pub projects: Vec<Project>,
    /// Whether a project's secret still opens `/import`. Source: Mixpanel's "Project secret" reference, which switches
    /// them off on 2027-03-03.
    pub secrets: Secrets,
    /// The greatest body, uncompressed: 2 MiB in the documented sample of a 413, 10 MB in the reference.
    pub body_limit: usize,
    /// The most events in one request.
    pub event_limit: usize,
    /// The status that answers more events than that, which is documented nowhere: 413 or 400.
    pub too_many_events_status: u16,
    /// What answers a list of no events at `/import`, which is documented nowhere.
    pub empty_import: EmptyImport,
    /// Under which name a failed record tells its id.
    pub insert_id_key: InsertIdKey,
    /// So many events of one distinct_id and day are taken as they are; later ones lose their name.
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

/// A Mixpanel project and all that opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// The `project_id` that a service account must name.
    pub id: String,
    /// The project token.
    pub token: String,
    /// The project's (API) secret.
    pub api_secret: String,
    /// Its service accounts.
    #[serde(default)]
    pub service_accounts: Vec<ServiceAccount>,
}

/// A user name and a secret for Basic authentication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccount {
    /// The user name.
    pub username: String,
    /// The secret.
    pub secret: String,
}

/// Whether project secrets are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Secrets {
    /// As before 2027-03-03.
    #[default]
    Accepted,
    /// As after it.
    SwitchedOff,
}

/// What an import of no events comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmptyImport {
    /// All none of them are imported.
    #[default]
    Imported,
    /// A 400. The wording is that which Mixpanel's add-on for Google Sheets waits for when it tries a login out.
    Refused,
}

/// The two spellings of the key in `failed_records`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum InsertIdKey {
    /// As in the OpenAPI description and the Go library.
    #[default]
    #[serde(rename = "insert_id")]
    InsertId,
    /// As on the page about importing events.
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
