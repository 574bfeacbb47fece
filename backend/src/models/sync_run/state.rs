//! How far a run of the sync has come, and what set it going.

use async_graphql::Enum;

use crate::models::unknown_name::UnknownName;

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum SyncState {
    /// It is under way.
    Running,
    /// All that it took up is delivered, or all of it was too old to be sent.
    Success,
    /// Some of it is delivered.
    Partial,
    /// Nothing was delivered, though something was to be.
    Failed,
    /// There was nothing to do.
    Skipped,
}

/// What set a run going.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum SyncTrigger {
    /// The hub's own schedule.
    Schedule,
    /// The command line.
    Command,
    /// Somebody who asked for it.
    User,
}

impl SyncState {
    const ALL: [Self; 5] = [Self::Running, Self::Success, Self::Partial, Self::Failed, Self::Skipped];

    /// The state's name in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Success => "success",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

impl SyncTrigger {
    const ALL: [Self; 3] = [Self::Schedule, Self::Command, Self::User];

    /// The trigger's name in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Command => "command",
            Self::User => "user",
        }
    }
}

impl TryFrom<String> for SyncState {
    type Error = UnknownName;

    fn try_from(key: String) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|state| state.key() == key).ok_or(UnknownName(key))
    }
}

impl TryFrom<String> for SyncTrigger {
    type Error = UnknownName;

    fn try_from(key: String) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|trigger| trigger.key() == key).ok_or(UnknownName(key))
    }
}
