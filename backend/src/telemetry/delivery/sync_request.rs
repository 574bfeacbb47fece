//! The request for a run.

use std::time::Duration;

use domain::sync::SyncTrigger;

/// A request to start a run.
#[derive(Clone, Copy, Debug)]
pub struct SyncRequest {
    pub trigger: SyncTrigger,
    /// The id of the user who triggers the run.
    pub triggered_by: Option<i64>,
    pub scope: Scope,
    /// Maximum number of events per driver. No limit if `None`.
    pub limit: Option<u32>,
    pub mode: Mode,
    /// The run stops fetching events after this time.
    pub budget: Option<Duration>,
}

/// Which events a run sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All pending events, the oldest first.
    Oldest,
    /// The events that the newest run with pending events left.
    LastBatch,
}

/// When a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// After one pass.
    Once,
    /// When no pending event may be sent. The run waits longer for a service that asks for a pause.
    UntilEmpty,
}

impl SyncRequest {
    /// Maximum number of events per driver if the caller gives none.
    pub const DEFAULT_LIMIT: u32 = 500;

    /// A scheduled run: all pending events, within less than an hour.
    pub const SCHEDULED: Self = Self {
        trigger: SyncTrigger::Schedule,
        triggered_by: None,
        scope: Scope::Oldest,
        limit: None,
        mode: Mode::UntilEmpty,
        budget: Some(Duration::from_mins(50)),
    };
}
