//! What became of a request.

use std::time::Duration;

use crate::models::sync_run::Trouble;

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A verdict for each event, in order.
    Verdicts(Vec<Verdict>),
    /// The service will not take it as it is: one event of it is to blame, or all are.
    Refused(Failure),
    /// The service does not take it now.
    Later {
        /// Why.
        failure: Failure,
        /// For how long it wants to be left alone.
        pause: Option<Duration>,
        /// Whether it may have taken it all the same.
        doubtful: bool,
    },
    /// It was sent and no answer came.
    Unanswered(Failure),
    /// The service cannot be spoken to: it is not the events' fault.
    Closed(Trouble, Failure),
}

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The service has it.
    Delivered,
    /// The service will not have it.
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
    /// Nobody could be reached, so nothing was sent.
    Unreachable,
    /// It was sent and no answer came.
    Unanswered,
    /// The service wants less.
    Throttled,
    /// Something is wrong on the service's side.
    Down,
    /// The answer says that all is well, but not in words that can be understood.
    Unreadable,
    /// The service does not let us in, or is not there.
    Closed,
    /// The service refused the event.
    Refused,
    /// It is larger than the service takes.
    TooLarge,
    /// The service's rules forbid it, so it was not sent.
    Invalid,
    /// It is older than the service takes.
    TooOld,
    /// It was tried as often as is tried.
    Exhausted,
}

impl Answer {
    /// What became of it, in a word for metrics.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Verdicts(_) => "taken",
            Self::Refused(_) => "refused",
            Self::Later { .. } => "later",
            Self::Unanswered(_) => "unanswered",
            Self::Closed(..) => "closed",
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
