//! Sign-in sessions: a short-lived access token, and a refresh token that can be used once.
//!
//! A sign-in starts a family of refresh tokens, in which each token replaces the previous one. If a replaced
//! token is used again, it was copied, so the whole family is revoked and everyone who has one of its tokens
//! must sign in again. There is no grace period for concurrent refreshes, since a thief would benefit from it
//! too. The browser's tabs take turns instead.
//!
//! Everything that starts, refreshes or ends a user's sessions locks the user's row first. Therefore no token
//! is issued in a family that is being revoked, or for an account that is being deactivated.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncConnection as _;
use secrecy::{ExposeSecret, SecretString};
use tracing::warn;
use uuid::Uuid;

use super::access_token::AccessToken;
use super::keys::Keys;
use super::opaque;
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::models::session::{NewSession, Session};
use crate::models::user::User;

/// How long a refresh token is valid. Each refresh issues a token with a new lifetime.
pub const LIFETIME: TimeDelta = TimeDelta::days(30);

/// A longer user agent is truncated to this many bytes.
const MAX_USER_AGENT_BYTES: usize = 512;

/// Where a request came from, recorded with its session.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    pub address: Option<IpAddr>,
    pub user_agent: Option<&'a str>,
}

/// A signed-in user and the tokens for their browser.
#[derive(Debug)]
pub struct SignedIn {
    pub user: User,
    /// For the `Authorization` header.
    pub access_token: SecretString,
    /// When the access token expires.
    pub expires_at: DateTime<Utc>,
    /// For the refresh cookie.
    pub refresh_token: SecretString,
}

/// The outcome of a refresh. A refusal is not an error, since the transaction that revokes the family must
/// commit.
enum RefreshOutcome {
    Issued(SignedIn),
    Refused,
}

/// Starts a session for an authenticated user.
pub async fn start(
    conn: &mut Connection,
    keys: &Keys,
    user_id: i64,
    client: Client<'_>,
    now: DateTime<Utc>,
) -> Result<SignedIn> {
    conn.transaction(async |conn| {
        let user =
            User::lock(conn, user_id).await?.filter(|user| user.active).ok_or(Error::Unauthenticated)?;
        issue(conn, keys, user, Uuid::new_v4(), client, now).await
    })
    .await
}

/// Exchanges a refresh token for a new access token and a new refresh token.
pub async fn refresh(
    conn: &mut Connection,
    keys: &Keys,
    refresh_token: &SecretString,
    client: Client<'_>,
    now: DateTime<Utc>,
) -> Result<SignedIn> {
    let outcome: RefreshOutcome = conn
        .transaction(async |conn| {
            let Some((session, user)) = lock(conn, refresh_token).await? else {
                return Ok(RefreshOutcome::Refused);
            };
            if session.revoked_at.is_some() || session.expires_at <= now || !user.active {
                return Ok(RefreshOutcome::Refused);
            }
            if session.rotated_at.is_some() {
                warn!(
                    user_id = user.id,
                    family = %session.family_id,
                    "A refresh token was reused; revoked its session"
                );
                Session::revoke_family(conn, session.family_id, now).await?;
                return Ok(RefreshOutcome::Refused);
            }
            Session::mark_rotated(conn, session.id, now).await?;
            issue(conn, keys, user, session.family_id, client, now).await.map(RefreshOutcome::Issued)
        })
        .await?;
    match outcome {
        RefreshOutcome::Issued(signed_in) => Ok(signed_in),
        RefreshOutcome::Refused => Err(Error::Unauthenticated),
    }
}

/// Ends the session that a refresh token belongs to. Unknown tokens are ignored.
pub async fn end(conn: &mut Connection, refresh_token: &SecretString, now: DateTime<Utc>) -> Result<()> {
    conn.transaction(async |conn| {
        if let Some((session, _)) = lock(conn, refresh_token).await? {
            Session::revoke_family(conn, session.family_id, now).await?;
        }
        Ok(())
    })
    .await
}

/// Ends a session by the family id in its access tokens.
pub async fn end_family(
    conn: &mut Connection,
    user_id: i64,
    family_id: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    conn.transaction(async |conn| {
        User::lock(conn, user_id).await?;
        Ok(Session::revoke_family(conn, family_id, now).await?)
    })
    .await
}

/// Locks the user of a refresh token, then reads the token's session.
async fn lock(conn: &mut Connection, refresh_token: &SecretString) -> Result<Option<(Session, User)>> {
    let digest = opaque::digest(refresh_token.expose_secret());
    let Some(found) = Session::find_by_digest(conn, &digest).await? else { return Ok(None) };
    let Some(user) = User::lock(conn, found.user_id).await? else { return Ok(None) };
    let session = Session::find_by_digest(conn, &digest).await?;
    Ok(session.map(|session| (session, user)))
}

async fn issue(
    conn: &mut Connection,
    keys: &Keys,
    user: User,
    family_id: Uuid,
    client: Client<'_>,
    now: DateTime<Utc>,
) -> Result<SignedIn> {
    let refresh_token = opaque::new_refresh_token(&mut rand::rng());
    let session = NewSession {
        id: Uuid::new_v4(),
        family_id,
        user_id: user.id,
        token_hash: &opaque::digest(refresh_token.expose_secret()),
        created_at: now,
        expires_at: now + LIFETIME,
        address: client.address.map(Into::into),
        user_agent: client.user_agent.map(|agent| &agent[..agent.floor_char_boundary(MAX_USER_AGENT_BYTES)]),
    };
    session.insert(conn).await?;
    let (access_token, expires_at) = AccessToken { user_id: user.id, family_id }.issue(keys, now)?;
    Ok(SignedIn { user, access_token, expires_at, refresh_token })
}
