//! The cluster's files: created once, with `initdb`. Who may connect is configured at each start.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{Context as _, bail};
use tracing::info;

use super::APPLICATION;
use super::binaries::Binaries;
use super::connect::ADMINISTRATOR;
use super::owner::Owner;

/// Peer authentication: the operating system identifies the user, and `pg_ident.conf` maps it to roles.
const HOST_BASED_AUTHENTICATION: &str = "local all all peer map=hub\n";

/// A cluster's files.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    home: PathBuf,
}

impl Cluster {
    /// The major version of the PostgreSQL that created the cluster in this directory, if there is one.
    pub fn version(home: PathBuf) -> anyhow::Result<Option<u32>> {
        let path = Self { home }.directory().join("PG_VERSION");
        if !path.exists() {
            return Ok(None);
        }
        let version = fs::read_to_string(&path)?;
        let version = version.trim().parse().with_context(|| format!("{} is corrupt", path.display()))?;
        Ok(Some(version))
    }

    /// The cluster in this directory. Creates it if there is none.
    pub async fn find_or_create(home: &Path, owner: &Owner, binaries: &Binaries) -> anyhow::Result<Self> {
        let cluster = Self { home: home.to_owned() };
        if !cluster.directory().exists() {
            let (owner, binaries, cluster) = (owner.clone(), binaries.clone(), cluster.clone());
            tokio::task::spawn_blocking(move || cluster.create(&owner, &binaries)).await??;
        }
        owner.write(&cluster.directory(), "pg_ident.conf", &user_map(owner)?)?;
        Ok(cluster)
    }

    /// PostgreSQL's data directory.
    pub fn directory(&self) -> PathBuf {
        self.home.join("cluster")
    }

    /// PostgreSQL's log file.
    pub fn log(&self) -> PathBuf {
        self.home.join("log")
    }

    /// Creates the cluster under a temporary name first, so that an unfinished one is never used.
    fn create(&self, owner: &Owner, binaries: &Binaries) -> anyhow::Result<()> {
        info!("Creating a private PostgreSQL database in {}", self.home.display());
        let new_directory = self.home.join("cluster.new");
        let mut result = self.initdb(owner, binaries, &new_directory, "C.UTF-8")?;
        if !result.status.success() {
            result = self.initdb(owner, binaries, &new_directory, "C")?;
        }
        if !result.status.success() {
            bail!("initdb failed: {}", String::from_utf8_lossy(&result.stderr).trim());
        }
        let settings =
            fs::read_to_string(new_directory.join("postgresql.conf"))? + &settings_for_memory(memory_mib());
        owner.write(&new_directory, "postgresql.conf", &settings)?;
        owner.write(&new_directory, "pg_hba.conf", HOST_BASED_AUTHENTICATION)?;
        fs::rename(&new_directory, self.directory())?;
        Ok(())
    }

    fn initdb(
        &self,
        owner: &Owner,
        binaries: &Binaries,
        new_directory: &Path,
        locale: &str,
    ) -> anyhow::Result<Output> {
        if new_directory.exists() {
            fs::remove_dir_all(new_directory)?;
        }
        owner
            .command(binaries.program("initdb"), &self.home)
            .arg("-D")
            .arg(new_directory)
            .args(["-U", ADMINISTRATOR, "--encoding=UTF8", "--auth=peer", "--no-instructions"])
            .arg(format!("--locale={locale}"))
            .output()
            .context("Failed to run initdb")
    }
}

fn user_map(owner: &Owner) -> anyhow::Result<String> {
    let mut user_map =
        String::from("# Rewritten at each start: the system users that may connect, and their roles.\n");
    for user in owner.allowed_users()? {
        for role in [ADMINISTRATOR, APPLICATION] {
            writeln!(user_map, "hub \"{user}\" {role}")?;
        }
    }
    Ok(user_map)
}

/// Settings for a machine that other programs use too: an eighth of the memory for shared buffers, and
/// durable writes.
fn settings_for_memory(memory_mib: u64) -> String {
    let shared = (memory_mib / 8).clamp(128, 2048);
    let cache = (memory_mib / 2).max(256);
    format!(
        "\n# Settings of DataPorter Hub; you may change them.\n\
         shared_buffers = {shared}MB\n\
         effective_cache_size = {cache}MB\n\
         work_mem = 32MB\n\
         maintenance_work_mem = 256MB\n\
         max_wal_size = 4GB\n\
         checkpoint_timeout = 15min\n\
         wal_compression = on\n\
         random_page_cost = 1.1\n\
         fsync = on\n\
         synchronous_commit = on\n\
         timezone = 'UTC'\n\
         log_timezone = 'UTC'\n\
         log_checkpoints = off\n\
         log_autovacuum_min_duration = -1\n"
    )
}

/// The machine's memory in MiB; 1024 if it is unknown.
fn memory_mib() -> u64 {
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.map_or(1024, |kilobytes| kilobytes / 1024)
}
