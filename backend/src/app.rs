//! The application state that all routes, resolvers and jobs share.

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

/// The application state. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub config: Arc<Config>,
    pub pool: Pool,
    pub clock: Clock,
    pub auth: Arc<Auth>,
    pub schema: HubSchema,
    /// Records player events.
    pub ingest: Ingest,
    /// Delivers player events to the analytics services.
    pub sync: Sync,
    /// The live status of the sync.
    pub status_feed: StatusFeed,
    pub metrics: Metrics,
    /// The permits of exports that read from the database at the same time.
    pub export_slots: Arc<Semaphore>,
    /// The disk space for export output that readers have not fetched yet.
    pub export_disk: Arc<SpoolDisk>,
    /// Cancelled when the server shuts down. Ends responses that would otherwise last as long as the client
    /// listens.
    pub shutdown: CancellationToken,
}

impl App {
    /// Creates the application state. Opens no connections yet.
    pub fn new(config: Config, pool: Pool, clock: Clock) -> anyhow::Result<Self> {
        let auth = Auth::new(&config)?;
        let schema = schema::build(&config.graphql);
        // An export uses up to two connections, and other requests need some as well.
        let max_concurrent_exports = config.exports.concurrency.min(config.database.pool_size / 3).max(1);
        let export_slots = Arc::new(Semaphore::new(max_concurrent_exports));
        let export_disk = Arc::new(SpoolDisk::new(&config.exports));
        let metrics = Metrics::new();
        let ingest = Ingest::new(pool.clone(), clock.clone(), metrics.clone(), &config.recording);
        let (config, auth) = (Arc::new(config), Arc::new(auth));
        let sync = Sync::new(pool.clone(), clock.clone(), metrics.clone(), Arc::clone(&config));
        let status_feed = StatusFeed::new(pool.clone(), clock.clone(), Arc::clone(&config));
        let shutdown = CancellationToken::new();
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
            shutdown,
        })
    }
}
