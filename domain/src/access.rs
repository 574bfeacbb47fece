//! Who may do what, and [`Grant`]: the only way to a dataset's rows.

mod grant;
mod import_grant;
mod token_scope;

use serde::{Deserialize, Serialize};

pub use grant::Grant;
pub use import_grant::{ImportGrant, ImportableRows};
pub use token_scope::TokenScope;

use crate::dataset::{Dataset, FilterKey, TeacherAdminAccess};
use crate::failure::ErrorCode;
use crate::text::{Phrase, Text};
use crate::unknown_name::UnknownName;

/// A user's role in the academy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees and manages everything.
    Admin,
    /// Reads the data of one course or lesson at a time.
    TeacherAdmin,
    /// Teaches. Reads no dataset.
    Teacher,
    /// Learns. Records their own player events.
    Student,
    /// The learning platform, or another program.
    Service,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Admin, Self::TeacherAdmin, Self::Teacher, Self::Student, Self::Service];

    /// The role's name in the database and on the command line.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::TeacherAdmin => "teacher_admin",
            Self::Teacher => "teacher",
            Self::Student => "student",
            Self::Service => "service",
        }
    }

    /// The role with this name.
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.key() == key)
    }

    /// Whether the role has `manage-settings` unless it was granted or revoked.
    pub const fn manages_settings_by_default(self) -> bool {
        matches!(self, Self::Admin)
    }
}

impl TryFrom<String> for Role {
    type Error = UnknownName;

    fn try_from(key: String) -> Result<Self, UnknownName> {
        Self::parse(&key).ok_or(UnknownName(key))
    }
}

/// A permission in addition to the role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
pub enum Permission {
    /// Import snapshots and run the sync.
    ManageSettings,
}

/// How the viewer authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A sign-in here.
    Session,
    /// A token signed by the learning platform.
    Platform,
    /// An API token with these scopes.
    ApiToken(Vec<TokenScope>),
    /// A player token, which records one user's own events and does nothing else.
    Player,
}

/// The courses that a Teacher Admin may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CourseScope {
    /// Any course (`TEACHER_ADMIN_SCOPE=any`).
    Any,
    /// Only the assigned courses, by their ids (`TEACHER_ADMIN_SCOPE=assigned`).
    Assigned(Vec<i64>),
}

/// The user who makes a request, with everything that the access rules depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    pub user_id: i64,
    pub role: Role,
    /// Whether they have the `manage-settings` permission.
    pub manages_settings: bool,
    pub credential: Credential,
    /// The courses of a Teacher Admin.
    pub courses: CourseScope,
}

/// An action that needs permission, apart from reading datasets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Search for courses and lessons.
    BrowseCourses,
    /// Import snapshots, or undo an import. [`Viewer::may_import`] checks the dataset.
    Import,
    /// Run the sync, retry a batch, requeue dead deliveries.
    RunSync,
    /// See the state of the sync.
    SeeSync,
    /// Record one's own progress.
    RecordOwn,
    /// Record any user's progress.
    RecordForAnybody,
    /// Mirror platform data, publish platform events.
    Mirror,
    /// See the export log and the list of users.
    Audit,
    /// Change users, download or erase a user's data.
    ManageUsers,
    /// List, create and revoke one's own API tokens.
    ManageOwnTokens,
    /// Change one's own language and time zone.
    ManageOwnPreferences,
    /// Read one's own notifications and mark them as read.
    ReadOwnNotifications,
    /// List, save and delete one's own saved exports. [`Grant::to_export`] checks what they export.
    SaveExports,
}

impl Viewer {
    /// Whether the credential includes this scope. A sign-in includes every scope.
    pub fn holds(&self, scope: TokenScope) -> bool {
        match &self.credential {
            Credential::Session | Credential::Platform => true,
            Credential::ApiToken(scopes) => scopes.contains(&scope),
            Credential::Player => scope == TokenScope::Record,
        }
    }

    /// Checks whether the viewer may do this.
    pub fn may(&self, act: Act) -> Result<(), Denied> {
        use Role::{Admin, Service, Student, Teacher, TeacherAdmin};
        let (roles, scope): (&[Role], Option<TokenScope>) = match act {
            Act::BrowseCourses => (&[Admin, TeacherAdmin, Teacher, Service], Some(TokenScope::Read)),
            Act::Import => (&[Admin, TeacherAdmin, Service], Some(TokenScope::Import)),
            Act::RunSync => (&[Admin, TeacherAdmin, Service], Some(TokenScope::Sync)),
            Act::SeeSync => (&[Admin, TeacherAdmin, Service], Some(TokenScope::Read)),
            Act::RecordOwn => (&[Admin, TeacherAdmin, Teacher, Student, Service], Some(TokenScope::Record)),
            Act::RecordForAnybody => (&[Admin, Service], Some(TokenScope::Record)),
            Act::Mirror => (&[Admin, Service], Some(TokenScope::Platform)),
            Act::Audit => (&[Admin], Some(TokenScope::Read)),
            Act::ManageUsers => (&[Admin], None),
            Act::ManageOwnTokens => (&[Admin, TeacherAdmin, Teacher, Service], None),
            Act::ManageOwnPreferences => (&[Admin, TeacherAdmin, Teacher, Student, Service], None),
            Act::ReadOwnNotifications => {
                (&[Admin, TeacherAdmin, Teacher, Student, Service], Some(TokenScope::Read))
            }
            Act::SaveExports => (&[Admin, TeacherAdmin, Service], Some(TokenScope::Export)),
        };
        if self.credential == Credential::Player && act != Act::RecordOwn {
            return Err(Denied::NeedsSignIn);
        }
        if !roles.contains(&self.role) {
            return Err(Denied::Role);
        }
        if matches!(act, Act::Import | Act::RunSync) && !self.manages_settings {
            return Err(Denied::NeedsManageSettings);
        }
        match scope {
            Some(scope) if self.holds(scope) => Ok(()),
            Some(scope) => Err(self.lacks(scope)),
            None => match self.credential {
                Credential::Session | Credential::Platform => Ok(()),
                Credential::ApiToken(_) | Credential::Player => Err(Denied::NeedsSignIn),
            },
        }
    }

    /// Filters of which this viewer must set at least one to read the dataset. Empty if none is needed.
    pub fn required_scope(&self, dataset: Dataset) -> &'static [FilterKey] {
        match (self.role, dataset.describe().teacher_admin) {
            (Role::TeacherAdmin, TeacherAdminAccess::OneOf(keys)) => keys,
            _ => &[],
        }
    }

    /// Whether the viewer may read any rows of the dataset.
    pub fn may_see(&self, dataset: Dataset) -> bool {
        self.role_reads(dataset) && self.holds(TokenScope::Read)
    }

    fn role_reads(&self, dataset: Dataset) -> bool {
        match self.role {
            Role::Admin | Role::Service => true,
            Role::TeacherAdmin => dataset.describe().teacher_admin != TeacherAdminAccess::Never,
            Role::Teacher | Role::Student => false,
        }
    }

    fn lacks(&self, scope: TokenScope) -> Denied {
        match self.credential {
            Credential::Player => Denied::NeedsSignIn,
            Credential::Session | Credential::Platform | Credential::ApiToken(_) => {
                Denied::NeedsTokenScope(scope)
            }
        }
    }
}

/// Why an action is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The role does not include it.
    Role,
    /// A Teacher Admin must set one of these filters first.
    ScopeRequired { dataset: Dataset, one_of: &'static [FilterKey] },
    /// The course or lesson in the filter does not exist.
    ScopeUnknown,
    /// The course, or the course of the lesson, is not assigned to this Teacher Admin.
    CourseNotAssigned,
    /// The `manage-settings` permission is missing.
    NeedsManageSettings,
    /// The API token lacks a scope.
    NeedsTokenScope(TokenScope),
    /// The progress belongs to another user.
    NotYourUser,
    /// The action needs a sign-in. API tokens and player tokens are not accepted.
    NeedsSignIn,
}

impl Denied {
    /// The error code that clients see.
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::ScopeRequired { .. } | Self::ScopeUnknown => ErrorCode::ScopeRequired,
            Self::Role
            | Self::CourseNotAssigned
            | Self::NeedsManageSettings
            | Self::NeedsTokenScope(_)
            | Self::NotYourUser
            | Self::NeedsSignIn => ErrorCode::Forbidden,
        }
    }

    /// The reason, for people.
    pub fn message(self) -> Phrase {
        let text = match self {
            Self::Role => Text::new("Tu rol no permite esto.", "Your role does not allow this."),
            Self::ScopeRequired { dataset, one_of } => {
                let title = dataset.describe().title;
                let keys: Vec<&str> = one_of.iter().map(|key| key.key()).collect();
                return Phrase::new(
                    format!("Como Teacher Admin debes filtrar «{}» por {}.", title.es, keys.join(" o ")),
                    format!("As a Teacher Admin you must filter “{}” by {}.", title.en, keys.join(" or ")),
                );
            }
            Self::ScopeUnknown => Text::new(
                "El curso o la lección del filtro no existe.",
                "The course or lesson in the filter does not exist.",
            ),
            Self::CourseNotAssigned => {
                Text::new("Ese curso no está asignado a ti.", "That course is not assigned to you.")
            }
            Self::NeedsManageSettings => Text::new(
                "Esto requiere el permiso manage-settings.",
                "This requires the manage-settings permission.",
            ),
            Self::NeedsTokenScope(scope) => {
                let scope = scope.key();
                return Phrase::new(
                    format!("El token de API no tiene el alcance «{scope}»."),
                    format!("The API token does not have the scope “{scope}”."),
                );
            }
            Self::NotYourUser => Text::new(
                "Solo puedes registrar tu propio progreso.",
                "You can only record your own progress.",
            ),
            Self::NeedsSignIn => Text::new(
                "Esto requiere iniciar sesión; un token no basta.",
                "This requires signing in; a token is not enough.",
            ),
        };
        text.into()
    }
}
