//! The database: connections, the pool and migrations.
//!
//! Knows nothing about the tables. Queries are in `models`.

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use diesel::ConnectionResult;
use diesel::migration::{Migration, MigrationSource as _, Result as MigrationResult};
use diesel::pg::Pg;
use diesel::sql_types::{Nullable, Text};
use diesel_async::RunQueryDsl as _;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};
use secrecy::{ExposeSecret as _, SecretString};

mod address;
pub mod advisory_lock;
mod channel_binding;
mod connect_error;
mod connection;
mod copy_connection;
mod frames;
mod link;
pub mod lock_timeout;
pub mod migrator;
pub mod outage;
mod pool;
mod probe;
pub mod schema;
mod socket;
mod state;
mod stream;
mod tls;
mod verifier;

pub use address::Address;
pub use connect_error::{ConnectError, within};
pub use connection::Connection;
pub use copy_connection::CopyConnection;
pub use pool::{POOL_WAIT_TIMEOUT, Pool, PooledConnection, check, pool};

use self::migrator::Migrator;

/// Every migration, compiled into the binary.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations");

/// Opens a connection outside the pool, for callers that must neither wait for the pool nor occupy one of its
/// connections.
pub async fn connect(database_url: &SecretString) -> ConnectionResult<Connection> {
    let address = Address::parse(database_url.expose_secret())?;
    Ok(Connection::establish(&Arc::new(address)).await?)
}

/// Applies the pending migrations and returns their names.
///
/// Several processes may call this at once: one applies the migrations, the others wait and then find none
/// pending.
pub async fn migrate(database_url: &SecretString) -> anyhow::Result<Vec<String>> {
    let mut migrator = Migrator::open(database_url).await?;
    let mut applied = Vec::new();
    while let Some(name) = migrator.next().await.context("Failed to migrate the database")? {
        applied.push(name);
    }
    Ok(applied)
}

/// The names of the pending migrations, in the order in which they will be applied.
pub async fn pending(database_url: &SecretString) -> anyhow::Result<Vec<String>> {
    let conn = connect(database_url).await.context("Failed to connect to the database")?;
    with_migrations(conn, |harness| Ok(names(&harness.pending_migrations(MIGRATIONS)?))).await
}

/// Whether the newest migration has been applied.
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

/// Diesel's migrations are synchronous, so they run on a blocking thread. Closes the connection at the end.
async fn with_migrations<T: Send + 'static>(
    conn: Connection,
    work: impl FnOnce(&mut AsyncConnectionWrapper<Connection>) -> MigrationResult<T> + Send + 'static,
) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(move || work(&mut AsyncConnectionWrapper::from(conn)))
        .await
        .context("The migration was interrupted")?
        .map_err(|error| anyhow!(error).context("Failed to migrate the database"))
}
