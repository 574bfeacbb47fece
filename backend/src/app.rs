//! The application: what every route, resolver and job shares.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::auth::Auth;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Pool;
use crate::export::spool::SpoolDisk;
use crate::graphql::schema::{self, HubSchema};
use crate::metrics::Metrics;
use crate::telemetry::delivery::Sync;
use crate::telemetry::ingest::Ingest;
use crate::telemetry::status_feed::StatusFeed;

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
    /// The way in for player events.
    pub ingest: Ingest,
    /// The way out for player events.
    pub sync: Sync,
    /// How the sync stands, for who watches it.
    pub status_feed: StatusFeed,
    /// What is counted.
    pub metrics: Metrics,
    /// As many exports may read from the database at once as there are permits.
    pub export_slots: Arc<Semaphore>,
    /// Where exports keep what their readers have not taken yet.
    pub export_disk: Arc<SpoolDisk>,
    /// Cancelled when the server is told to end, for what would go on for as long as somebody listens.
    pub ending: CancellationToken,
}

impl App {
    /// Puts the application together; nothing is connected to yet.
    pub fn new(config: Config, pool: Pool, clock: Clock) -> anyhow::Result<Self> {
        let auth = Auth::new(&config)?;
        let schema = schema::build(&config.graphql);
        // An export holds up to two connections; others must find some left.
        let exports = config.exports.concurrency.min(config.database.pool_size / 3).max(1);
        let export_slots = Arc::new(Semaphore::new(exports));
        let export_disk = Arc::new(SpoolDisk::new(&config.exports));
        let metrics = Metrics::new();
        let ingest = Ingest::new(pool.clone(), clock.clone(), metrics.clone(), &config.recording);
        let (config, auth) = (Arc::new(config), Arc::new(auth));
        let sync = Sync::new(pool.clone(), clock.clone(), metrics.clone(), Arc::clone(&config));
        let status_feed = StatusFeed::new(pool.clone(), clock.clone(), Arc::clone(&config));
        let ending = CancellationToken::new();
        Ok(Self {
            config,
            pool,
            clock,
            auth,
            schema,
            ingest,
            sync,
            status_feed,
            metrics,
            export_slots,
            export_disk,
            ending,
        })
    }
}
