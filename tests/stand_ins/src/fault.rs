//! Fault injection by rules. A rule selects requests and injects a fault into them.
//!
//! Rules are evaluated in order, and the first that applies decides. For a sequence of different faults, use
//! several rules with `times: 1`. For a service that recovers, use one rule with `times: n`. For a service
//! that stays down, use a rule with only a fault.

use serde::{Deserialize, Serialize};

mod answer;
mod demo_faults;
pub(crate) mod effect;
mod import_lie;
mod plan;
mod rule;
mod trigger;

pub use answer::{Answer, AnswerBody, RetryAfter};
pub use demo_faults::demo_faults;
pub use import_lie::ImportLie;
pub use plan::RuleState;
pub(crate) use plan::{MatchedRule, Plan, RequestView};
pub use rule::{Ambiguity, Rule, RuleError, Timing, When};

/// A fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Sends this response.
    Answer(Answer),
    /// `/import` sends a 400 or a 200 that contradicts itself or the request.
    ImportLie(ImportLie),
    /// `/import` refuses the events of the rule, or all events if the rule has none, and accepts the others.
    FailRecords {
        /// The field in the error.
        field: String,
        /// The message in the error.
        message: String,
    },
    /// The connection is interrupted.
    Break { at: Point, how: BreakMode },
    /// The real response is sent byte by byte.
    Drip {
        /// The delay after each byte, in milliseconds.
        every_millis: u64,
    },
    /// The real response is sent after the rule's delay.
    Slow,
    /// The connection is closed after the real response, which said that it would be kept open.
    CloseAfterAnswer,
    /// The connection is kept open after the real response, but reset before the next request on it is read.
    /// The events of that request are unknown, so rules with [`Ambiguity::OncePerEvent`] do not take this
    /// fault into account.
    ResetOnReuse,
    /// The connection is reset before the request is read, and further connections are refused for some time.
    Refuse {
        /// In milliseconds.
        for_millis: u64,
    },
}

/// A point in the processing of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Point {
    /// Before anything of the request is read.
    BeforeReading,
    /// After the head and half of the body are read.
    HalfRead,
    /// After the request is read, before anything of the response is sent.
    BeforeAnswer,
    /// After half of the response's head is sent.
    MidHead,
    /// After the response's head is sent, which announces a body.
    AfterHead,
    /// After less of the response's body is sent than its head announces.
    MidBody,
}

/// How a connection is interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakMode {
    /// By a reset.
    Reset,
    /// By an orderly close.
    Close,
    /// It stays open, and nothing more is sent until the client closes it.
    Hang,
}

/// The stage of a request at which rules are evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The first byte has arrived.
    Arrival,
    /// The head is read.
    Head,
    /// The whole request is read.
    Complete,
}

impl Fault {
    pub(crate) const fn stage(&self) -> Stage {
        match self {
            Self::Break { at: Point::BeforeReading, .. } | Self::Refuse { .. } => Stage::Arrival,
            Self::Break { at: Point::HalfRead, .. } => Stage::Head,
            Self::Break {
                at: Point::BeforeAnswer | Point::MidHead | Point::AfterHead | Point::MidBody,
                ..
            }
            | Self::Answer(_)
            | Self::ImportLie(_)
            | Self::FailRecords { .. }
            | Self::Drip { .. }
            | Self::Slow
            | Self::CloseAfterAnswer
            | Self::ResetOnReuse => Stage::Complete,
        }
    }

    /// Whether the fault applies only to `/import`, which reports an outcome for each record.
    pub(crate) const fn is_import_only(&self) -> bool {
        matches!(self, Self::ImportLie(_) | Self::FailRecords { .. })
    }

    /// Whether nothing of a response is sent.
    pub(crate) const fn is_silent(&self) -> bool {
        matches!(
            self,
            Self::Refuse { .. }
                | Self::Break { at: Point::BeforeReading | Point::HalfRead | Point::BeforeAnswer, .. }
        )
    }
}
