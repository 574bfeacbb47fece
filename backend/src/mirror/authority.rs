//! How far a caller's word goes.

use domain::Viewer;
use domain::access::{Credential, Role};

/// What the caller's credential lets them change about accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// An admin who signed in here: every account.
    AdminSignIn,
    /// A token, an admin's too, or a service: no admin, no account with a password here, no manage-settings.
    Limited,
}

impl Authority {
    /// The authority of this viewer.
    pub fn of(viewer: &Viewer) -> Self {
        match (&viewer.credential, viewer.role) {
            (Credential::Session, Role::Admin) => Self::AdminSignIn,
            (Credential::Session, Role::TeacherAdmin | Role::Teacher | Role::Student | Role::Service)
            | (Credential::Platform | Credential::ApiToken(_) | Credential::Player, _) => Self::Limited,
        }
    }
}
