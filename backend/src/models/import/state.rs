//! How far an import has come.

use async_graphql::Enum;

use crate::models::unknown_name::UnknownName;

/// How far an import has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ImportState {
    /// It is under way.
    Running,
    /// It went through.
    Done,
    /// The file, or a row of it, was refused; nothing was written.
    Rejected,
    /// Something failed on our side; nothing was written.
    Failed,
    /// What it had written was taken back.
    Undone,
}

impl ImportState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Running, Self::Done, Self::Rejected, Self::Failed, Self::Undone];

    /// The state's name in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Undone => "undone",
        }
    }
}

impl TryFrom<String> for ImportState {
    type Error = UnknownName;

    fn try_from(key: String) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|state| state.key() == key).ok_or(UnknownName(key))
    }
}
