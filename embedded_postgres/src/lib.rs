//! The private PostgreSQL: a cluster in the data directory, for installations without a database of their
//! own.
//!
//! It listens only on a Unix socket, in a directory that no other user may enter, and uses peer
//! authentication, so there is no password. One process runs it and locks the data directory; other processes
//! on the same directory connect to it. The product connects as a role that owns its database and has no
//! other rights.
//!
//! What a killed process leaves behind is cleaned up at the next start.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use secrecy::SecretString;
use tokio::time::sleep;
use tracing::info;

mod binaries;
mod cluster;
mod connect;
mod home;
mod lock;
mod owner;
mod postmaster;
mod socket;
mod stale_processes;
mod start_error;
mod supervisor;
mod upgrade;

use binaries::Binaries;
use cluster::Cluster;
use connect::Administrator;
use home::Home;
use lock::{ExclusiveLock, SharedLock};
use owner::Owner;
use postmaster::Postmaster;
pub use start_error::StartError;
use supervisor::Supervisor;

/// The name of the product's role and of its database.
const APPLICATION: &str = "dataporter";

/// How long to wait for a cluster that another process is starting.
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// How to run the cluster.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The directory of the PostgreSQL programs. Without it, `PATH` and the usual directories are searched.
    pub postgres_bin: Option<PathBuf>,
    /// The maximum number of connections.
    pub max_connections: usize,
    /// How often to check whether the installed PostgreSQL was upgraded.
    pub upgrade_check_interval: Duration,
}

/// The running private PostgreSQL of a data directory.
#[derive(Debug)]
pub struct EmbeddedPostgres {
    socket_directory: PathBuf,
    ownership: Ownership,
}

/// Which process runs PostgreSQL.
#[derive(Debug)]
enum Ownership {
    /// This process runs it, and stops it.
    Owned { supervisor: Supervisor, lock: ExclusiveLock },
    /// Another process runs it. The lock makes that process wait for us before it stops PostgreSQL.
    Shared { _lock: SharedLock },
}

impl EmbeddedPostgres {
    /// Starts the cluster of this data directory, and creates it on the first start.
    ///
    /// Fails if another process is already running it.
    pub async fn start(data_dir: &Path, settings: &Settings) -> anyhow::Result<Self> {
        let data_dir = home::create_data_dir(data_dir)?;
        let lock = ExclusiveLock::acquire(&data_dir)?;
        Self::start_locked(&data_dir, settings, lock).await
    }

    /// Connects to the running cluster of this data directory, or starts it.
    pub async fn find_or_start(data_dir: &Path, settings: &Settings) -> anyhow::Result<Self> {
        let data_dir = home::create_data_dir(data_dir)?;
        let began = Instant::now();
        loop {
            match ExclusiveLock::acquire(&data_dir) {
                Ok(lock) => return Self::start_locked(&data_dir, settings, lock).await,
                Err(StartError::InUse { .. }) => {}
                Err(start_error) => return Err(start_error.into()),
            }
            if let Some(found) = Self::find(&data_dir).await? {
                return Ok(found);
            }
            if began.elapsed() > START_TIMEOUT {
                bail!("Another process uses {}, but its database does not answer", data_dir.display());
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// The address of the product's database, for its owner role.
    pub fn database_url(&self) -> SecretString {
        connect::url(&self.socket_directory, APPLICATION, APPLICATION)
    }

    /// Waits until the cluster can no longer be kept running and returns the reason. Usually never returns.
    pub async fn failed(&mut self) -> anyhow::Error {
        match &mut self.ownership {
            Ownership::Owned { supervisor, .. } => supervisor.failed().await,
            Ownership::Shared { .. } => std::future::pending().await,
        }
    }

    /// Stops the cluster if this process runs it, even if others are connected.
    pub async fn stop(self) -> anyhow::Result<()> {
        match self.ownership {
            Ownership::Owned { supervisor, lock } => {
                supervisor.stop().await?;
                info!("Stopped the private PostgreSQL");
                drop(lock);
                Ok(())
            }
            Ownership::Shared { .. } => Ok(()),
        }
    }

    /// Stops the cluster if this process runs it, once no other process uses it.
    pub async fn stop_when_unused(self) -> anyhow::Result<()> {
        if let Ownership::Owned { lock, .. } = &self.ownership {
            lock.wait_for_shared_locks().await?;
        }
        self.stop().await
    }

    async fn start_locked(data_dir: &Path, settings: &Settings, lock: ExclusiveLock) -> anyhow::Result<Self> {
        let home = Home::in_data_dir(data_dir);
        let owner = Owner::for_cluster(home.existing()?.as_deref())?;
        let cluster_version = home.existing()?.map(Cluster::version).transpose()?.flatten();
        let binaries = Binaries::find(settings.postgres_bin.as_deref(), cluster_version, data_dir)?;
        let directory = home.find_or_create(&owner)?;
        let cluster = Cluster::find_or_create(&directory, &owner, &binaries).await?;
        let socket_directory = socket::find_or_create(data_dir, &directory, &owner)?;
        let postmaster = Postmaster {
            cluster,
            owner,
            binaries,
            socket_directory,
            max_connections: settings.max_connections,
            upgrade_check_interval: settings.upgrade_check_interval,
        };
        let socket_directory = postmaster.socket_directory.clone();
        let supervisor = Supervisor::start(postmaster).await?;
        Administrator::connect(&socket_directory)
            .await
            .context("Failed to connect to the private PostgreSQL as its administrator")?
            .create_application(APPLICATION)
            .await?;
        Ok(Self { socket_directory, ownership: Ownership::Owned { supervisor, lock } })
    }

    /// The cluster that another process runs, if it responds.
    async fn find(data_dir: &Path) -> anyhow::Result<Option<Self>> {
        let Some(shared_lock) = SharedLock::acquire(data_dir)? else { return Ok(None) };
        let Some(directory) = Home::in_data_dir(data_dir).existing()? else { return Ok(None) };
        let Some(socket_directory) = socket::find(data_dir, &directory) else { return Ok(None) };
        let url = connect::url(&socket_directory, APPLICATION, APPLICATION);
        let is_reachable = connect::is_reachable(&url).await;
        Ok(is_reachable
            .then_some(Self { socket_directory, ownership: Ownership::Shared { _lock: shared_lock } }))
    }
}
