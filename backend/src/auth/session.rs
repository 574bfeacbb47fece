//! Sign-in sessions: a short access token, and a refresh token that is good for one exchange.
//!
//! A sign-in starts a family of refresh tokens, each the successor of the one before. Whoever shows a token that has
//! been exchanged already holds a copy of it, so the whole family ends and both holders must sign in again. There is no
//! grace for two exchanges at the same time: it would be the thief's as well. The browser's tabs take turns instead.
//!
//! Whatever starts, continues or ends sessions of a user locks the user's row first. So no token can be born in a family
//! while it is being ended, nor for an account while it is being locked out.

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

/// How long a refresh token waits for its exchange; each exchange starts the time anew.
pub const LIFETIME: TimeDelta = TimeDelta::days(30);

/// The most of what a browser says about itself that is kept.
const MAX_USER_AGENT_BYTES: usize = 512;

/// Where a request came from, for the record.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    /// Its address.
    pub address: Option<IpAddr>,
    /// What it calls itself.
    pub user_agent: Option<&'a str>,
}

/// Somebody who is signed in, with what the browser needs to stay so.
#[derive(Debug)]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// For the `Authorization` header.
    pub access_token: SecretString,
    /// When the access token ends.
    pub expires_at: DateTime<Utc>,
    /// For the refresh cookie.
    pub refresh_token: SecretString,
}

/// What an exchange came to. A refusal is an outcome and no error, since ending the family must be committed.
enum Exchange {
    Done(SignedIn),
    Refused,
}

/// Starts a session for a user who has proven who they are.
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

/// Exchanges a refresh token for the next one.
pub async fn refresh(
    conn: &mut Connection,
    keys: &Keys,
    refresh_token: &SecretString,
    client: Client<'_>,
    now: DateTime<Utc>,
) -> Result<SignedIn> {
    let exchange: Exchange = conn
        .transaction(async |conn| {
            let Some((session, user)) = lock(conn, refresh_token).await? else { return Ok(Exchange::Refused) };
            if session.revoked_at.is_some() || session.expires_at <= now || !user.active {
                return Ok(Exchange::Refused);
            }
            if session.rotated_at.is_some() {
                warn!(user_id = user.id, family = %session.family_id, "A refresh token was shown twice; ended its session");
                Session::revoke_family(conn, session.family_id, now).await?;
                return Ok(Exchange::Refused);
            }
            Session::mark_rotated(conn, session.id, now).await?;
            issue(conn, keys, user, session.family_id, client, now).await.map(Exchange::Done)
        })
        .await?;
    match exchange {
        Exchange::Done(signed_in) => Ok(signed_in),
        Exchange::Refused => Err(Error::Unauthenticated),
    }
}

/// Ends the session that a refresh token belongs to; an unknown token is none of anybody's business.
pub async fn end(conn: &mut Connection, refresh_token: &SecretString, now: DateTime<Utc>) -> Result<()> {
    conn.transaction(async |conn| {
        if let Some((session, _)) = lock(conn, refresh_token).await? {
            Session::revoke_family(conn, session.family_id, now).await?;
        }
        Ok(())
    })
    .await
}

/// Ends a session by the id that its access tokens carry.
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

/// The token's session as it is once its user is locked.
async fn lock(conn: &mut Connection, refresh_token: &SecretString) -> Result<Option<(Session, User)>> {
    let digest = opaque::digest(refresh_token.expose_secret());
    let Some(found) = Session::by_digest(conn, &digest).await? else { return Ok(None) };
    let Some(user) = User::lock(conn, found.user_id).await? else { return Ok(None) };
    let session = Session::by_digest(conn, &digest).await?;
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
        user_agent: client.user_agent.map(|name| &name[..name.floor_char_boundary(MAX_USER_AGENT_BYTES)]),
    };
    session.insert(conn).await?;
    let (access_token, expires_at) = AccessToken { user_id: user.id, family_id }.issue(keys, now)?;
    Ok(SignedIn { user, access_token, expires_at, refresh_token })
}
