//! From a bearer token to the person or program behind it, as the database knows them now.
//!
//! Nothing is remembered between requests: a user who was deactivated, a role that was taken away, a token or session
//! that was ended count from the next request on.

use chrono::{DateTime, Utc};
use domain::access::{CourseScope, Credential, Role, Viewer};
use uuid::Uuid;

use super::access_token::AccessToken;
use super::player_token::PlayerToken;
use super::{Auth, opaque};
use crate::config::access::TeacherAdminScope;
use crate::db::Connection;
use crate::error::Result;
use crate::models::api_token::ApiToken;
use crate::models::user::User;

/// Who is calling.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Their account.
    pub user: User,
    /// What the rules ask about them.
    pub viewer: Viewer,
    /// The session that they called from, if they signed in here.
    pub family_id: Option<Uuid>,
    /// The API token that they called with, if it was one.
    pub token_id: Option<i64>,
}

/// What a token says and its signature proves. Whether it still counts, the database knows.
pub enum Proof {
    /// It has the form of an API token; this is its digest.
    ApiToken([u8; 32]),
    /// The hub signed it for a session.
    Session(AccessToken),
    /// The hub signed it for a video player.
    Player(PlayerToken),
    /// The platform signed it for the user with this id.
    Platform(i64),
}

impl Proof {
    /// Judges a token without the database, so that made-up tokens cost it nothing.
    pub async fn of(auth: &Auth, token: &str, now: DateTime<Utc>) -> Option<Self> {
        if token.starts_with(opaque::API_TOKEN_PREFIX) {
            return opaque::looks_like_api_token(token).then(|| Self::ApiToken(opaque::digest(token)));
        }
        if let Some(access) = AccessToken::read(&auth.keys, token, now) {
            return Some(Self::Session(access));
        }
        if let Some(player) = PlayerToken::read(&auth.keys, token, now) {
            return Some(Self::Player(player));
        }
        auth.platform.read(token, now).await.map(Self::Platform)
    }
}

/// Who proved by a token who they are; nobody when it no longer counts.
pub async fn identify(
    auth: &Auth,
    conn: &mut Connection,
    proof: Proof,
    now: DateTime<Utc>,
) -> Result<Option<Identity>> {
    let (user, credential, family_id) = match proof {
        Proof::ApiToken(digest) => return by_api_token(auth, conn, &digest, now).await,
        Proof::Session(AccessToken { user_id, family_id }) => {
            (User::in_session(conn, user_id, family_id, now).await?, Credential::Session, Some(family_id))
        }
        Proof::Player(PlayerToken { user_id }) => {
            (User::active(conn, user_id).await?, Credential::Player, None)
        }
        Proof::Platform(user_id) => (User::active(conn, user_id).await?, Credential::Platform, None),
    };
    let Some(user) = user else { return Ok(None) };
    let viewer = viewer(auth, conn, &user, credential).await?;
    Ok(Some(Identity { user, viewer, family_id, token_id: None }))
}

/// What the rules ask about an active user who proved by this credential who they are.
pub async fn viewer(
    auth: &Auth,
    conn: &mut Connection,
    user: &User,
    credential: Credential,
) -> Result<Viewer> {
    let courses = match (auth.teacher_admin_scope, user.role) {
        (TeacherAdminScope::Assigned, Role::TeacherAdmin) => {
            CourseScope::Assigned(User::course_ids(conn, user.id).await?)
        }
        (TeacherAdminScope::Any | TeacherAdminScope::Assigned, _) => CourseScope::Any,
    };
    Ok(Viewer {
        user_id: user.id,
        role: user.role,
        manages_settings: user.manages_settings(),
        credential,
        courses,
    })
}

async fn by_api_token(
    auth: &Auth,
    conn: &mut Connection,
    digest: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<Identity>> {
    let Some((token, user)) = ApiToken::in_force(conn, digest, now).await? else { return Ok(None) };
    token.note_use(conn, now).await?;
    with_api_token(auth, conn, token, user).await.map(Some)
}

async fn with_api_token(auth: &Auth, conn: &mut Connection, token: ApiToken, user: User) -> Result<Identity> {
    let viewer = viewer(auth, conn, &user, Credential::ApiToken(token.scopes())).await?;
    Ok(Identity { user, viewer, family_id: None, token_id: Some(token.id) })
}

/// Who a signed link was made for, as the database knows them now; nobody when they, or the API token that it was made
/// with, are no longer good.
pub async fn behind_link(
    auth: &Auth,
    conn: &mut Connection,
    user_id: i64,
    token_id: Option<i64>,
    now: DateTime<Utc>,
) -> Result<Option<Identity>> {
    let Some(token_id) = token_id else {
        let Some(user) = User::active(conn, user_id).await? else { return Ok(None) };
        let viewer = viewer(auth, conn, &user, Credential::Session).await?;
        return Ok(Some(Identity { user, viewer, family_id: None, token_id: None }));
    };
    match ApiToken::in_force_by_id(conn, token_id, now).await? {
        Some((token, user)) if user.id == user_id => with_api_token(auth, conn, token, user).await.map(Some),
        Some(_) | None => Ok(None),
    }
}
