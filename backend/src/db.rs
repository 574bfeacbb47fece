//! The database: its connections and its migrations.
//!
//! Knows nothing of what is in the tables; queries are in `models`.

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
mod channel_binding;
mod connect_error;
mod connection;
pub mod embedded;
mod frames;
mod inquiry;
mod link;
pub mod migrator;
pub mod outage;
mod pool;
pub mod schema;
mod socket;
mod state;
mod stream;
mod tls;
mod verifier;

pub use address::Address;
pub use connect_error::{ConnectError, within};
pub use connection::Connection;
pub use pool::{POOL_PATIENCE, Pool, PooledConnection, check, pool};

use self::migrator::Migrator;

/// Every migration, compiled into the binary.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations");

/// Lets the statements of a transaction run as long as they take.
pub const UNLIMITED: &str = "SET LOCAL statement_timeout = 0";

/// Opens a connection of its own, for whoever must not wait for the pool or hold on to a part of it.
pub async fn connect(database_url: &SecretString) -> ConnectionResult<Connection> {
    let address = Address::parse(database_url.expose_secret())?;
    Ok(Connection::establish(&Arc::new(address)).await?)
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
