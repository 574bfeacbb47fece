//! What a run is asked to do.

use std::time::Duration;

use crate::models::sync_run::SyncTrigger;

/// What a run is asked to do.
#[derive(Clone, Copy, Debug)]
pub struct SyncRequest {
    /// What triggers the run.
    pub trigger: SyncTrigger,
    /// The id of the user who triggers it.
    pub triggered_by: Option<i64>,
    /// Which events it sends.
    pub scope: Scope,
    /// The maximum number of events per driver; no limit if `None`.
    pub limit: Option<u32>,
    /// When it ends.
    pub mode: Mode,
    /// The time after which it fetches no more events.
    pub budget: Option<Duration>,
}

/// Which events a run sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All pending events, the oldest first.
    Oldest,
    /// What the newest run with pending events left.
    LastBatch,
}

/// When a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// After one pass.
    Once,
    /// When no event is pending that may be sent; it waits longer for a service that asks for a pause.
    UntilEmpty,
}

impl SyncRequest {
    /// The maximum number of events per driver if the caller gives none.
    pub const DEFAULT_LIMIT: u32 = 500;

    /// A scheduled run: everything that is pending, within less than an hour.
    pub const SCHEDULED: Self = Self {
        trigger: SyncTrigger::Schedule,
        triggered_by: None,
        scope: Scope::Oldest,
        limit: None,
        mode: Mode::UntilEmpty,
        budget: Some(Duration::from_mins(50)),
    };
}
