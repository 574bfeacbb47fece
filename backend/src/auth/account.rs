//! Making and changing accounts.

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

/// The most bytes of an e-mail address (RFC 5321).
const MAX_EMAIL: usize = 254;
/// The most characters of a name.
pub const MAX_NAME: usize = 200;

const NAME: Text =
    Text::new("El nombre debe tener de 1 a 200 caracteres.", "The name must have from 1 to 200 characters.");
/// What somebody is told whose address is none.
pub const NOT_AN_EMAIL: Text = Text::new("Esa no es una dirección de correo.", "That is no e-mail address.");
const EMAIL_TAKEN: Text =
    Text::new("Ya hay una cuenta con ese correo.", "There is an account with that e-mail address already.");
const NO_SUCH_USER: Text = Text::new("No existe ese usuario.", "There is no such user.");
const LAST_ADMIN: Text = Text::new(
    "Es el último administrador activo: antes nombra a otro.",
    "This is the last active admin: appoint another one first.",
);

/// An account that somebody wants made.
#[derive(Debug)]
pub struct Registration<'a> {
    /// The person's or program's name.
    pub name: &'a str,
    /// Their e-mail address, which they sign in with.
    pub email: &'a str,
    /// What they are.
    pub role: Role,
    /// `manage-settings`: granted, taken, or as the role has it.
    pub manage_settings: Option<bool>,
    /// What they sign in with.
    pub password: SecretString,
}

/// What an admin wants changed; what is `None` stays.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    /// Another role.
    pub role: Option<Role>,
    /// `manage-settings`: granted or taken.
    pub manage_settings: Option<bool>,
    /// Let in or locked out.
    pub active: Option<bool>,
}

/// Makes an account.
pub async fn create_user(
    conn: &mut Connection,
    passwords: &Passwords,
    registration: Registration<'_>,
) -> Result<User> {
    let Registration { name, email, role, manage_settings, password } = registration;
    let (name, email) = (name.trim(), email.trim());
    if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", NAME));
    }
    if !is_email(email) {
        return Err(Error::invalid("email", NOT_AN_EMAIL));
    }
    password::check_strength(&password).map_err(|weak| Error::invalid("password", weak.text()))?;
    if User::by_email(conn, email).await?.is_some() {
        return Err(Error::Conflict(EMAIL_TAKEN.into()));
    }
    let password_hash = &passwords.hash(password).await?;
    let user = NewUser { name, email, role: role.key(), manage_settings, password_hash };
    match user.insert(conn).await {
        Err(DatabaseError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
            Err(Error::Conflict(EMAIL_TAKEN.into()))
        }
        made => Ok(made?),
    }
}

/// Changes an account; locking it out ends its sessions. One active admin always remains.
pub async fn change_user(conn: &mut Connection, id: i64, change: Change, now: DateTime<Utc>) -> Result<User> {
    conn.transaction(async |conn| {
        // The admins first, so that two of them cannot depose each other at the same moment.
        let admins = User::lock_active_admins(conn).await?;
        let user = User::lock(conn, id).await?.ok_or(Error::NotFound(NO_SUCH_USER.into()))?;
        let Change { role, manage_settings, active } = change;
        let stays_admin = role.unwrap_or(user.role) == Role::Admin && active.unwrap_or(user.active);
        if admins == [id] && !stays_admin {
            return Err(Error::Conflict(LAST_ADMIN.into()));
        }
        if active == Some(false) {
            Session::revoke_all(conn, id, now).await?;
        }
        let changes = UserChanges { role: role.map(Role::key), manage_settings, active, updated_at: now };
        Ok(User::change(conn, id, &changes).await?)
    })
    .await
}

/// Whether mail could be sent there, as far as one can see. Whether it arrives, only sending would tell.
pub fn is_email(text: &str) -> bool {
    let plain = !text.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    let parts = text.rsplit_once('@');
    plain
        && text.len() <= MAX_EMAIL
        && parts.is_some_and(|(local, domain)| {
            !local.is_empty() && !local.contains('@') && domain.split('.').all(|label| !label.is_empty())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_text() {
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
