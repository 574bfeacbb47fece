//! Stops processes and removes lock files that a killed process left behind: a PostgreSQL without a
//! supervisor, or parts of one.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::bail;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::sleep;
use tracing::warn;

/// How long an orphaned PostgreSQL may take to shut down.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_mins(1);
/// How long the child processes of a killed PostgreSQL may take to exit by themselves, and again after a
/// signal.
const CHILD_EXIT_TIMEOUT: Duration = Duration::from_secs(10);

/// Stops every process that still uses the cluster in this directory.
///
/// The caller must have locked the data directory, so every process that still runs there is an orphan.
pub(super) async fn clean_up(cluster: &Path, socket_directory: &Path) -> anyhow::Result<()> {
    let pid_file = cluster.join("postmaster.pid");
    if let Some(orphan) = read_pid(&pid_file).filter(|pid| is_running_in(cluster, *pid)) {
        warn!(pid = orphan.as_raw(), "Stopping an orphaned PostgreSQL");
        stop(orphan, || is_running_in(cluster, orphan)).await?;
    }
    if !wait_while(CHILD_EXIT_TIMEOUT, || !processes_in(cluster).is_empty()).await {
        for child in processes_in(cluster) {
            // It may have exited already.
            kill(child, Signal::SIGQUIT).ok();
        }
        if !wait_while(CHILD_EXIT_TIMEOUT, || !processes_in(cluster).is_empty()).await {
            bail!("Processes of a killed PostgreSQL are still running in {}", cluster.display());
        }
    }
    // The process id of a killed PostgreSQL may now belong to another program, or to its own zombie if
    // nothing reaps it. PostgreSQL would take either for a running server.
    for pid_file in [pid_file, socket_directory.join(".s.PGSQL.5432.lock")] {
        if read_pid(&pid_file).is_some_and(|pid| kill(pid, None).is_ok()) {
            fs::remove_file(pid_file)?;
        }
    }
    Ok(())
}

/// Stops a PostgreSQL server: with a fast shutdown, then an immediate one, then SIGKILL.
pub(super) async fn stop(postmaster: Pid, is_running: impl Fn() -> bool) -> anyhow::Result<()> {
    for (signal, limit) in [
        (Signal::SIGINT, SHUTDOWN_TIMEOUT),
        (Signal::SIGQUIT, Duration::from_secs(10)),
        (Signal::SIGKILL, Duration::from_secs(5)),
    ] {
        // It may have exited already.
        kill(postmaster, signal).ok();
        if wait_while(limit, &is_running).await {
            return Ok(());
        }
        warn!(pid = postmaster.as_raw(), "PostgreSQL did not stop after {signal}");
    }
    bail!("Failed to stop PostgreSQL (process {postmaster})");
}

/// Waits while the condition is true. Returns whether it became false in time.
async fn wait_while(limit: Duration, condition: impl Fn() -> bool) -> bool {
    let began = Instant::now();
    while condition() {
        if began.elapsed() > limit {
            return false;
        }
        sleep(Duration::from_millis(20)).await;
    }
    true
}

/// The process id in one of PostgreSQL's pid files. The process may no longer exist.
fn read_pid(pid_file: &Path) -> Option<Pid> {
    let content = fs::read_to_string(pid_file).ok()?;
    content.lines().next()?.trim().parse().ok().filter(|pid| *pid > 1).map(Pid::from_raw)
}

/// Every process whose working directory is the cluster. All PostgreSQL processes stay there, and no others
/// do.
fn processes_in(cluster: &Path) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|process| process.file_name().to_str()?.parse().ok().map(Pid::from_raw));
    ids.filter(|pid| is_running_in(cluster, *pid)).collect()
}

fn is_running_in(cluster: &Path, pid: Pid) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|directory| directory == cluster)
}
