//! The private PostgreSQL: a cluster in the data directory, for whoever brings no database of their own.
//!
//! It listens on a Unix socket only, in a directory that nobody else may enter, and believes the operating system about
//! who connects: there is no password. One process runs it, holding the data directory's lock, and others on the same
//! directory find it there. The product connects as a role that owns its database and nothing else.
//!
//! Processes end in every way. What a killed one left behind is cleared away by the next one to start.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use secrecy::SecretString;
use tokio::time::sleep;
use tracing::info;

use crate::config::database::Database;

mod binaries;
mod cluster;
mod connect;
mod home;
mod keeper;
mod leftovers;
mod lock;
mod owner;
mod postmaster;
mod refusal;
mod socket;
mod upgrade;

use binaries::Binaries;
use cluster::Cluster;
use connect::Administrator;
use home::Home;
use keeper::Keeper;
use lock::{GuestPass, Lock};
use owner::Owner;
use postmaster::Postmaster;
pub use refusal::Refusal;

/// The role that the product connects as, and the database that it owns.
const APPLICATION: &str = "dataporter";

/// How long to wait for a cluster that another process is starting.
const PATIENCE: Duration = Duration::from_mins(1);

/// The private PostgreSQL of a data directory, running.
#[derive(Debug)]
pub struct EmbeddedPostgres {
    socket_directory: PathBuf,
    holding: Holding,
}

/// Whose the running PostgreSQL is.
#[derive(Debug)]
enum Holding {
    /// We run it, and stop it.
    Ours { keeper: Keeper, lock: Lock },
    /// Another process runs it; the pass asks it to wait for us before it stops.
    Theirs { _pass: GuestPass },
}

impl EmbeddedPostgres {
    /// Starts the cluster of this data directory, made on the first start.
    ///
    /// Refuses when another process runs it already.
    pub async fn start(data_dir: &Path, settings: &Database) -> anyhow::Result<Self> {
        let data_dir = home::make_data_dir(data_dir)?;
        let lock = Lock::take(&data_dir)?;
        Self::start_locked(&data_dir, settings, lock).await
    }

    /// Finds the cluster of this data directory running, or starts it.
    pub async fn find_or_start(data_dir: &Path, settings: &Database) -> anyhow::Result<Self> {
        let data_dir = home::make_data_dir(data_dir)?;
        let begun = Instant::now();
        loop {
            match Lock::take(&data_dir) {
                Ok(lock) => return Self::start_locked(&data_dir, settings, lock).await,
                Err(Refusal::InUse { .. }) => {}
                Err(refusal) => return Err(refusal.into()),
            }
            if let Some(found) = Self::find(&data_dir).await? {
                return Ok(found);
            }
            if begun.elapsed() > PATIENCE {
                bail!("Another process holds {}, but its database does not answer", data_dir.display());
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// The address of the product's database, for the role that owns it.
    pub fn database_url(&self) -> SecretString {
        connect::url(&self.socket_directory, APPLICATION, APPLICATION)
    }

    /// Waits until the cluster cannot be kept running any longer, and answers why; usually never.
    pub async fn failed(&mut self) -> anyhow::Error {
        match &mut self.holding {
            Holding::Ours { keeper, .. } => keeper.failed().await,
            Holding::Theirs { .. } => std::future::pending().await,
        }
    }

    /// Stops the cluster if we run it, whoever else is connected.
    pub async fn stop(self) -> anyhow::Result<()> {
        match self.holding {
            Holding::Ours { keeper, lock } => {
                keeper.stop().await?;
                info!("Stopped the private PostgreSQL");
                drop(lock);
                Ok(())
            }
            Holding::Theirs { .. } => Ok(()),
        }
    }

    /// Stops the cluster if we run it, as soon as no other process uses it.
    pub async fn stop_when_unused(self) -> anyhow::Result<()> {
        if let Holding::Ours { lock, .. } = &self.holding {
            lock.wait_for_guests().await?;
        }
        self.stop().await
    }

    async fn start_locked(data_dir: &Path, settings: &Database, lock: Lock) -> anyhow::Result<Self> {
        let home = Home::of(data_dir);
        let owner = Owner::of(home.existing()?.as_deref())?;
        let made_by = home.existing()?.map(Cluster::made_by).transpose()?.flatten();
        let binaries = Binaries::find(settings.postgres_bin.as_deref(), made_by, data_dir)?;
        let directory = home.make(&owner)?;
        let cluster = Cluster::find_or_make(&directory, &owner, &binaries).await?;
        let socket_directory = socket::make(data_dir, &directory, &owner)?;
        let postmaster =
            Postmaster { cluster, owner, binaries, socket_directory, connections: settings.pool_size + 40 };
        let socket_directory = postmaster.socket_directory.clone();
        let keeper = Keeper::start(postmaster).await?;
        Administrator::connect(&socket_directory)
            .await
            .context("The private PostgreSQL cannot be administered")?
            .make_application(APPLICATION)
            .await?;
        Ok(Self { socket_directory, holding: Holding::Ours { keeper, lock } })
    }

    /// The cluster that another process runs, if it answers.
    async fn find(data_dir: &Path) -> anyhow::Result<Option<Self>> {
        let Some(pass) = GuestPass::take(data_dir)? else { return Ok(None) };
        let Some(directory) = Home::of(data_dir).existing()? else { return Ok(None) };
        let Some(socket_directory) = socket::find(data_dir, &directory) else { return Ok(None) };
        let url = connect::url(&socket_directory, APPLICATION, APPLICATION);
        let answers = connect::answers(&url).await;
        Ok(answers.then_some(Self { socket_directory, holding: Holding::Theirs { _pass: pass } }))
    }
}
