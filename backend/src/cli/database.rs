//! The database that a command works on: the one that is configured, or the private one.

use std::path::Path;

use anyhow::bail;
use secrecy::SecretString;

use crate::config::Config;
use crate::db::embedded::EmbeddedPostgres;
use crate::db::{self, Pool};

/// Few: a command does one thing after the other.
const CONNECTIONS: usize = 4;

/// A database, for as long as a command takes.
pub(super) struct CommandDatabase {
    /// Where it is.
    pub url: SecretString,
    private: Option<EmbeddedPostgres>,
}

impl CommandDatabase {
    /// The database, whatever is in it; the private one is started if it does not run.
    pub async fn open(data_dir: &Path, config: &Config) -> anyhow::Result<Self> {
        if let Some(url) = &config.database.url {
            return Ok(Self { url: url.clone(), private: None });
        }
        let private = EmbeddedPostgres::find_or_start(data_dir, &config.database).await?;
        Ok(Self { url: private.database_url(), private: Some(private) })
    }

    /// The database with every table.
    ///
    /// The private one gets what is missing; one that others share is left as it is, since they may not expect it.
    pub async fn open_migrated(data_dir: &Path, config: &Config) -> anyhow::Result<Self> {
        let database = Self::open(data_dir, config).await?;
        if database.private.is_some() {
            db::migrate(&database.url).await?;
        } else if !db::pending(&database.url).await?.is_empty() {
            bail!("Migrations are missing in the database: run `dataporter migrate` first");
        }
        Ok(database)
    }

    /// Whether it is the private one in the data directory.
    pub fn is_private(&self) -> bool {
        self.private.is_some()
    }

    /// Connections to it.
    pub fn pool(&self) -> Pool {
        db::pool(&self.url, CONNECTIONS, db::POOL_PATIENCE)
    }

    /// Stops the private database if nobody else runs or uses it.
    pub async fn close(self) -> anyhow::Result<()> {
        match self.private {
            Some(private) => private.stop_when_unused().await,
            None => Ok(()),
        }
    }
}
