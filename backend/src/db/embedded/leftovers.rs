//! What a process that was killed left behind: a PostgreSQL without a master, or the pieces of one.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::bail;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::sleep;
use tracing::warn;

/// How long an orphan may take to shut down properly.
const PROPER_SHUTDOWN: Duration = Duration::from_mins(1);
/// How long the children of a killed PostgreSQL may take to notice, and to end when they are told to.
const CHILDREN: Duration = Duration::from_secs(10);

/// Ends every process that still works on the cluster in this directory.
///
/// Only called by the holder of the data directory's lock, so that whatever still runs there is nobody's.
pub(super) async fn clear(cluster: &Path, socket_directory: &Path) -> anyhow::Result<()> {
    let note = cluster.join("postmaster.pid");
    if let Some(orphan) = named_in(&note).filter(|pid| works_in(cluster, *pid)) {
        warn!(pid = orphan.as_raw(), "Stopping a PostgreSQL that was left behind");
        stop(orphan, || works_in(cluster, orphan)).await?;
    }
    if !wait_while(CHILDREN, || !workers(cluster).is_empty()).await {
        for child in workers(cluster) {
            // It may have ended just now.
            kill(child, Signal::SIGQUIT).ok();
        }
        if !wait_while(CHILDREN, || !workers(cluster).is_empty()).await {
            bail!("Processes of a killed PostgreSQL still work in {}", cluster.display());
        }
    }
    // The number of a PostgreSQL that was killed may be another program's now, or that of its own corpse, where nobody
    // buries the dead. PostgreSQL would take either for its like.
    for note in [note, socket_directory.join(".s.PGSQL.5432.lock")] {
        if named_in(&note).is_some_and(|pid| kill(pid, None).is_ok()) {
            fs::remove_file(note)?;
        }
    }
    Ok(())
}

/// Stops a PostgreSQL: properly if it can, at once if it does not.
pub(super) async fn stop(postmaster: Pid, is_running: impl Fn() -> bool) -> anyhow::Result<()> {
    for (signal, patience) in [
        (Signal::SIGINT, PROPER_SHUTDOWN),
        (Signal::SIGQUIT, Duration::from_secs(10)),
        (Signal::SIGKILL, Duration::from_secs(5)),
    ] {
        // It may have ended just now.
        kill(postmaster, signal).ok();
        if wait_while(patience, &is_running).await {
            return Ok(());
        }
        warn!(pid = postmaster.as_raw(), "PostgreSQL did not stop on {signal}");
    }
    bail!("PostgreSQL (process {postmaster}) cannot be stopped");
}

/// Waits while something holds, and answers whether it ceased in time.
async fn wait_while(patience: Duration, holds: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    while holds() {
        if begun.elapsed() > patience {
            return false;
        }
        sleep(Duration::from_millis(20)).await;
    }
    true
}

/// The process that a note of PostgreSQL names; it may be long gone.
fn named_in(note: &Path) -> Option<Pid> {
    let note = fs::read_to_string(note).ok()?;
    note.lines().next()?.trim().parse().ok().filter(|pid| *pid > 1).map(Pid::from_raw)
}

/// Every process whose working directory is the cluster: each process of PostgreSQL, and nothing else, stays there.
fn workers(cluster: &Path) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|process| process.file_name().to_str()?.parse().ok().map(Pid::from_raw));
    ids.filter(|pid| works_in(cluster, *pid)).collect()
}

fn works_in(cluster: &Path, pid: Pid) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|directory| directory == cluster)
}
