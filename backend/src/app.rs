//! The application: what every route, resolver and job shares.

use std::sync::Arc;

use crate::auth::Auth;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Pool;

/// The application; cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The settings.
    pub config: Arc<Config>,
    /// Database connections.
    pub pool: Pool,
    /// The time.
    pub clock: Clock,
    /// How callers prove who they are.
    pub auth: Arc<Auth>,
}
