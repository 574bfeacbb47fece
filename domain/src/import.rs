//! Imports of snapshots: their modes and states.

use crate::unknown_name::UnknownName;

/// What happens to valid rows when others are invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
pub enum ImportMode {
    /// Nothing is written if any row is invalid.
    AllOrNothing,
    /// The valid rows are written.
    SkipInvalid,
}

/// The state of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
pub enum ImportState {
    /// In progress.
    Running,
    /// Completed.
    Done,
    /// The file or one of its rows was rejected. Nothing was written.
    Rejected,
    /// The hub failed. Nothing was written.
    Failed,
    /// Its rows were removed again.
    Undone,
}

impl ImportMode {
    /// Every mode.
    pub const ALL: [Self; 2] = [Self::AllOrNothing, Self::SkipInvalid];

    /// The name in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::AllOrNothing => "all_or_nothing",
            Self::SkipInvalid => "skip_invalid",
        }
    }

    /// The mode with this name.
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.key() == key)
    }
}

impl ImportState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Running, Self::Done, Self::Rejected, Self::Failed, Self::Undone];

    /// The name in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Undone => "undone",
        }
    }

    /// The state with this name.
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.key() == key)
    }
}

impl TryFrom<String> for ImportMode {
    type Error = UnknownName;

    fn try_from(key: String) -> Result<Self, UnknownName> {
        Self::parse(&key).ok_or(UnknownName(key))
    }
}

impl TryFrom<String> for ImportState {
    type Error = UnknownName;

    fn try_from(key: String) -> Result<Self, UnknownName> {
        Self::parse(&key).ok_or(UnknownName(key))
    }
}
