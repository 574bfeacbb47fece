//! What an import does when some rows are bad.

use async_graphql::Enum;

use crate::models::unknown_name::UnknownName;

/// What happens to good rows when others are bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ImportMode {
    /// Nothing is written if one row is bad.
    AllOrNothing,
    /// The good rows are written.
    SkipInvalid,
}

impl ImportMode {
    /// Every mode.
    pub const ALL: [Self; 2] = [Self::AllOrNothing, Self::SkipInvalid];

    /// The mode's name in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::AllOrNothing => "all_or_nothing",
            Self::SkipInvalid => "skip_invalid",
        }
    }
}

impl TryFrom<String> for ImportMode {
    type Error = UnknownName;

    fn try_from(key: String) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|mode| mode.key() == key).ok_or(UnknownName(key))
    }
}
