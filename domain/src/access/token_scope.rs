//! The scopes of API tokens.

use serde::{Deserialize, Serialize};

use super::{Act, Viewer};
use crate::dataset::Dataset;

/// A scope of an API token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
#[serde(rename_all = "lowercase")]
pub enum TokenScope {
    /// Read datasets, statuses and lists.
    Read,
    /// Create export links.
    Export,
    /// Import snapshots and undo imports.
    Import,
    /// Run the sync and retry batches.
    Sync,
    /// Record progress and player events.
    Record,
    /// Mirror platform data and publish platform events.
    Platform,
}

impl TokenScope {
    /// Every scope.
    pub const ALL: [Self; 6] =
        [Self::Read, Self::Export, Self::Import, Self::Sync, Self::Record, Self::Platform];

    /// The scope's name in the database and on the command line.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Export => "export",
            Self::Import => "import",
            Self::Sync => "sync",
            Self::Record => "record",
            Self::Platform => "platform",
        }
    }

    /// The scope with this name.
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.key() == key)
    }
}

impl Viewer {
    /// Whether the viewer may give this scope to an API token: only if they have the permission themselves.
    pub fn may_give(&self, scope: TokenScope) -> bool {
        let act = match scope {
            TokenScope::Export => return Dataset::ALL.into_iter().any(|dataset| self.may_see(dataset)),
            TokenScope::Read => Act::BrowseCourses,
            TokenScope::Import => Act::Import,
            TokenScope::Sync => Act::RunSync,
            TokenScope::Record => Act::RecordOwn,
            TokenScope::Platform => Act::Mirror,
        };
        self.may(act).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{CourseScope, Credential, Role};

    fn scopes_of(role: Role, manages_settings: bool) -> Vec<TokenScope> {
        let viewer = Viewer {
            user_id: 1,
            role,
            manages_settings,
            credential: Credential::Session,
            courses: CourseScope::Any,
        };
        TokenScope::ALL.into_iter().filter(|scope| viewer.may_give(*scope)).collect()
    }

    #[test]
    fn a_token_gets_no_more_permissions_than_its_owner_has() {
        use TokenScope::{Export, Import, Read, Record, Sync};
        assert_eq!(scopes_of(Role::Admin, true), TokenScope::ALL);
        assert_eq!(scopes_of(Role::TeacherAdmin, true), [Read, Export, Import, Sync, Record]);
        assert_eq!(scopes_of(Role::TeacherAdmin, false), [Read, Export, Record]);
        assert_eq!(scopes_of(Role::Teacher, false), [Read, Record]);
    }
}
