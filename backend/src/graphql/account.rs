//! The caller's account: signing in and out, and preferences.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::Locale;
use domain::access::{Act, Credential, Denied, Permission, Role};
use domain::text::Text;
use secrecy::{ExposeSecret as _, SecretString};

use super::catalog::Course;
use super::context::ContextExt as _;
use super::user::permissions;
use crate::auth::session::{self, SignedIn};
use crate::auth::sign_in::sign_in;
use crate::auth::{Auth, refresh_cookie};
use crate::error::{Error, Result};
use crate::id::Id;
use crate::models::course;
use crate::models::user::{Preferences, User};

const UNKNOWN_TIMEZONE: Text = Text::new(
    "No es una zona horaria de la IANA. Se acepta un nombre como Europe/Madrid.",
    "Not an IANA time zone. Accepted: a name such as Europe/Madrid.",
);

/// The caller's account.
#[derive(Default)]
pub struct AccountQuery;

#[Object]
impl AccountQuery {
    /// The caller. Errors: UNAUTHENTICATED; FORBIDDEN with a player token.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<ViewerAccount> {
        let identity = ctx.identity()?;
        match identity.viewer.credential {
            Credential::Session | Credential::Platform | Credential::ApiToken(_) => {
                Ok(ViewerAccount(identity.user.clone()))
            }
            Credential::Player => Err(Denied::NeedsSignIn.into()),
        }
    }
}

/// Signing in and out, preferences.
#[derive(Default)]
pub struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Starts a session and sets the refresh cookie.
    ///
    /// Errors: UNAUTHENTICATED if the e-mail address or the password is wrong; RATE_LIMITED after too many
    /// attempts for one account or from one IP address.
    async fn login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "E-mail address, in upper or lower case.")] email: String,
        #[graphql(desc = "Password.")] password: String,
    ) -> Result<Session> {
        let (app, password) = (ctx.app(), SecretString::from(password));
        let client = ctx.request().client();
        let signed_in = sign_in(&app.auth, &app.pool, &email, password, client, app.clock.now()).await?;
        Ok(open(ctx, &app.auth, signed_in))
    }

    /// Exchanges the refresh cookie for a new one and a new access token. Each cookie is valid for one
    /// exchange.
    ///
    /// Using a cookie twice ends the session, because it may have been stolen. Errors: UNAUTHENTICATED.
    async fn refresh_session(&self, ctx: &Context<'_>) -> Result<Session> {
        let (app, request) = (ctx.app(), ctx.request());
        let token = request.refresh_token.as_ref().ok_or(Error::Unauthenticated)?;
        let mut conn = ctx.conn().await?;
        let refreshed =
            session::refresh(&mut conn, &app.auth.keys, token, request.client(), app.clock.now()).await;
        if matches!(refreshed, Err(Error::Unauthenticated)) {
            ctx.append_http_header("set-cookie", refresh_cookie::clear(app.auth.transport));
        }
        Ok(open(ctx, &app.auth, refreshed?))
    }

    /// Ends the sessions of the access token and of the refresh cookie, and removes the cookie. Always
    /// `true`.
    async fn logout(&self, ctx: &Context<'_>) -> Result<bool> {
        let (app, request) = (ctx.app(), ctx.request());
        let mut conn = ctx.conn().await?;
        if let Some(token) = &request.refresh_token {
            session::end(&mut conn, token, app.clock.now()).await?;
        }
        if let Some((identity, family)) =
            request.identity.as_ref().and_then(|who| Some((who, who.family_id?)))
        {
            session::end_family(&mut conn, identity.user.id, family, app.clock.now()).await?;
        }
        ctx.append_http_header("set-cookie", refresh_cookie::clear(app.auth.transport));
        Ok(true)
    }

    /// Changes the caller's language and time zone. Arguments that are left out change nothing.
    ///
    /// Errors: UNAUTHENTICATED, FORBIDDEN with an API or player token, BAD_USER_INPUT for an unknown time
    /// zone.
    async fn update_preferences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Language of the Hub, of mail and of exports.")] locale: Option<Locale>,
        #[graphql(desc = "IANA time zone, such as `Europe/Madrid`.")] timezone: Option<String>,
    ) -> Result<ViewerAccount> {
        let viewer = ctx.viewer_who_may(Act::ManageOwnPreferences)?;
        let timezone = match timezone {
            Some(name) => {
                let zone: Tz = name.parse().map_err(|_| Error::invalid("timezone", UNKNOWN_TIMEZONE))?;
                Some(zone.name())
            }
            None => None,
        };
        let preferences =
            Preferences { locale: locale.map(Locale::tag), timezone, updated_at: ctx.app().clock.now() };
        let mut conn = ctx.conn().await?;
        Ok(ViewerAccount(User::update_preferences(&mut conn, viewer.user_id, &preferences).await?))
    }
}

/// A session.
#[derive(SimpleObject)]
pub struct Session {
    /// Token for the header `Authorization: Bearer …`.
    access_token: String,
    /// When the access token expires. Refresh the session before.
    expires_at: DateTime<Utc>,
    /// Seconds until the access token expires, for clients whose clock may be wrong.
    expires_in: i32,
    /// The signed-in user.
    viewer: ViewerAccount,
}

fn open(ctx: &Context<'_>, auth: &Auth, signed_in: SignedIn) -> Session {
    let now = ctx.app().clock.now();
    let SignedIn { user, access_token, expires_at, refresh_token } = signed_in;
    ctx.append_http_header("set-cookie", refresh_cookie::store(&refresh_token, auth.transport));
    let access_token = access_token.expose_secret().to_owned();
    let expires_in = i32::try_from((expires_at - now).num_seconds()).unwrap_or(i32::MAX);
    Session { access_token, expires_at, expires_in, viewer: ViewerAccount(user) }
}

/// The caller's account.
pub struct ViewerAccount(User);

/// The caller.
#[Object(name = "Viewer")]
impl ViewerAccount {
    /// ID of the user.
    async fn id(&self) -> Id {
        Id(self.0.id)
    }

    /// The user's name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The user's e-mail address.
    async fn email(&self) -> &str {
        &self.0.email
    }

    /// The user's role.
    async fn role(&self) -> Role {
        self.0.role
    }

    /// The user's permissions in addition to the role.
    async fn permissions(&self) -> Vec<Permission> {
        permissions(&self.0)
    }

    /// The user's language. Default: the hub's.
    async fn locale(&self, ctx: &Context<'_>) -> Locale {
        let chosen = self.0.locale.as_deref().and_then(Locale::parse);
        chosen.unwrap_or(ctx.app().config.hub.locale)
    }

    /// The user's IANA time zone. Default: the hub's.
    async fn timezone(&self, ctx: &Context<'_>) -> String {
        self.0.timezone.clone().unwrap_or_else(|| ctx.app().config.hub.timezone.name().to_owned())
    }

    /// The hub's IANA time zone. Dates in filters are days in this zone.
    async fn hub_timezone(&self, ctx: &Context<'_>) -> &'static str {
        ctx.app().config.hub.timezone.name()
    }

    /// The courses assigned to the user.
    async fn courses(&self, ctx: &Context<'_>) -> Result<Vec<Course>> {
        let assigned = course::assigned_to(&mut *ctx.conn().await?, self.0.id).await?;
        Ok(assigned.into_iter().map(|row| Course::new(row, ctx.request().locale)).collect())
    }
}
