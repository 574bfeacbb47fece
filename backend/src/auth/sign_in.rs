//! Signing in with an e-mail address and a password.

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::Auth;
use super::password::Verdict;
use super::session::{self, Client, SignedIn};
use crate::db::Pool;
use crate::error::{Error, Result};
use crate::models::user::User;

/// Starts a session if the two belong together.
///
/// Takes as long and answers the same whether the address is unknown, its account locked out, or the password wrong.
pub async fn sign_in(
    auth: &Auth,
    pool: &Pool,
    email: &str,
    password: SecretString,
    client: Client<'_>,
    now: DateTime<Utc>,
) -> Result<SignedIn> {
    auth.login_limits.admit(email, client.address, now)?;
    let account = find(pool, email).await?;
    // No connection is held while the password is hashed.
    let stored = account.as_ref().map(|(_, hash)| hash.as_str());
    let verdict = auth.passwords.verify(password.clone(), stored).await?;
    let Some((user, hash)) = account else { return Err(Error::WrongLogin) };
    let renewed = match verdict {
        Verdict::Wrong => return Err(Error::WrongLogin),
        Verdict::Right => None,
        Verdict::RightButOutdated => Some(auth.passwords.hash(password).await?),
    };
    auth.login_limits.forgive(email);
    let mut conn = pool.get().await?;
    if let Some(renewed) = renewed {
        User::rehash(&mut conn, user.id, &hash, &renewed).await?;
    }
    session::start(&mut conn, &auth.keys, user.id, client, now).await
}

async fn find(pool: &Pool, email: &str) -> Result<Option<(User, String)>> {
    // PostgreSQL takes no text with a NUL in it, and no account has one.
    if email.contains('\0') {
        return Ok(None);
    }
    Ok(User::with_password_hash(&mut *pool.get().await?, email.trim()).await?)
}
