//! Who may do what, and [`Grant`]: the only way to a dataset's rows.

mod grant;
mod import_grant;
mod token_scope;

use serde::{Deserialize, Serialize};

pub use grant::Grant;
pub use import_grant::{ImportGrant, ImportableRows};
pub use token_scope::TokenScope;

use crate::dataset::{Dataset, TeacherAdminAccess};
use crate::failure::ErrorCode;
use crate::filter::FilterKey;
use crate::text::Locale;

/// What a user is in the academy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees and manages everything.
    Admin,
    /// Sees what concerns one course or lesson at a time.
    TeacherAdmin,
    /// Teaches; reads no dataset.
    Teacher,
    /// Learns; records their own player events.
    Student,
    /// The learning platform itself, or another program.
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

    /// Whether `manage-settings` goes with the role when nobody granted or took it.
    pub const fn manages_settings_by_default(self) -> bool {
        matches!(self, Self::Admin)
    }
}

impl TryFrom<String> for Role {
    type Error = UnknownRole;

    fn try_from(key: String) -> Result<Self, UnknownRole> {
        Self::parse(&key).ok_or(UnknownRole(key))
    }
}

/// There is no role of this name.
#[derive(Debug, thiserror::Error)]
#[error("there is no role “{0}”")]
pub struct UnknownRole(String);

/// By what the viewer proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A sign-in here.
    Session,
    /// A token that the learning platform signed.
    Platform,
    /// An API token with these scopes.
    ApiToken(Vec<TokenScope>),
    /// A player token: good for recording one user's own events and nothing else.
    Player,
}

/// The courses that a Teacher Admin may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CourseScope {
    /// Any course there is (`TEACHER_ADMIN_SCOPE=any`).
    Any,
    /// Only the courses with these ids, assigned to that person (`TEACHER_ADMIN_SCOPE=assigned`).
    Assigned(Vec<i64>),
}

/// Somebody who makes a request, as far as the rules ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The user's id.
    pub user_id: i64,
    /// What they are.
    pub role: Role,
    /// Whether they hold the `manage-settings` permission.
    pub manages_settings: bool,
    /// How they proved it.
    pub credential: Credential,
    /// What a Teacher Admin may name.
    pub courses: CourseScope,
}

/// Something that a rule allows or forbids, apart from reading datasets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Look up courses and lessons by name.
    BrowseCourses,
    /// Import snapshots, or undo an import; [`Viewer::may_import`] says of which datasets.
    Import,
    /// Run or retry the sync, requeue dead deliveries.
    RunSync,
    /// See the state of the sync.
    SeeSync,
    /// Record one's own progress.
    RecordOwn,
    /// Record anybody's progress.
    RecordForAnybody,
    /// Mirror platform data, publish platform events.
    Mirror,
    /// See the export log and the list of users.
    Audit,
    /// Change users, erase a user's data.
    ManageUsers,
    /// See, make and revoke one's own API tokens.
    ManageOwnTokens,
    /// Change one's own language and time zone.
    ManageOwnPreferences,
    /// See what the hub told oneself, and say that one read it.
    ReadOwnNotifications,
}

impl Viewer {
    /// Whether the credential reaches this far; a sign-in reaches as far as its user.
    pub fn holds(&self, scope: TokenScope) -> bool {
        match &self.credential {
            Credential::Session | Credential::Platform => true,
            Credential::ApiToken(scopes) => scopes.contains(&scope),
            Credential::Player => scope == TokenScope::Record,
        }
    }

    /// Whether the viewer may do this.
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

    /// Filter keys of which this viewer must give at least one to read the dataset; none when it is open to them.
    pub fn required_scope(&self, dataset: Dataset) -> &'static [FilterKey] {
        match (self.role, dataset.describe().teacher_admin) {
            (Role::TeacherAdmin, TeacherAdminAccess::OneOf(keys)) => keys,
            _ => &[],
        }
    }

    /// Whether the viewer may read the dataset at all, be it within a scope.
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

/// Why something is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The role does not include it.
    Role,
    /// A Teacher Admin must give one of these filters first.
    ScopeRequired {
        /// What they want to read.
        dataset: Dataset,
        /// Any one of these is enough.
        one_of: &'static [FilterKey],
    },
    /// The course or lesson that was named does not exist, so it is no scope.
    ScopeUnknown,
    /// The course, or the lesson's course, is not assigned to this Teacher Admin.
    CourseNotAssigned,
    /// The `manage-settings` permission is missing.
    NeedsManageSettings,
    /// The API token lacks a scope.
    NeedsTokenScope(TokenScope),
    /// The progress of somebody else is to be recorded.
    NotYourUser,
    /// No API or player token is enough for this.
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

    /// The reason, in the reader's language.
    pub fn message(self, locale: Locale) -> String {
        let es = matches!(locale, Locale::Es);
        match self {
            Self::Role if es => "Tu rol no permite esto.".to_owned(),
            Self::Role => "Your role does not allow this.".to_owned(),
            Self::ScopeRequired { dataset, one_of } => {
                let title = dataset.describe().title.in_locale(locale);
                let names: Vec<&str> = one_of.iter().map(|key| key.key()).collect();
                if es {
                    let filters = names.join(" o ");
                    format!("Como Teacher Admin debes filtrar «{title}» por {filters}.")
                } else {
                    let filters = names.join(" or ");
                    format!("As a Teacher Admin you must filter “{title}” by {filters}.")
                }
            }
            Self::ScopeUnknown if es => "El curso o la lección del filtro no existe.".to_owned(),
            Self::ScopeUnknown => "The course or lesson in the filter does not exist.".to_owned(),
            Self::CourseNotAssigned if es => "Ese curso no está asignado a ti.".to_owned(),
            Self::CourseNotAssigned => "That course is not assigned to you.".to_owned(),
            Self::NeedsManageSettings if es => "Esto requiere el permiso manage-settings.".to_owned(),
            Self::NeedsManageSettings => "This needs the manage-settings permission.".to_owned(),
            Self::NeedsTokenScope(scope) if es => {
                format!("El token de API no tiene el alcance «{}».", scope.key())
            }
            Self::NeedsTokenScope(scope) => format!("The API token lacks the scope “{}”.", scope.key()),
            Self::NotYourUser if es => "Solo puedes registrar tu propio progreso.".to_owned(),
            Self::NotYourUser => "You may record your own progress only.".to_owned(),
            Self::NeedsSignIn if es => "Esto requiere iniciar sesión; un token no basta.".to_owned(),
            Self::NeedsSignIn => "This needs a sign-in; a token is not enough.".to_owned(),
        }
    }
}
