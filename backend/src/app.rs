//! The application: what every route, resolver and job shares.

use std::sync::Arc;

use crate::auth::Auth;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Pool;
use crate::graphql::schema::{self, HubSchema};

/// The application; cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The settings.
    pub config: Arc<Config>,
    /// Database connections.
    pub pool: Pool,
    /// The time.
    pub clock: Clock,
    /// Who may come in.
    pub auth: Arc<Auth>,
    /// The GraphQL schema.
    pub schema: HubSchema,
}

impl App {
    /// Puts the application together; nothing is connected to yet.
    pub fn new(config: Config, pool: Pool, clock: Clock) -> anyhow::Result<Self> {
        let auth = Auth::new(&config)?;
        let schema = schema::build(&config.graphql);
        Ok(Self { config: Arc::new(config), pool, clock, auth: Arc::new(auth), schema })
    }
}
