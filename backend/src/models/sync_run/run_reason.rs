//! Why a run of the sync ended as it did. Stored as data, so that each reader sees it in their language.

use serde::{Deserialize, Serialize};

/// Why a run ended as it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RunReason {
    /// No driver is enabled.
    NoDriver,
    /// No event is pending.
    NothingPending,
    /// Events are pending, but all of them wait for their next retry.
    NothingDue,
    /// No batch has pending events for an enabled driver.
    NothingToRetry,
    /// Settings are missing.
    NotConfigured {
        /// The names of the missing settings.
        settings: Vec<String>,
    },
    /// The process was shut down.
    Interrupted,
    /// The run reached its time limit.
    OutOfTime,
    /// The process died during the run, or lost its database connection.
    Died,
    /// An error on our side, which is in the log.
    Broken,
}

impl RunReason {
    /// Reads the reason that is stored in a run's row. `None` if it cannot be parsed.
    pub(super) fn from_json(stored: &str) -> Option<Self> {
        serde_json::from_str(stored).ok()
    }

    /// The reason as it is stored in a run's row.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a run reason always serializes")
    }
}
