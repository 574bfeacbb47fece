//! API tokens: one's own, and for admins everybody's. Player tokens, for the platform.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::Viewer;
use domain::access::{Act, Role, TokenScope};
use domain::text::Text;
use secrecy::ExposeSecret as _;

use super::context::ContextExt as _;
use super::names::ScopeName;
use crate::auth::api_token::create_api_token;
use crate::auth::player_token::{Minutes, PlayerToken};
use crate::error::{Error, Result};
use crate::id::Id;
use crate::models::api_token::{self, Owner};
use crate::models::user::User;

const NO_SUCH_TOKEN: Text = Text::new("No existe ese token.", "There is no such token.");
const NO_SUCH_USER: Text = Text::new("No existe ese usuario activo.", "There is no such active user.");
const MINUTES: Text = Text::new("Se acepta un número de 1 a 1440.", "Accepted: a number from 1 to 1440.");

/// API tokens.
#[derive(Default)]
pub struct TokenQuery;

#[Object]
impl TokenQuery {
    /// One's own API tokens, or all for an admin, the newest first; revoked and expired ones too.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN for students, and with an API or player token.
    async fn api_tokens(&self, ctx: &Context<'_>) -> Result<Vec<ApiToken>> {
        let viewer = ctx.viewer_who_may(Act::ManageOwnTokens)?;
        let tokens = api_token::ApiToken::of(&mut *ctx.conn().await?, whose(viewer)).await?;
        Ok(tokens.into_iter().map(ApiToken::from).collect())
    }
}

/// Making and ending API tokens.
#[derive(Default)]
pub struct TokenMutation;

#[Object]
impl TokenMutation {
    /// Makes an API token with a part of one's own rights.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN for students, and with an API or player token; BAD_USER_INPUT for a name that
    /// is empty or longer than 100 characters, for no scope or one beyond one's own rights, and for an expiry in the
    /// past.
    async fn create_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "To know it by, 1 to 100 characters.")] name: String,
        #[graphql(desc = "What it may be used for: at least one.")] scopes: Vec<ScopeName>,
        #[graphql(desc = "When it ends by itself; never unless given.")] expires_at: Option<DateTime<Utc>>,
    ) -> Result<CreatedApiToken> {
        ctx.viewer_who_may(Act::ManageOwnTokens)?;
        let owner = &ctx.identity()?.user;
        let scopes: Vec<TokenScope> = scopes.into_iter().map(TokenScope::from).collect();
        let now = ctx.app().clock.now();
        let mut conn = ctx.conn().await?;
        let (secret, token) = create_api_token(&mut conn, owner, &name, &scopes, expires_at, now).await?;
        Ok(CreatedApiToken { secret: secret.expose_secret().to_owned(), token: token.into() })
    }

    /// Ends an API token of one's own, or any for an admin, at once; ending it again changes nothing.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN for students, and with an API or player token; NOT_FOUND for somebody else's.
    async fn revoke_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token's id, not its secret.")] id: Id,
    ) -> Result<ApiToken> {
        let viewer = ctx.viewer_who_may(Act::ManageOwnTokens)?;
        let now = ctx.app().clock.now();
        let mut conn = ctx.conn().await?;
        let revoked = api_token::ApiToken::revoke(&mut conn, id.0, whose(viewer), now).await?;
        revoked.map(ApiToken::from).ok_or(Error::NotFound(NO_SUCH_TOKEN.into()))
    }

    /// Makes a token with which a player records the progress of one user, and nothing else.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN but for admins and services, and with an API token that has neither RECORD nor
    /// PLATFORM; NOT_FOUND for a user who is not there or locked out; BAD_USER_INPUT for other minutes.
    async fn issue_player_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose progress.")] user_id: Id,
        #[graphql(desc = "How long it is good for, from 1 to 1440; 120 unless told.", default = 120)] minutes: Option<i32>,
    ) -> Result<IssuedPlayerToken> {
        let viewer = ctx.viewer()?;
        viewer.may(Act::RecordForAnybody).or_else(|_| viewer.may(Act::Mirror))?;
        let minutes =
            Minutes::new(minutes.unwrap_or(120)).ok_or_else(|| Error::invalid("minutes", MINUTES))?;
        let user = User::active(&mut *ctx.conn().await?, user_id.0).await?;
        let user = user.ok_or(Error::NotFound(NO_SUCH_USER.into()))?;
        let app = ctx.app();
        let (token, expires_at) =
            PlayerToken { user_id: user.id }.issue(&app.auth.keys, app.clock.now(), minutes)?;
        Ok(IssuedPlayerToken { token: token.expose_secret().to_owned(), expires_at })
    }
}

fn whose(viewer: &Viewer) -> Owner {
    match viewer.role {
        Role::Admin => Owner::Anybody,
        Role::TeacherAdmin | Role::Teacher | Role::Student | Role::Service => Owner::User(viewer.user_id),
    }
}

/// A token for scripts and services. Its secret is shown once, when it is made.
#[derive(SimpleObject)]
pub struct ApiToken {
    /// Names the token; no secret.
    id: Id,
    /// Whose rights it carries a part of.
    user_id: Id,
    /// What its owner calls it.
    name: String,
    /// How it begins.
    prefix: String,
    /// What it may be used for.
    scopes: Vec<ScopeName>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it ends by itself; null for never.
    expires_at: Option<DateTime<Utc>>,
    /// When it was last accepted, to the minute; null for never.
    last_used_at: Option<DateTime<Utc>>,
    /// When it was ended; null while it is in force.
    revoked_at: Option<DateTime<Utc>>,
}

/// A token for a video player.
#[derive(SimpleObject)]
#[graphql(name = "PlayerToken")]
pub struct IssuedPlayerToken {
    /// For the `Authorization` header: `Bearer …`.
    token: String,
    /// When it ends.
    expires_at: DateTime<Utc>,
}

/// A token that was just made.
#[derive(SimpleObject)]
pub struct CreatedApiToken {
    /// Shown this once.
    secret: String,
    /// The token.
    token: ApiToken,
}

impl From<api_token::ApiToken> for ApiToken {
    fn from(token: api_token::ApiToken) -> Self {
        Self {
            id: Id(token.id),
            user_id: Id(token.user_id),
            scopes: token.scopes().into_iter().map(ScopeName::from).collect(),
            name: token.name,
            prefix: token.prefix,
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
            revoked_at: token.revoked_at,
        }
    }
}
