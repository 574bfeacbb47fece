//! What became of an event, which the services themselves often do not tell.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is kept.
    Stored {
        /// The time it is kept under.
        at: DateTime<Utc>,
        /// What is special about it.
        flags: Vec<Flag>,
    },
    /// It is gone, and the answer does not say so.
    Dropped {
        /// Why.
        reason: Reason,
        /// The field or the name that was wrong.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// It is not kept, and the answer says so.
    Refused {
        /// The field that was wrong; empty where the whole request was refused.
        field: String,
        /// What the answer says of it.
        message: String,
    },
    /// A fault came before anybody looked at it.
    Unjudged,
}

impl Verdict {
    pub(crate) const fn dropped(reason: Reason) -> Self {
        Self::Dropped { reason, detail: None }
    }

    /// Whether the event is kept.
    pub const fn is_stored(&self) -> bool {
        matches!(self, Self::Stored { .. })
    }
}

/// What is special about a stored event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// GA4 moved it to 72 hours ago.
    Shifted,
    /// It has no session_id or no engagement_time_msec: GA4 keeps it, but reports pass it over.
    NoSession,
    /// Its time is ahead of the clock. Mixpanel puts the present in its place; what GA4 does is documented nowhere.
    Future,
    /// GA4's enhanced measurement uses its name as well.
    EnhancedMeasurementName,
    /// GA4 left parameters out that were too many, too long or badly named.
    ParamsIgnored,
    /// GA4 left user properties out.
    UserPropertiesIgnored,
    /// Mixpanel cut a text at 255 characters.
    TextCut,
    /// Mixpanel made an `$insert_id` of its own, so that a repetition is not recognised.
    InsertIdMade,
    /// Mixpanel made a distinct_id from the sender's address.
    DistinctIdFromAddress,
    /// Mixpanel took its name and its user away.
    HotShard,
}

/// Why an event is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// GA4 knows no stream with this id and secret.
    UnknownStream,
    /// The body is not JSON, or no JSON of the right shape.
    BadJson,
    /// It has neither client_id nor app_instance_id, as its stream wants.
    NoClientId,
    /// No event is in the request.
    NoEvents,
    /// There are more events than a request may hold.
    TooManyEvents,
    /// The body is too large.
    TooLarge,
    /// The event has no name.
    NameMissing,
    /// The name is not made of letters, digits and underscores with a letter first.
    NameInvalid,
    /// The name has more than 40 characters.
    NameTooLong,
    /// The name, or how it begins, is the vendor's own.
    NameReserved,
    /// A parameter is null, a list or an object.
    ParamNotScalar,
    /// What GA4 overlooks unless recommendations are enforced.
    NotAsRecommended,
    /// It is older than the service takes.
    TooOld,
    /// Mixpanel knows no project with this token.
    UnknownToken,
    /// Mixpanel could not make sense of the event.
    Malformed,
    /// Its distinct_id is one of those that mean nobody.
    DistinctIdForbidden,
    /// It carries `$ignore`.
    Ignored,
}
