//! Input for users.

use async_graphql::InputObject;
use domain::access::{Permission, Role};

use super::RowInput;
use crate::auth::account::{INVALID_EMAIL, MAX_NAME_CHARACTERS, is_email};
use crate::graphql::lenient::Lenient;
use crate::id::Id;
use crate::mirror::Reader;
use crate::models::mirrored::user::MirroredUser;

/// A person or service of the learning platform.
#[derive(InputObject)]
pub struct UserInput {
    /// ID on the platform.
    id: Lenient<Id>,
    /// Name, up to 200 characters.
    name: String,
    /// E-mail address. It is unique, ignoring case.
    email: String,
    /// Role.
    role: Role,
    /// Permissions in addition to the role. If left out, they stay as they are.
    permissions: Option<Vec<Permission>>,
    /// Whether the user is active. Inactive users have no access.
    #[graphql(default_with = "Some(true)")]
    active: Option<bool>,
}

impl RowInput for UserInput {
    type Row = MirroredUser;

    fn read(self, fields: &mut Reader) -> Option<MirroredUser> {
        let id = fields.id("id", self.id.number());
        let name = fields.required_text("name", self.name, MAX_NAME_CHARACTERS);
        let email =
            if is_email(&self.email) { Some(self.email) } else { fields.invalid("email", INVALID_EMAIL) };
        Some(MirroredUser {
            id: id?,
            name: name?,
            email: email?,
            role: self.role.key(),
            manage_settings: self
                .permissions
                .map(|permissions| permissions.contains(&Permission::ManageSettings)),
            active: self.active.unwrap_or(true),
        })
    }
}
