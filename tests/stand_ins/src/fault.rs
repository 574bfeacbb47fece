//! Faults as rules: which request is struck, and what happens to it.
//!
//! The rules of a list are asked in their order, and the first that strikes decides. A queue of different faults is a
//! list of rules with `times: 1`; a service that recovers is one rule with `times: n`; one that is down for good is a
//! rule with nothing but a fault.

use serde::{Deserialize, Serialize};

mod answer;
pub(crate) mod effect;
mod import_lie;
mod plan;
mod rule;
mod trouble;
mod turn;

pub use answer::{Answer, AnswerBody, RetryAfter};
pub use import_lie::ImportLie;
pub use plan::RuleState;
pub(crate) use plan::{Plan, Sight, Strike};
pub use rule::{Ambiguity, BadRule, Moment, Rule, When};
pub use trouble::trouble;

/// What happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// This is answered.
    Answer(Answer),
    /// `/import` is answered with a 400 or a 200 that does not agree with itself or with the request.
    ImportLie(ImportLie),
    /// `/import` refuses the rule's events, or all where the rule names none, and takes the others.
    FailRecords {
        /// The field that is said to be wrong.
        field: String,
        /// What is said of it.
        message: String,
    },
    /// The connection breaks off.
    Break {
        /// Where.
        at: Point,
        /// How.
        how: How,
    },
    /// The true answer comes byte by byte.
    Drip {
        /// How long each byte takes, in milliseconds.
        every_millis: u64,
    },
    /// The true answer comes late, by the rule's delay.
    Slow,
    /// After the true answer, which promises to keep the connection, it is closed.
    CloseAfterAnswer,
    /// After the true answer the connection stays, and the next request on it is reset unread. Which events that request
    /// holds nobody knows, so that no rule can spare them afterwards.
    ResetOnReuse,
    /// The connection is reset unread, and others are refused for so long.
    Refuse {
        /// In milliseconds.
        for_millis: u64,
    },
}

/// A place in the course of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Point {
    /// Nothing of the request was read.
    BeforeReading,
    /// Its head and half of its body were.
    HalfRead,
    /// All of it was, and nothing is answered.
    BeforeAnswer,
    /// Half of the answer's head is sent.
    MidHead,
    /// All of the answer's head is sent, which promises a body.
    AfterHead,
    /// Less of the answer's body is sent than its head promises.
    MidBody,
}

/// How a connection breaks off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// By a reset.
    Reset,
    /// By an end in good order.
    Close,
    /// Not at all: silence, until the other side goes.
    Hang,
}

/// How far a request has come when a rule can first be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its first byte is there.
    Arrival,
    /// Its head is read.
    Head,
    /// All of it is.
    Whole,
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
            | Self::ResetOnReuse => Stage::Whole,
        }
    }

    /// Whether it makes sense for `/import` only, which answers record by record.
    pub(crate) const fn is_about_records(&self) -> bool {
        matches!(self, Self::ImportLie(_) | Self::FailRecords { .. })
    }

    /// Whether not a byte of an answer is sent.
    pub(crate) const fn is_silent(&self) -> bool {
        matches!(
            self,
            Self::Refuse { .. }
                | Self::Break { at: Point::BeforeReading | Point::HalfRead | Point::BeforeAnswer, .. }
        )
    }
}
