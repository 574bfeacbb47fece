//! Identifies the person or program that a bearer token belongs to, by the current state of the database.
//!
//! Nothing is cached between requests: a deactivated user, a changed role or a revoked token or session takes
//! effect with the next request.

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

/// Who sent a request.
#[derive(Debug, Clone)]
pub struct Identity {
    pub user: User,
    /// The attributes that authorization rules depend on.
    pub viewer: Viewer,
    /// The session, if they signed in here.
    pub family_id: Option<Uuid>,
    /// The API token, if they used one.
    pub token_id: Option<i64>,
}

/// A credential that passed every check that needs no database. It may have been revoked.
pub enum Proof {
    /// The digest of something with the format of an API token.
    ApiToken([u8; 32]),
    /// An access token that the hub signed for a session.
    Session(AccessToken),
    /// A token that the hub signed for a video player.
    Player(PlayerToken),
    /// The user id in a token of the learning platform.
    Platform(i64),
}

impl Proof {
    /// Verifies a token without the database, so that forged tokens cause no queries.
    pub async fn from_token(auth: &Auth, token: &str, now: DateTime<Utc>) -> Option<Self> {
        if token.starts_with(opaque::API_TOKEN_PREFIX) {
            return opaque::looks_like_api_token(token).then(|| Self::ApiToken(opaque::digest(token)));
        }
        if let Some(access) = AccessToken::verify(&auth.keys, token, now) {
            return Some(Self::Session(access));
        }
        if let Some(player) = PlayerToken::verify(&auth.keys, token, now) {
            return Some(Self::Player(player));
        }
        auth.platform.verify(token, now).await.map(Self::Platform)
    }
}

/// The identity that a credential proves; `None` if it was revoked, has expired or belongs to an inactive
/// user.
pub async fn identify(
    auth: &Auth,
    conn: &mut Connection,
    proof: Proof,
    now: DateTime<Utc>,
) -> Result<Option<Identity>> {
    let (user, credential, family_id) = match proof {
        Proof::ApiToken(digest) => return identify_by_api_token(auth, conn, &digest, now).await,
        Proof::Session(AccessToken { user_id, family_id }) => (
            User::find_active_in_session(conn, user_id, family_id, now).await?,
            Credential::Session,
            Some(family_id),
        ),
        Proof::Player(PlayerToken { user_id }) => {
            (User::find_active(conn, user_id).await?, Credential::Player, None)
        }
        Proof::Platform(user_id) => (User::find_active(conn, user_id).await?, Credential::Platform, None),
    };
    let Some(user) = user else { return Ok(None) };
    let viewer = viewer(auth, conn, &user, credential).await?;
    Ok(Some(Identity { user, viewer, family_id, token_id: None }))
}

/// The viewer for an active user who authenticated with this credential.
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

async fn identify_by_api_token(
    auth: &Auth,
    conn: &mut Connection,
    digest: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<Identity>> {
    let Some((token, user)) = ApiToken::find_valid(conn, digest, now).await? else { return Ok(None) };
    token.record_use(conn, now).await?;
    from_api_token(auth, conn, token, user).await.map(Some)
}

async fn from_api_token(auth: &Auth, conn: &mut Connection, token: ApiToken, user: User) -> Result<Identity> {
    let viewer = viewer(auth, conn, &user, Credential::ApiToken(token.scopes())).await?;
    Ok(Identity { user, viewer, family_id: None, token_id: Some(token.id) })
}

/// The identity that a signed link was created for; `None` if the user is no longer active, or the API token
/// that created the link is no longer valid.
pub async fn identify_link_owner(
    auth: &Auth,
    conn: &mut Connection,
    user_id: i64,
    token_id: Option<i64>,
    now: DateTime<Utc>,
) -> Result<Option<Identity>> {
    let Some(token_id) = token_id else {
        let Some(user) = User::find_active(conn, user_id).await? else { return Ok(None) };
        let viewer = viewer(auth, conn, &user, Credential::Session).await?;
        return Ok(Some(Identity { user, viewer, family_id: None, token_id: None }));
    };
    match ApiToken::find_valid_by_id(conn, token_id, now).await? {
        Some((token, user)) if user.id == user_id => from_api_token(auth, conn, token, user).await.map(Some),
        Some(_) | None => Ok(None),
    }
}
