//! Who sends a request, in which language, and from where.

use std::net::{IpAddr, SocketAddr};

use async_graphql::dataloader::DataLoader;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{ACCEPT_LANGUAGE, AUTHORIZATION, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use domain::{Locale, Viewer};
use secrecy::SecretString;

use super::problem::Problem;
use crate::app::App;
use crate::auth::identity::{Identity, Proof, identify};
use crate::auth::refresh_cookie;
use crate::error::{Error, Result};
use crate::graphql::context::{self, AuthState};
use crate::graphql::dataset::Emails;
use crate::graphql::import::Rejections;

/// The sender of a request.
#[derive(Debug)]
pub struct Caller {
    /// Who it is; nobody when no good credential came along.
    pub identity: Option<Identity>,
    /// The language of what they are told: the one they ask for, else their own, else the hub's.
    pub locale: Locale,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// What sent it, as it says itself.
    pub user_agent: Option<String>,
    /// The request's id in the log.
    pub request_id: String,
    refresh_token: Option<SecretString>,
}

impl Caller {
    /// The viewer, or the error that says that there is none.
    pub fn viewer(&self) -> Result<&Viewer> {
        self.identity.as_ref().map(|identity| &identity.viewer).ok_or(Error::Unauthenticated)
    }

    /// Whether somebody vouches for them.
    pub const fn auth_state(&self) -> AuthState {
        AuthState::of(self.identity.as_ref())
    }

    /// The error as this caller is told it; what is ours to mend goes into the log.
    pub fn problem(&self, error: &Error) -> Problem {
        Problem::from_error(error, self.locale, &self.request_id)
    }

    /// Hands the caller on to the resolvers.
    pub fn into_graphql(self, app: &App, mut request: async_graphql::Request) -> async_graphql::Request {
        request.data = self.into_data(app);
        request
    }

    /// What resolvers ask of their context.
    pub fn into_data(self, app: &App) -> async_graphql::Data {
        let mut data = async_graphql::Data::default();
        data.insert(app.clone());
        data.insert(DataLoader::new(Emails::new(app.pool.clone()), tokio::spawn));
        data.insert(DataLoader::new(Rejections::new(app.pool.clone()), tokio::spawn));
        data.insert(context::Request {
            identity: self.identity,
            locale: self.locale,
            address: self.address,
            user_agent: self.user_agent,
            refresh_token: self.refresh_token,
        });
        data
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let headers = &parts.headers;
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let mut caller = Self {
            identity: None,
            locale: app.config.hub.locale,
            address: if app.config.http.trust_proxy { forwarded_for(headers).or(peer) } else { peer },
            user_agent: text(headers, &USER_AGENT).map(ToOwned::to_owned),
            request_id: request_id(headers),
            refresh_token: refresh_cookie::read(headers),
        };
        let asked_for = asked_locale(headers);
        caller.locale = asked_for.unwrap_or(caller.locale);
        if let Some(token) = bearer(headers) {
            caller.identity = find(app, token).await.map_err(|error| caller.problem(&error))?;
        }
        if let (None, Some(identity)) = (asked_for, &caller.identity) {
            let own = identity.user.locale.as_deref().and_then(Locale::parse);
            caller.locale = own.unwrap_or(caller.locale);
        }
        Ok(caller)
    }
}

/// Who is behind a token, as the database knows them now.
pub async fn find(app: &App, token: &str) -> Result<Option<Identity>> {
    let now = app.clock.now();
    let Some(proof) = Proof::of(&app.auth, token, now).await else { return Ok(None) };
    identify(&app.auth, &mut *app.pool.get().await?, proof, now).await
}

/// The token in the header.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = text(headers, &AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The address that the nearest proxy saw: the last one, since a caller can write what they like ahead of it.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let hops = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    hops.rsplit(',').next()?.trim().parse().ok()
}

/// The language that the request asks for, if it is one of ours.
pub fn asked_locale(headers: &HeaderMap) -> Option<Locale> {
    text(headers, &ACCEPT_LANGUAGE).and_then(Locale::preferred)
}

/// The id that the request has in the log.
pub fn request_id(headers: &HeaderMap) -> String {
    text(headers, &HeaderName::from_static("x-request-id")).unwrap_or_default().to_owned()
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
