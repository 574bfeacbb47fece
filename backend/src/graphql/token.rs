//! API tokens, and player tokens for the platform.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::Viewer;
use domain::access::{Act, Role, TokenScope};
use domain::text::Text;
use secrecy::ExposeSecret as _;

use super::context::ContextExt as _;
use crate::auth::api_token::create_api_token;
use crate::auth::player_token::{LifetimeMinutes, PlayerToken};
use crate::error::{Error, Result};
use crate::id::Id;
use crate::models::api_token::{self, OwnerFilter};
use crate::models::user::User;

const NO_SUCH_TOKEN: Text = Text::new("No existe ese token.", "This token does not exist.");
const NO_SUCH_USER: Text =
    Text::new("No existe ningún usuario activo con este identificador.", "No active user has this ID.");
const INVALID_MINUTES: Text =
    Text::new("Se acepta un número de 1 a 1440.", "Accepted: a number from 1 to 1440.");

/// API tokens.
#[derive(Default)]
pub struct TokenQuery;

#[Object]
impl TokenQuery {
    /// The caller's API tokens, newest first, including revoked and expired ones. Admins see all users'
    /// tokens.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN for students, and with an API or player token.
    async fn api_tokens(&self, ctx: &Context<'_>) -> Result<Vec<ApiToken>> {
        let viewer = ctx.viewer_who_may(Act::ManageOwnTokens)?;
        let tokens = api_token::ApiToken::list(&mut *ctx.conn().await?, visible_tokens(viewer)).await?;
        Ok(tokens.into_iter().map(ApiToken::from).collect())
    }
}

/// Creates and revokes tokens.
#[derive(Default)]
pub struct TokenMutation;

#[Object]
impl TokenMutation {
    /// Creates an API token with some of the caller's permissions.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN for students, and with an API or player token; BAD_USER_INPUT if
    /// the name is empty or longer than 100 characters, if there is no scope or one that exceeds the caller's
    /// permissions, and if the expiry is in the past.
    async fn create_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Name of the token, 1–100 characters.")] name: String,
        #[graphql(desc = "Scopes of the token, at least one.")] scopes: Vec<TokenScope>,
        #[graphql(desc = "When the token expires. Default: never.")] expires_at: Option<DateTime<Utc>>,
    ) -> Result<CreatedApiToken> {
        ctx.viewer_who_may(Act::ManageOwnTokens)?;
        let owner = &ctx.identity()?.user;
        let now = ctx.app().clock.now();
        let mut conn = ctx.conn().await?;
        let (secret, token) = create_api_token(&mut conn, owner, &name, &scopes, expires_at, now).await?;
        Ok(CreatedApiToken { secret: secret.expose_secret().to_owned(), token: token.into() })
    }

    /// Revokes an API token of the caller, or of any user if the caller is an admin. Repeating it changes
    /// nothing.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN for students, and with an API or player token; NOT_FOUND for
    /// another user's token.
    async fn revoke_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the token, not its secret.")] id: Id,
    ) -> Result<ApiToken> {
        let viewer = ctx.viewer_who_may(Act::ManageOwnTokens)?;
        let now = ctx.app().clock.now();
        let mut conn = ctx.conn().await?;
        let revoked = api_token::ApiToken::revoke(&mut conn, id.0, visible_tokens(viewer), now).await?;
        revoked.map(ApiToken::from).ok_or(Error::NotFound(NO_SUCH_TOKEN.into()))
    }

    /// Creates a token with which a video player records the progress of one user. It permits nothing else.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN unless the caller is an admin or a service, and with an API token
    /// without RECORD or PLATFORM; NOT_FOUND if there is no such active user; BAD_USER_INPUT for an invalid
    /// lifetime.
    async fn issue_player_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the user.")] user_id: Id,
        #[graphql(desc = "Lifetime in minutes, 1–1440. Default 120.", default = 120)] minutes: Option<i32>,
    ) -> Result<IssuedPlayerToken> {
        let viewer = ctx.viewer()?;
        viewer.may(Act::RecordForAnybody).or_else(|_| viewer.may(Act::Mirror))?;
        let minutes = LifetimeMinutes::new(minutes.unwrap_or(120))
            .ok_or_else(|| Error::invalid("minutes", INVALID_MINUTES))?;
        let user = User::find_active(&mut *ctx.conn().await?, user_id.0).await?;
        let user = user.ok_or(Error::NotFound(NO_SUCH_USER.into()))?;
        let app = ctx.app();
        let (token, expires_at) =
            PlayerToken { user_id: user.id }.issue(&app.auth.keys, app.clock.now(), minutes)?;
        Ok(IssuedPlayerToken { token: token.expose_secret().to_owned(), expires_at })
    }
}

fn visible_tokens(viewer: &Viewer) -> OwnerFilter {
    match viewer.role {
        Role::Admin => OwnerFilter::Any,
        Role::TeacherAdmin | Role::Teacher | Role::Student | Role::Service => {
            OwnerFilter::User(viewer.user_id)
        }
    }
}

/// A token for scripts and services. Its secret is shown only once, when it is created.
#[derive(SimpleObject)]
pub struct ApiToken {
    /// ID of the token. It is not secret.
    id: Id,
    /// ID of the owner.
    user_id: Id,
    /// Name of the token.
    name: String,
    /// First characters of the secret.
    prefix: String,
    /// Scopes of the token.
    scopes: Vec<TokenScope>,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When it expires. Null for never.
    expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute. Null for never.
    last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked. Null if it was not.
    revoked_at: Option<DateTime<Utc>>,
}

/// A token for a video player.
#[derive(SimpleObject)]
#[graphql(name = "PlayerToken")]
pub struct IssuedPlayerToken {
    /// Token for the header `Authorization: Bearer …`.
    token: String,
    /// When it expires.
    expires_at: DateTime<Utc>,
}

/// A new API token.
#[derive(SimpleObject)]
pub struct CreatedApiToken {
    /// The secret. It is shown only this time.
    secret: String,
    /// The token.
    token: ApiToken,
}

impl From<api_token::ApiToken> for ApiToken {
    fn from(token: api_token::ApiToken) -> Self {
        Self {
            id: Id(token.id),
            user_id: Id(token.user_id),
            scopes: token.scopes(),
            name: token.name,
            prefix: token.prefix,
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
            revoked_at: token.revoked_at,
        }
    }
}
