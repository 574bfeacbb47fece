//! What somebody wants of a run.

use std::time::Duration;

use crate::models::sync_run::SyncTrigger;

/// What somebody wants of a run.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// What sets it going.
    pub trigger: SyncTrigger,
    /// The id of who asks for it.
    pub triggered_by: Option<i64>,
    /// What is sent.
    pub what: What,
    /// The most events that each driver takes up; all when `None`.
    pub limit: Option<u32>,
    /// How long it goes on.
    pub span: Span,
    /// It takes up nothing more after this time.
    pub budget: Option<Duration>,
}

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The oldest events that are owed.
    Oldest,
    /// What the newest run that still owes something left.
    LastBatch,
}

/// How long a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Once through.
    Once,
    /// Until nothing is owed that may be sent; a service that pauses is waited for longer.
    UntilEmpty,
}

impl Order {
    /// The most events that one run takes up when nobody says how many.
    pub const LIMIT: u32 = 500;

    /// What the schedule wants each hour: all that is owed, and to be through before the next hour.
    pub const SCHEDULED: Self = Self {
        trigger: SyncTrigger::Schedule,
        triggered_by: None,
        what: What::Oldest,
        limit: None,
        span: Span::UntilEmpty,
        budget: Some(Duration::from_mins(50)),
    };
}
