//! Creating and changing accounts.

use chrono::{DateTime, Utc};
use diesel::result::{DatabaseErrorKind, Error as DatabaseError};
use diesel_async::AsyncConnection as _;
use domain::access::Role;
use domain::text::Text;
use secrecy::SecretString;

use super::password::{self, Passwords};
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::models::session::Session;
use crate::models::user::{NewUser, User, UserChanges};

/// The maximum length of an e-mail address (RFC 5321), in bytes.
const MAX_EMAIL_BYTES: usize = 254;
/// The maximum length of a name, in characters.
pub const MAX_NAME_CHARACTERS: usize = 200;

const INVALID_NAME: Text =
    Text::new("El nombre debe tener de 1 a 200 caracteres.", "The name must have 1 to 200 characters.");
/// The message for an invalid e-mail address.
pub const INVALID_EMAIL: Text =
    Text::new("La dirección de correo no es válida.", "This is not a valid e-mail address.");
const EMAIL_TAKEN: Text =
    Text::new("Ya existe una cuenta con ese correo.", "An account with this e-mail address already exists.");
/// The message for a user who does not exist.
pub const USER_NOT_FOUND: Text = Text::new("No existe ese usuario.", "User not found.");
/// The message for the last active admin, who must stay one.
pub const LAST_ADMIN: Text = Text::new(
    "Es el último administrador activo: antes nombra a otro.",
    "This is the last active admin. Make another user an admin first.",
);

/// An account to create.
#[derive(Debug)]
pub struct Registration<'a> {
    /// The name of a person or a program.
    pub name: &'a str,
    pub email: &'a str,
    pub role: Role,
    /// Whether to grant `manage-settings`; `None` leaves it to the role.
    pub manage_settings: Option<bool>,
    pub password: SecretString,
}

/// Changes that an admin makes to an account; `None` leaves a value as it is.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    pub role: Option<Role>,
    /// Whether to grant or to revoke `manage-settings`.
    pub manage_settings: Option<bool>,
    pub active: Option<bool>,
}

/// Creates an account.
pub async fn create_user(
    conn: &mut Connection,
    passwords: &Passwords,
    registration: Registration<'_>,
) -> Result<User> {
    let Registration { name, email, role, manage_settings, password } = registration;
    let (name, email) = (name.trim(), email.trim());
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARACTERS || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", INVALID_NAME));
    }
    if !is_email(email) {
        return Err(Error::invalid("email", INVALID_EMAIL));
    }
    password::check_strength(&password).map_err(|weak| Error::invalid("password", weak.text()))?;
    if User::find_by_email(conn, email).await?.is_some() {
        return Err(Error::Conflict(EMAIL_TAKEN.into()));
    }
    let password_hash = &passwords.hash(password).await?;
    let user = NewUser { name, email, role: role.key(), manage_settings, password_hash };
    match user.insert(conn).await {
        Err(DatabaseError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
            Err(Error::Conflict(EMAIL_TAKEN.into()))
        }
        inserted => Ok(inserted?),
    }
}

/// Changes an account. Deactivating it ends its sessions. The last active admin cannot be demoted or
/// deactivated.
pub async fn change_user(conn: &mut Connection, id: i64, change: Change, now: DateTime<Utc>) -> Result<User> {
    conn.transaction(async |conn| {
        // The admins are locked first, so that two of them cannot demote each other at the same time.
        let admins = User::lock_active_admins(conn).await?;
        let user = User::lock(conn, id).await?.ok_or(Error::NotFound(USER_NOT_FOUND.into()))?;
        let Change { role, manage_settings, active } = change;
        let stays_admin = role.unwrap_or(user.role) == Role::Admin && active.unwrap_or(user.active);
        if admins == [id] && !stays_admin {
            return Err(Error::Conflict(LAST_ADMIN.into()));
        }
        if active == Some(false) {
            Session::revoke_all(conn, &[id], now).await?;
        }
        let changes = UserChanges { role: role.map(Role::key), manage_settings, active, updated_at: now };
        Ok(User::update(conn, id, &changes).await?)
    })
    .await
}

/// Whether this looks like an e-mail address. Whether mail arrives there is not checked.
pub fn is_email(text: &str) -> bool {
    let is_plain = !text.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    let parts = text.rsplit_once('@');
    is_plain
        && text.len() <= MAX_EMAIL_BYTES
        && parts.is_some_and(|(local, domain)| {
            !local.is_empty() && !local.contains('@') && domain.split('.').all(|label| !label.is_empty())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_email_addresses_are_accepted() {
        for address in ["ana@example.com", "a.b+c@sub.example.org", "admin@localhost", "ñandú@ejemplo.es"] {
            assert!(is_email(address), "{address}");
        }
        let long = format!("{}@example.com", "a".repeat(250));
        for other in
            ["", "ana", "@example.com", "ana@", "ana@.com", "a na@example.com", "a@b@c", "a\0@b.c", &long]
        {
            assert!(!is_email(other), "{other}");
        }
    }
}
