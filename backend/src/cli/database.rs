//! The database of a command: the configured one, or else the private one.

use std::path::Path;

use anyhow::bail;
use embedded_postgres::EmbeddedPostgres;
use secrecy::SecretString;

use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{self, Pool};

/// A command needs few connections, because it does one thing after another.
const MAX_CONNECTIONS: usize = 4;

/// The database that a command uses while it runs.
pub(super) struct CommandDatabase {
    pub url: SecretString,
    private: Option<EmbeddedPostgres>,
}

/// Does something with the migrated database, and closes it. The error is one of the database.
pub(super) async fn with_app<T>(
    data_dir: &Path,
    config: Config,
    work: impl AsyncFnOnce(&App) -> T,
) -> anyhow::Result<T> {
    let database = CommandDatabase::open_migrated(data_dir, &config).await?;
    let pool = database.pool();
    let app = App::new(config, pool.clone(), Clock::system())?;
    let result = work(&app).await;
    pool.close();
    database.close().await?;
    Ok(result)
}

impl CommandDatabase {
    /// Opens the database, migrated or not. Starts the private database if it is not running.
    pub async fn open(data_dir: &Path, config: &Config) -> anyhow::Result<Self> {
        if let Some(url) = &config.database.url {
            return Ok(Self { url: url.clone(), private: None });
        }
        let private = EmbeddedPostgres::find_or_start(data_dir, &config.database.embedded()).await?;
        Ok(Self { url: private.database_url(), private: Some(private) })
    }

    /// Opens the database and makes sure that all migrations are applied.
    ///
    /// Pending migrations are applied to the private database only. For a shared database they are an error,
    /// because its other users may not expect them.
    pub async fn open_migrated(data_dir: &Path, config: &Config) -> anyhow::Result<Self> {
        let database = Self::open(data_dir, config).await?;
        if database.private.is_some() {
            db::migrate(&database.url).await?;
        } else if !db::pending(&database.url).await?.is_empty() {
            bail!("The database has pending migrations: run `dataporter migrate` first");
        }
        Ok(database)
    }

    /// Whether this is the private database in the data directory.
    pub fn is_private(&self) -> bool {
        self.private.is_some()
    }

    /// A pool of connections to the database.
    pub fn pool(&self) -> Pool {
        db::pool(&self.url, MAX_CONNECTIONS, db::POOL_WAIT_TIMEOUT)
    }

    /// Stops the private database unless another process started or uses it.
    pub async fn close(self) -> anyhow::Result<()> {
        match self.private {
            Some(private) => private.stop_when_unused().await,
            None => Ok(()),
        }
    }
}
