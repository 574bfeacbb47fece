//! The outcomes of requests and of the events in them.

use std::time::Duration;

use crate::models::sync_run::Outage;

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    /// An outcome for each event, in order.
    PerEvent(Vec<EventOutcome>),
    /// The service refused the request because of at least one of its events.
    Refused(Failure),
    /// The service cannot accept the request now.
    RetryLater {
        failure: Failure,
        /// The pause that the service asked for.
        retry_after: Option<Duration>,
        /// Whether the service may have stored the events nevertheless.
        maybe_delivered: bool,
    },
    /// The request was sent and got no response.
    Unanswered(Failure),
    /// The service cannot be used with these settings, whatever the events are.
    Unusable(Outage, Failure),
}

/// The final outcome of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventOutcome {
    /// The service accepted it.
    Delivered,
    /// The service refused it.
    Dead(Failure),
    /// It is too old for the service.
    Expired,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub class: FailureClass,
    pub http_status: Option<u16>,
    /// The service's own error code, or the name of the invalid field.
    pub code: Option<String>,
    /// The service's error message, without secrets.
    pub message: Option<String>,
}

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// The service could not be reached, so nothing was sent.
    Unreachable,
    /// The request was sent and got no response.
    Unanswered,
    /// The service asks for fewer requests.
    Throttled,
    /// Something is wrong on the service's side.
    Down,
    /// The status means success, but the body could not be interpreted.
    Unreadable,
    /// The service rejects our credentials, or is not at this URL.
    Unusable,
    /// The service refused the event.
    Refused,
    /// The event is larger than the service accepts.
    TooLarge,
    /// The event breaks the service's rules and was not sent.
    Invalid,
    /// The event is older than the service accepts.
    TooOld,
    /// The event was retried as often as the policy allows.
    Exhausted,
}

impl SendOutcome {
    /// The outcome's label in metrics.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::PerEvent(_) => "taken",
            Self::Refused(_) => "refused",
            Self::RetryLater { .. } => "later",
            Self::Unanswered(_) => "unanswered",
            Self::Unusable(..) => "closed",
        }
    }
}

impl FailureClass {
    /// The kind's name in the database and in metrics.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Unanswered => "ambiguous",
            Self::Throttled => "throttled",
            Self::Down => "down",
            Self::Unreadable => "unreadable",
            Self::Unusable => "closed",
            Self::Refused => "refused",
            Self::TooLarge => "too_large",
            Self::Invalid => "invalid",
            Self::TooOld => "too_old",
            Self::Exhausted => "exhausted",
        }
    }
}

impl Failure {
    /// A failure without details.
    pub const fn of(class: FailureClass) -> Self {
        Self { class, http_status: None, code: None, message: None }
    }

    /// A failure with the status and message of a response.
    pub fn with_status(class: FailureClass, http_status: u16, message: Option<String>) -> Self {
        Self { class, http_status: Some(http_status), code: None, message }
    }
}
