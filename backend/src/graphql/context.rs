//! What a resolver may ask of its context.

use std::any::TypeId;
use std::net::IpAddr;

use async_graphql::{Context, Data};
use domain::access::Act;
use domain::{Locale, Viewer};

use crate::app::App;
use crate::auth::identity::Identity;
use crate::auth::session::Client;
use crate::db::PooledConnection;
use crate::error::{Error, Result};

/// What is known of the request before its document is read.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who asks; nobody when no good credential came with it.
    pub identity: Option<Identity>,
    /// The language of error texts.
    pub locale: Locale,
    /// Where it came from.
    pub address: Option<IpAddr>,
    /// What sent it, as it says itself.
    pub user_agent: Option<String>,
    /// The refresh token from the cookie.
    pub refresh_token: Option<secrecy::SecretString>,
}

impl Request {
    /// Where it came from, for the record of sessions.
    pub fn client(&self) -> Client<'_> {
        Client { address: self.address, user_agent: self.user_agent.as_deref() }
    }
}

/// Whether somebody vouches for the sender of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthState {
    /// A good credential came with it.
    SignedIn,
    /// None did.
    Anonymous,
}

impl AuthState {
    /// Of a sender who is known, or is not.
    pub const fn of(identity: Option<&Identity>) -> Self {
        match identity {
            Some(_) => Self::SignedIn,
            None => Self::Anonymous,
        }
    }

    /// Of the sender who stands in the first of these that names one. Where none does, it is nobody.
    pub fn in_data<'a>(data: impl IntoIterator<Item = &'a Data>) -> Self {
        let mut requests = data.into_iter().filter_map(|data| data.get(&TypeId::of::<Request>()));
        let request = requests.find_map(|request| request.downcast_ref::<Request>());
        Self::of(request.and_then(|request| request.identity.as_ref()))
    }
}

/// The context in the product's terms.
pub trait ContextExt {
    /// The application.
    fn app(&self) -> &App;
    /// The request.
    fn request(&self) -> &Request;
    /// Who asks, with their account.
    fn identity(&self) -> Result<&Identity>;
    /// Who asks.
    fn viewer(&self) -> Result<&Viewer> {
        Ok(&self.identity()?.viewer)
    }
    /// Who asks, if they may do this.
    fn viewer_who_may(&self, act: Act) -> Result<&Viewer> {
        let viewer = self.viewer()?;
        viewer.may(act)?;
        Ok(viewer)
    }
    /// A database connection, held until it is dropped.
    fn conn(&self) -> impl Future<Output = Result<PooledConnection>> + Send;
}

impl ContextExt for Context<'_> {
    fn app(&self) -> &App {
        self.data_unchecked()
    }

    fn request(&self) -> &Request {
        self.data_unchecked()
    }

    fn identity(&self) -> Result<&Identity> {
        self.request().identity.as_ref().ok_or(Error::Unauthenticated)
    }

    async fn conn(&self) -> Result<PooledConnection> {
        Ok(self.app().pool.get().await?)
    }
}
