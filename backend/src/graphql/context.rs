//! The context of resolvers.

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

/// The facts about a request that do not depend on its document.
#[derive(Clone, Debug)]
pub struct Request {
    /// The caller. `None` without a valid credential.
    pub identity: Option<Identity>,
    /// The language of texts in the response.
    pub locale: Locale,
    /// The client's IP address.
    pub address: Option<IpAddr>,
    pub user_agent: Option<String>,
    /// The refresh token from the cookie.
    pub refresh_token: Option<secrecy::SecretString>,
}

impl Request {
    /// The client, as recorded with sessions.
    pub fn client(&self) -> Client<'_> {
        Client { address: self.address, user_agent: self.user_agent.as_deref() }
    }
}

/// Whether a request is authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthState {
    /// With a valid credential.
    SignedIn,
    /// Without one.
    Anonymous,
}

impl AuthState {
    /// The state of a caller.
    pub const fn of(identity: Option<&Identity>) -> Self {
        match identity {
            Some(_) => Self::SignedIn,
            None => Self::Anonymous,
        }
    }

    /// The state of the first request in these data. Anonymous if there is none.
    pub fn in_data<'a>(data: impl IntoIterator<Item = &'a Data>) -> Self {
        let mut requests = data.into_iter().filter_map(|data| data.get(&TypeId::of::<Request>()));
        let request = requests.find_map(|request| request.downcast_ref::<Request>());
        Self::of(request.and_then(|request| request.identity.as_ref()))
    }
}

/// Typed access to the context.
pub trait ContextExt {
    /// The application.
    fn app(&self) -> &App;
    /// The request.
    fn request(&self) -> &Request;
    /// The caller with their account.
    fn identity(&self) -> Result<&Identity>;
    /// The caller.
    fn viewer(&self) -> Result<&Viewer> {
        Ok(&self.identity()?.viewer)
    }
    /// The caller, if they may do this.
    fn viewer_who_may(&self, act: Act) -> Result<&Viewer> {
        let viewer = self.viewer()?;
        viewer.may(act)?;
        Ok(viewer)
    }
    /// A database connection.
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
