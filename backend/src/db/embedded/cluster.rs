//! The cluster's files: made once, by `initdb`, and told each time who may connect.

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

/// Who may connect is said by the operating system, and `pg_ident.conf` knows as whom.
const HOST_BASED_AUTHENTICATION: &str = "local all all peer map=hub\n";

/// A cluster's files.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    home: PathBuf,
}

impl Cluster {
    /// The major version of PostgreSQL that made the cluster in this home, if there is one.
    pub fn made_by(home: PathBuf) -> anyhow::Result<Option<u32>> {
        let path = Self { home }.directory().join("PG_VERSION");
        if !path.exists() {
            return Ok(None);
        }
        let version = fs::read_to_string(&path)?;
        let version = version.trim().parse().with_context(|| format!("{} is damaged", path.display()))?;
        Ok(Some(version))
    }

    /// The cluster in this home, made if there is none.
    pub async fn find_or_make(home: &Path, owner: &Owner, binaries: &Binaries) -> anyhow::Result<Self> {
        let cluster = Self { home: home.to_owned() };
        if !cluster.directory().exists() {
            let (owner, binaries, cluster) = (owner.clone(), binaries.clone(), cluster.clone());
            tokio::task::spawn_blocking(move || cluster.make(&owner, &binaries)).await??;
        }
        owner.write(&cluster.directory(), "pg_ident.conf", &identities(owner)?)?;
        Ok(cluster)
    }

    /// The directory that PostgreSQL calls its data directory.
    pub fn directory(&self) -> PathBuf {
        self.home.join("cluster")
    }

    /// What PostgreSQL says.
    pub fn log(&self) -> PathBuf {
        self.home.join("log")
    }

    /// Makes the cluster under another name first: one that was not finished is never taken for a cluster.
    fn make(&self, owner: &Owner, binaries: &Binaries) -> anyhow::Result<()> {
        info!("Making a private PostgreSQL database in {}", self.home.display());
        let draft = self.home.join("cluster.new");
        let mut made = self.initdb(owner, binaries, &draft, "C.UTF-8")?;
        if !made.status.success() {
            made = self.initdb(owner, binaries, &draft, "C")?;
        }
        if !made.status.success() {
            bail!("initdb failed: {}", String::from_utf8_lossy(&made.stderr).trim());
        }
        let settings = fs::read_to_string(draft.join("postgresql.conf"))? + &tuning(memory_in_megabytes());
        owner.write(&draft, "postgresql.conf", &settings)?;
        owner.write(&draft, "pg_hba.conf", HOST_BASED_AUTHENTICATION)?;
        fs::rename(&draft, self.directory())?;
        Ok(())
    }

    fn initdb(
        &self,
        owner: &Owner,
        binaries: &Binaries,
        draft: &Path,
        locale: &str,
    ) -> anyhow::Result<Output> {
        if draft.exists() {
            fs::remove_dir_all(draft)?;
        }
        owner
            .command(binaries.program("initdb"), &self.home)
            .arg("-D")
            .arg(draft)
            .args(["-U", ADMINISTRATOR, "--encoding=UTF8", "--auth=peer", "--no-instructions"])
            .arg(format!("--locale={locale}"))
            .output()
            .context("initdb cannot be run")
    }
}

fn identities(owner: &Owner) -> anyhow::Result<String> {
    let mut identities =
        String::from("# Written at each start: users of this machine, and the roles they may take.\n");
    for user in owner.who_may_connect()? {
        for role in [ADMINISTRATOR, APPLICATION] {
            writeln!(identities, "hub \"{user}\" {role}")?;
        }
    }
    Ok(identities)
}

/// Settings for a machine that the hub shares with others: an eighth of the memory to begin with, and safe writes.
fn tuning(memory: u64) -> String {
    let shared = (memory / 8).clamp(128, 2048);
    let cache = (memory / 2).max(256);
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

/// The machine's memory; one gigabyte where it does not say.
fn memory_in_megabytes() -> u64 {
    let described = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes = described
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.map_or(1024, |kilobytes| kilobytes / 1024)
}
