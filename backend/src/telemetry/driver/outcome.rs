//! The outcomes of requests and of their events.

use std::time::Duration;

use crate::models::sync_run::Outage;

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    /// An outcome for each event, in order.
    PerEvent(Vec<EventOutcome>),
    /// The service refused the request: because of one of its events, or of all.
    Refused(Failure),
    /// The service does not accept it now.
    RetryLater {
        /// Why.
        failure: Failure,
        /// The pause that it asked for.
        pause: Option<Duration>,
        /// Whether it may have accepted it all the same.
        maybe_delivered: bool,
    },
    /// It was sent and no response came.
    Unanswered(Failure),
    /// The service cannot be used, whatever the events are.
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
    /// Of which kind.
    pub class: FailureClass,
    /// The answer's HTTP status.
    pub http_status: Option<u16>,
    /// The service's own code, such as the field it complains of.
    pub code: Option<String>,
    /// What the service said; never a secret.
    pub message: Option<String>,
}

/// The kinds of what can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// The service could not be reached, so nothing was sent.
    Unreachable,
    /// It was sent and no answer came.
    Unanswered,
    /// The service asks for fewer requests.
    Throttled,
    /// Something is wrong on the service's side.
    Down,
    /// The answer says that all is well, but not in words that can be understood.
    Unreadable,
    /// The service rejects our credentials, or is not at this address.
    Closed,
    /// The service refused the event.
    Refused,
    /// It is larger than the service takes.
    TooLarge,
    /// The service's rules forbid it, so it was not sent.
    Invalid,
    /// It is older than the service takes.
    TooOld,
    /// It was retried as often as the policy allows.
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
            Self::Closed => "closed",
            Self::Refused => "refused",
            Self::TooLarge => "too_large",
            Self::Invalid => "invalid",
            Self::TooOld => "too_old",
            Self::Exhausted => "exhausted",
        }
    }
}

impl Failure {
    /// A failure that nothing more is known of.
    pub const fn of(class: FailureClass) -> Self {
        Self { class, http_status: None, code: None, message: None }
    }

    /// With the answer's status.
    pub fn with_status(class: FailureClass, http_status: u16, message: Option<String>) -> Self {
        Self { class, http_status: Some(http_status), code: None, message }
    }
}
