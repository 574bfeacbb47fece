//! Users as they are sent.

use async_graphql::InputObject;
use domain::Role;

use super::Statement;
use super::sent::Sent;
use crate::auth::account::{MAX_NAME, NOT_AN_EMAIL, is_email};
use crate::graphql::names::{Permission, RoleName};
use crate::id::Id;
use crate::mirror::Reader;
use crate::models::mirrored::user::MirroredUser;

/// A person or service of the learning platform.
#[derive(InputObject)]
pub struct UserInput {
    /// Their id on the platform.
    id: Sent<Id>,
    /// Their name, up to 200 characters.
    name: String,
    /// Their e-mail address, which nobody else may have, however it is typed.
    email: String,
    /// What they are.
    role: RoleName,
    /// The permissions that they hold; where it is left out, they keep what they have.
    permissions: Option<Vec<Permission>>,
    /// Whether they may do anything at all.
    #[graphql(default_with = "Some(true)")]
    active: Option<bool>,
}

impl Statement for UserInput {
    type Row = MirroredUser;

    fn read(self, fields: &mut Reader) -> Option<MirroredUser> {
        let id = fields.id("id", self.id.number());
        let name = fields.words("name", self.name, MAX_NAME);
        let email =
            if is_email(&self.email) { Some(self.email) } else { fields.wrong("email", NOT_AN_EMAIL) };
        Some(MirroredUser {
            id: id?,
            name: name?,
            email: email?,
            role: Role::from(self.role).key(),
            manage_settings: self.permissions.map(|held| held.contains(&Permission::ManageSettings)),
            active: self.active.unwrap_or(true),
        })
    }
}
