//! Signing in with an e-mail address and a password.

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::Auth;
use super::password::PasswordCheck;
use super::session::{self, Client, SignedIn};
use crate::db::Pool;
use crate::error::{Error, Result};
use crate::models::user::User;

/// Starts a session if the password is correct.
///
/// An unknown address, an inactive account and a wrong password take the same time and return the same error.
pub async fn sign_in(
    auth: &Auth,
    pool: &Pool,
    email: &str,
    password: SecretString,
    client: Client<'_>,
    now: DateTime<Utc>,
) -> Result<SignedIn> {
    auth.login_limits.check(email, client.address, now)?;
    let account = find(pool, email).await?;
    // No database connection is in use while the password is hashed.
    let stored = account.as_ref().map(|(_, hash)| hash.as_str());
    let check = auth.passwords.verify(password.clone(), stored).await?;
    let Some((user, hash)) = account else { return Err(Error::WrongCredentials) };
    let new_hash = match check {
        PasswordCheck::Wrong => return Err(Error::WrongCredentials),
        PasswordCheck::Correct => None,
        PasswordCheck::CorrectButOutdated => Some(auth.passwords.hash(password).await?),
    };
    auth.login_limits.reset(email);
    let mut conn = pool.get().await?;
    if let Some(new_hash) = new_hash {
        User::rehash(&mut conn, user.id, &hash, &new_hash).await?;
    }
    session::start(&mut conn, &auth.keys, user.id, client, now).await
}

async fn find(pool: &Pool, email: &str) -> Result<Option<(User, String)>> {
    // PostgreSQL rejects text with a NUL character, so no account has one.
    if email.contains('\0') {
        return Ok(None);
    }
    Ok(User::find_active_with_password_hash(&mut *pool.get().await?, email.trim()).await?)
}
