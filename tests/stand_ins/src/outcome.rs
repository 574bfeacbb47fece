//! The outcome of an event, which the services themselves often do not report.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The outcome of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was stored.
    Stored {
        /// The time of the stored event.
        at: DateTime<Utc>,
        flags: Vec<Flag>,
    },
    /// It was not stored, and the response does not say so.
    Dropped {
        reason: DropReason,
        /// The invalid field or name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// It was not stored, and the response says so.
    Refused {
        /// The invalid field. Empty if the whole request was refused.
        field: String,
        /// The error message in the response.
        message: String,
    },
    /// It was not processed because of a fault.
    Unjudged,
}

impl Outcome {
    pub(crate) const fn dropped(reason: DropReason) -> Self {
        Self::Dropped { reason, detail: None }
    }

    /// Whether the event was stored.
    pub const fn is_stored(&self) -> bool {
        matches!(self, Self::Stored { .. })
    }
}

/// A peculiarity of a stored event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// GA4 moved its time to 72 hours ago.
    Shifted,
    /// It has no `session_id` or no `engagement_time_msec`. GA4 stores it, but leaves it out of reports.
    NoSession,
    /// Its time is in the future. Mixpanel replaces it with the current time. GA4's behavior is not
    /// documented.
    Future,
    /// GA4's enhanced measurement uses the same name.
    EnhancedMeasurementName,
    /// GA4 ignored parameters that were too many, too long or had invalid names.
    ParamsIgnored,
    /// GA4 ignored user properties.
    UserPropertiesIgnored,
    /// Mixpanel truncated a text to 255 characters.
    TextCut,
    /// Mixpanel generated the `$insert_id`, so that duplicates are not recognized.
    InsertIdMade,
    /// Mixpanel derived the `distinct_id` from the client's IP address.
    DistinctIdFromAddress,
    /// Mixpanel removed its name and user.
    HotShard,
}

/// Why an event was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// GA4 has no stream with this id and secret.
    UnknownStream,
    /// The body is not JSON, or is JSON with the wrong structure.
    BadJson,
    /// The request lacks the `client_id` or `app_instance_id` that the stream requires.
    NoClientId,
    /// The request has no events.
    NoEvents,
    /// The request has too many events.
    TooManyEvents,
    /// The body is too large.
    TooLarge,
    /// The event has no name.
    NameMissing,
    /// The name does not consist of letters, digits and underscores, or does not start with a letter.
    NameInvalid,
    /// The name has more than 40 characters.
    NameTooLong,
    /// The name or its prefix is reserved.
    NameReserved,
    /// A parameter is null, a list or an object.
    ParamNotScalar,
    /// It breaks a recommendation, and the request asks GA4 to enforce recommendations.
    NotAsRecommended,
    /// It is older than the service accepts.
    TooOld,
    /// Mixpanel has no project with this token.
    UnknownToken,
    /// The service cannot interpret the event.
    Malformed,
    /// Its `distinct_id` is a reserved value for no user.
    DistinctIdForbidden,
    /// It has the property `$ignore`, or its path stores no events.
    Ignored,
}
