//! What a person should know of a run of the sync, kept as data so that each reader has it in their language.

use serde::{Deserialize, Serialize};

/// What a person should know of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RunReason {
    /// No driver is enabled.
    NoDriver,
    /// No event is pending.
    NothingPending,
    /// Events are pending, and none of them may be sent yet.
    NothingDue,
    /// No batch has events that are pending for an enabled driver.
    NothingToRetry,
    /// These settings are missing.
    NotConfigured {
        /// Their names.
        settings: Vec<String>,
    },
    /// The process was told to end.
    Interrupted,
    /// Its time was over.
    OutOfTime,
    /// Its process ended in the middle, or lost the database.
    Died,
    /// Something failed on our side; it is in the log.
    Broken,
}

impl RunReason {
    /// The reason of a row, if it can be read.
    pub(super) fn read(stored: &str) -> Option<Self> {
        serde_json::from_str(stored).ok()
    }

    /// As it is stored.
    pub(super) fn store(&self) -> String {
        serde_json::to_string(self).expect("names are JSON")
    }
}
