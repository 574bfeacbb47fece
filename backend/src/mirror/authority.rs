//! What a caller is authorised to change.

use domain::Viewer;
use domain::access::{Credential, Role};

/// Which accounts the caller may change, depending on the credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// An admin who signed in to the hub: all accounts.
    AdminSignIn,
    /// A token (also an admin's) or a service: no admins, no accounts with a password here, and no
    /// manage-settings.
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
