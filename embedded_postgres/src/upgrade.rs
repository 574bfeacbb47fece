//! Detects that the installed PostgreSQL was replaced, for example by a package upgrade, and waits until the
//! running one can be restarted safely.
//!
//! The processes that PostgreSQL starts for new connections still run the old program but load the new
//! libraries, which may be incompatible.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use tokio::time::sleep;
use tracing::{info, warn};

use super::binaries::Binaries;
use super::connect::Administrator;
use super::postmaster::Postmaster;

/// How often to check whether the server is idle.
const IDLE_POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Identifies the file of a program, to detect that it was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileIdentity {
    device: u64,
    inode: u64,
    length: u64,
    /// Seconds and nanoseconds since the epoch.
    modified: (i64, i64),
}

impl FileIdentity {
    /// The identity of the `postgres` program. `None` if it does not exist, as in the middle of an upgrade.
    pub fn read(binaries: &Binaries) -> Option<Self> {
        let program = fs::metadata(binaries.program("postgres")).ok()?;
        Some(Self {
            device: program.dev(),
            inode: program.ino(),
            length: program.len(),
            modified: (program.mtime(), program.mtime_nsec()),
        })
    }
}

/// Waits until a different program is installed than the running one, and no long operation is running.
pub(super) async fn wait_until_due(postmaster: &Postmaster, running: Option<FileIdentity>) {
    wait_until_replaced(&postmaster.binaries, running, postmaster.upgrade_check_interval).await;
    info!("The installed PostgreSQL was replaced; restarting the private one when it is idle");
    while !is_idle(&postmaster.socket_directory).await {
        sleep(IDLE_POLL_INTERVAL).await;
    }
}

/// Waits until the program was replaced by another one of the same major version, and was the same in two
/// checks in a row, because an upgrade writes many files. A program of another major version cannot read the
/// cluster, so the running server is left alone.
async fn wait_until_replaced(binaries: &Binaries, running: Option<FileIdentity>, check_interval: Duration) {
    let (mut previous, mut incompatible) = (running, None);
    loop {
        sleep(check_interval).await;
        let installed = FileIdentity::read(binaries);
        if installed.is_some() && installed != running && installed == previous && installed != incompatible {
            if binaries.are_still_usable() {
                return;
            }
            warn!(
                "The installed PostgreSQL was replaced by an incompatible one; the old one keeps running for now"
            );
            incompatible = installed;
        }
        previous = installed;
    }
}

/// Whether a restart interrupts only what is retried shortly after. If that is unknown, it is not.
async fn is_idle(socket_directory: &Path) -> bool {
    match Administrator::connect(socket_directory).await {
        Ok(administrator) => administrator.is_server_idle().await.unwrap_or(false),
        Err(_) => false,
    }
}
