//! The database: its connections and its migrations.
//!
//! Knows nothing of what is in the tables; queries are in `models`.

use std::time::Duration;

use ::deadpool::Runtime;
use anyhow::{Context as _, anyhow};
use diesel::migration::{Migration, MigrationSource as _, Result as MigrationResult};
use diesel::pg::Pg;
use diesel::sql_types::{Nullable, Text};
use diesel::{ConnectionError, ConnectionResult};
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod, deadpool,
};
use diesel_async::{AsyncConnection as _, RunQueryDsl as _, SimpleAsyncConnection as _};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};
use futures_util::FutureExt as _;
use secrecy::{ExposeSecret as _, SecretString};

pub mod embedded;
pub mod migrator;
pub mod schema;

use self::migrator::Migrator;

/// One connection, in a pool or out of it.
pub type Connection = diesel_async::AsyncPgConnection;

/// A connection of a pool, given back when it is dropped.
pub type PooledConnection = deadpool::Object<Connection>;

/// Connections that are made when first needed and then used again.
pub type Pool = deadpool::Pool<Connection>;

/// Every migration, compiled into the binary.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations");

/// What holds for each connection.
///
/// Plans are made for the values at hand, since a filter on one course and one on another, or on this month and on all
/// time, want different indexes and partitions. No query runs long enough in its expressions for JIT to pay.
const SESSION_SETTINGS: &str = "\
    SET application_name = 'dataporter'; \
    SET TimeZone = 'UTC'; \
    SET plan_cache_mode = force_custom_plan; \
    SET jit = off";

/// What holds for the statements of a request: nobody waits longer for an answer. Exports and imports, which take as
/// long as they take, lift it for their transaction by [`UNLIMITED`].
const REQUEST_SETTINGS: &str = "SET statement_timeout = '30s'";

/// Lets the statements of a transaction run as long as they take.
pub const UNLIMITED: &str = "SET LOCAL statement_timeout = 0";

/// So long a request waits for a connection before it is told that the hub is busy.
pub const POOL_PATIENCE: Duration = Duration::from_secs(10);

/// Makes a pool of up to `size` connections; none is opened before it is needed, and nobody waits for one longer than
/// `patience`.
pub fn pool(database_url: &SecretString, size: usize, patience: Duration) -> Pool {
    let mut config = ManagerConfig::default();
    // A connection that was closed is known as such without asking the server first, each time that one is taken.
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(|url| connect_for_requests(url.to_owned()).boxed());
    let manager = AsyncDieselConnectionManager::new_with_config(database_url.expose_secret(), config);
    Pool::builder(manager)
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(patience))
        .build()
        .expect("a pool that knows its runtime may have time limits")
}

async fn connect_for_requests(url: String) -> ConnectionResult<Connection> {
    let mut conn = connect_to(url).await?;
    conn.batch_execute(REQUEST_SETTINGS).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// Opens a connection of its own, for whoever must not wait for the pool or hold on to a part of it.
pub async fn connect(database_url: &SecretString) -> ConnectionResult<Connection> {
    connect_to(database_url.expose_secret().to_owned()).await
}

async fn connect_to(url: String) -> ConnectionResult<Connection> {
    let mut conn = Connection::establish(&url).await?;
    conn.batch_execute(SESSION_SETTINGS).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// Applies the migrations that are missing and answers with their names.
///
/// Several processes may do so at once: one works, the others wait and then find nothing to do.
pub async fn migrate(database_url: &SecretString) -> anyhow::Result<Vec<String>> {
    let mut migrator = Migrator::open(database_url).await?;
    let mut applied = Vec::new();
    while let Some(name) = migrator.next().await.context("The database cannot be migrated")? {
        applied.push(name);
    }
    Ok(applied)
}

/// The names of the migrations that are missing, in their order.
pub async fn pending(database_url: &SecretString) -> anyhow::Result<Vec<String>> {
    let conn = connect(database_url).await.context("The database cannot be reached")?;
    with_migrations(conn, |harness| Ok(names(&harness.pending_migrations(MIGRATIONS)?))).await
}

/// Whether the newest migration is applied, asked on a connection that is there already.
pub async fn is_current(conn: &mut Connection) -> anyhow::Result<bool> {
    let newest = newest_version()?;
    let applied = diesel::sql_query("SELECT FROM __diesel_schema_migrations WHERE version = $1")
        .bind::<Nullable<Text>, _>(newest)
        .execute(conn)
        .await?;
    Ok(applied > 0)
}

fn newest_version() -> anyhow::Result<Option<String>> {
    let migrations: Vec<Box<dyn Migration<Pg>>> = MIGRATIONS.migrations().map_err(|error| anyhow!(error))?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).max())
}

fn names(migrations: &[Box<dyn Migration<Pg>>]) -> Vec<String> {
    migrations.iter().map(|migration| migration.name().to_string()).collect()
}

/// Diesel's migrations are synchronous, so they run on a thread of their own. The connection is closed at the end.
async fn with_migrations<T: Send + 'static>(
    conn: Connection,
    work: impl FnOnce(&mut AsyncConnectionWrapper<Connection>) -> MigrationResult<T> + Send + 'static,
) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(move || work(&mut AsyncConnectionWrapper::from(conn)))
        .await
        .context("The migration was cut off")?
        .map_err(|error| anyhow!(error).context("The database cannot be migrated"))
}
