//! Supervises PostgreSQL: restarts it after a crash or an upgrade, and stops it at the end.

use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::postmaster::{Postmaster, Server};
use super::upgrade;

/// If PostgreSQL exits again this soon after a restart, it is not restarted again.
const MIN_UPTIME: Duration = Duration::from_secs(5);

/// How long to keep trying to start an upgraded PostgreSQL: the upgrade may still be in progress.
const UPGRADE_TIMEOUT: Duration = Duration::from_mins(2);

/// A supervised PostgreSQL.
#[derive(Debug)]
pub(super) struct Supervisor {
    stopping: CancellationToken,
    failures: mpsc::Receiver<anyhow::Error>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Supervisor {
    /// Starts PostgreSQL and supervises it.
    pub async fn start(postmaster: Postmaster) -> anyhow::Result<Self> {
        let server = postmaster.start().await?;
        let stopping = CancellationToken::new();
        let (failure, failures) = mpsc::channel(1);
        let task = tokio::spawn(supervise(postmaster, server, stopping.clone(), failure));
        Ok(Self { stopping, failures, task })
    }

    /// Stops PostgreSQL.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.stopping.cancel();
        (&mut self.task).await.context("The task that stops PostgreSQL was interrupted")?
    }

    /// Waits until PostgreSQL can no longer be kept running and returns the reason.
    pub async fn failed(&mut self) -> anyhow::Error {
        match self.failures.recv().await {
            Some(failure) => failure,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Supervisor {
    /// Aborts the task, which drops the server and thereby tells PostgreSQL to stop. Does not wait for it.
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn supervise(
    postmaster: Postmaster,
    mut server: Server,
    stopping: CancellationToken,
    failure: mpsc::Sender<anyhow::Error>,
) -> anyhow::Result<()> {
    let mut restarted_at: Option<Instant> = None;
    loop {
        let program = server.program();
        let exit_status = tokio::select! {
            exit_status = server.wait_for_exit() => Some(exit_status?),
            () = upgrade::wait_until_due(&postmaster, program) => None,
            () = stopping.cancelled() => return server.stop().await,
        };
        let next = match exit_status {
            None => restart(&postmaster, server, &stopping).await,
            Some(status) if restarted_at.is_some_and(|restarted_at| restarted_at.elapsed() < MIN_UPTIME) => {
                Err(anyhow!("PostgreSQL exited unexpectedly again, soon after it was restarted ({status})"))
            }
            Some(status) => {
                error!("PostgreSQL exited unexpectedly ({status}); restarting it");
                postmaster.start().await.context("Failed to restart PostgreSQL after it exited unexpectedly")
            }
        };
        server = match next {
            Ok(server) => server,
            // Failures do not matter during shutdown.
            Err(_) if stopping.is_cancelled() => return Ok(()),
            Err(error) => {
                // Fails if the receiver was dropped.
                failure.send(error).await.ok();
                return Ok(());
            }
        };
        // A restart of our own says nothing about how long the next server will run.
        restarted_at = exit_status.map(|_| Instant::now());
        info!("PostgreSQL is running again");
    }
}

/// Restarts PostgreSQL with the program that is installed now.
async fn restart(
    postmaster: &Postmaster,
    server: Server,
    stopping: &CancellationToken,
) -> anyhow::Result<Server> {
    server.stop().await?;
    let began = Instant::now();
    loop {
        let cause = match postmaster.start().await {
            Ok(server) => return Ok(server),
            Err(cause) => cause.context("Failed to restart PostgreSQL after it was upgraded"),
        };
        if began.elapsed() > UPGRADE_TIMEOUT {
            return Err(cause);
        }
        warn!(cause = format!("{cause:#}"), "The upgraded PostgreSQL does not start yet; retrying");
        if stopping.run_until_cancelled(sleep(postmaster.upgrade_check_interval)).await.is_none() {
            bail!("Shutdown was requested");
        }
    }
}
