//! The caller of a request: their identity, language and address.

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
use crate::graphql::import::Rejections;
use crate::models::user_email::UserEmails;

/// The sender of a request.
#[derive(Debug)]
pub struct Caller {
    /// `None` without a valid credential.
    pub identity: Option<Identity>,
    /// The language for messages: the one that the request asks for, otherwise the user's, otherwise the
    /// configured one.
    pub locale: Locale,
    pub address: Option<IpAddr>,
    pub user_agent: Option<String>,
    /// The request's id in the log.
    pub request_id: String,
    refresh_token: Option<SecretString>,
}

impl Caller {
    /// The viewer, or an error if the caller is not authenticated.
    pub fn viewer(&self) -> Result<&Viewer> {
        self.identity.as_ref().map(|identity| &identity.viewer).ok_or(Error::Unauthenticated)
    }

    /// Whether the caller is authenticated.
    pub const fn auth_state(&self) -> AuthState {
        AuthState::of(self.identity.as_ref())
    }

    /// The problem document for an error, in the caller's language. Internal errors are logged.
    pub fn problem(&self, error: &Error) -> Problem {
        Problem::from_error(error, self.locale, &self.request_id)
    }

    /// Adds the caller to a request's context.
    pub fn into_graphql(self, app: &App, mut request: async_graphql::Request) -> async_graphql::Request {
        request.data = self.into_data(app);
        request
    }

    /// The context for resolvers.
    pub fn into_data(self, app: &App) -> async_graphql::Data {
        let mut data = async_graphql::Data::default();
        data.insert(app.clone());
        data.insert(DataLoader::new(UserEmails::new(app.pool.clone()), tokio::spawn));
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
            user_agent: header_text(headers, &USER_AGENT).map(ToOwned::to_owned),
            request_id: request_id(headers),
            refresh_token: refresh_cookie::read(headers),
        };
        let requested = requested_locale(headers);
        caller.locale = requested.unwrap_or(caller.locale);
        if let Some(token) = bearer_token(headers) {
            caller.identity = authenticate(app, token).await.map_err(|error| caller.problem(&error))?;
        }
        if let (None, Some(identity)) = (requested, &caller.identity) {
            let own = identity.user.locale.as_deref().and_then(Locale::parse);
            caller.locale = own.unwrap_or(caller.locale);
        }
        Ok(caller)
    }
}

/// The identity that a token proves, by the current state of the database; `None` if the token is not valid.
pub async fn authenticate(app: &App, token: &str) -> Result<Option<Identity>> {
    let now = app.clock.now();
    let Some(proof) = Proof::from_token(&app.auth, token, now).await else { return Ok(None) };
    identify(&app.auth, &mut *app.pool.get().await?, proof, now).await
}

/// The bearer token in the `Authorization` header.
pub fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = header_text(headers, &AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The address that the nearest proxy saw. This is the last one in the header, since the caller can forge the
/// others.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let hops = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    hops.rsplit(',').next()?.trim().parse().ok()
}

/// The language that the request asks for, if it is supported.
pub fn requested_locale(headers: &HeaderMap) -> Option<Locale> {
    header_text(headers, &ACCEPT_LANGUAGE).and_then(Locale::preferred)
}

/// The request's id in the log.
pub fn request_id(headers: &HeaderMap) -> String {
    header_text(headers, &HeaderName::from_static("x-request-id")).unwrap_or_default().to_owned()
}

fn header_text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
