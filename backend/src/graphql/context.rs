//! What a resolver may ask of its context.

use std::net::IpAddr;

use async_graphql::Context;
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
