//! Notices that the installed PostgreSQL was replaced, as by an upgrade of its package, and waits until the one that runs
//! can be restarted without harm.
//!
//! The processes that PostgreSQL starts for new connections go on with the old program and load the new libraries, which
//! need not fit.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use tokio::time::sleep;
use tracing::{info, warn};

use super::binaries::Binaries;
use super::connect::Administrator;

/// How often the installed program is looked at.
pub(super) const LOOKS: Duration = Duration::from_secs(5);
/// How often it is asked whether anything is going on.
const QUIET_LOOKS: Duration = Duration::from_millis(500);

/// What tells the file of a program from the one that replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    length: u64,
    /// In seconds and nanoseconds.
    modified: (i64, i64),
}

impl Identity {
    /// That of the server's program; none while it is not there, as in the middle of an upgrade.
    pub fn of(binaries: &Binaries) -> Option<Self> {
        let program = fs::metadata(binaries.program("postgres")).ok()?;
        Some(Self {
            device: program.dev(),
            inode: program.ino(),
            length: program.len(),
            modified: (program.mtime(), program.mtime_nsec()),
        })
    }
}

/// Waits until another program is installed than the one that runs, and nobody is in the middle of anything.
pub(super) async fn due(binaries: &Binaries, running: Option<Identity>, socket_directory: &Path) {
    replaced(binaries, running).await;
    info!("The installed PostgreSQL was replaced; the private one is restarted in a quiet moment");
    while !is_quiet(socket_directory).await {
        sleep(QUIET_LOOKS).await;
    }
}

/// Waits until the program is another one of the same major version, and the same one at two looks: an upgrade writes many
/// files. One of another version cannot read the cluster, so the one that runs is left alone.
async fn replaced(binaries: &Binaries, running: Option<Identity>) {
    let (mut before, mut unfit) = (running, None);
    loop {
        sleep(LOOKS).await;
        let installed = Identity::of(binaries);
        if installed.is_some() && installed != running && installed == before && installed != unfit {
            if binaries.still_fit() {
                return;
            }
            warn!(
                "The installed PostgreSQL was replaced by one that cannot run here; the old one goes on for now"
            );
            unfit = installed;
        }
        before = installed;
    }
}

/// Whether a restart breaks nothing off but what is repeated in a moment. Where that cannot be known, it is not.
async fn is_quiet(socket_directory: &Path) -> bool {
    match Administrator::connect(socket_directory).await {
        Ok(administrator) => administrator.finds_it_quiet().await.unwrap_or(false),
        Err(_) => false,
    }
}
