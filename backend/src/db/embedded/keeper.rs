//! Keeps PostgreSQL running: starts it again when it ends by itself or was upgraded, and stops it when we are done.

use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::postmaster::{Postmaster, Run};
use super::upgrade;

/// PostgreSQL ending this soon after it was started again is not worth another try.
const SHORTEST_RUN: Duration = Duration::from_secs(5);

/// So long an upgraded PostgreSQL that does not start is tried again: the upgrade may not be finished.
const UPGRADE_TIMEOUT: Duration = Duration::from_mins(2);

/// A PostgreSQL that is kept running.
#[derive(Debug)]
pub(super) struct Keeper {
    stopping: CancellationToken,
    failures: mpsc::Receiver<anyhow::Error>,
    work: JoinHandle<anyhow::Result<()>>,
}

impl Keeper {
    /// Starts PostgreSQL.
    pub async fn start(postmaster: Postmaster) -> anyhow::Result<Self> {
        let run = postmaster.run().await?;
        let stopping = CancellationToken::new();
        let (failure, failures) = mpsc::channel(1);
        let work = tokio::spawn(keep(postmaster, run, stopping.clone(), failure));
        Ok(Self { stopping, failures, work })
    }

    /// Stops PostgreSQL.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.stopping.cancel();
        (&mut self.work).await.context("Stopping PostgreSQL was cut off")?
    }

    /// Waits until PostgreSQL cannot be kept running, and answers why.
    pub async fn failed(&mut self) -> anyhow::Error {
        match self.failures.recv().await {
            Some(failure) => failure,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Keeper {
    /// Nobody is left to wait for: the run is dropped with the work, and tells PostgreSQL to stop.
    fn drop(&mut self) {
        self.work.abort();
    }
}

async fn keep(
    postmaster: Postmaster,
    mut run: Run,
    stopping: CancellationToken,
    failure: mpsc::Sender<anyhow::Error>,
) -> anyhow::Result<()> {
    let mut restarted: Option<Instant> = None;
    loop {
        let program = run.program();
        let ended = tokio::select! {
            ended = run.ended() => Some(ended?),
            () = upgrade::due(&postmaster.binaries, program, &postmaster.socket_directory) => None,
            () = stopping.cancelled() => return run.stop().await,
        };
        let next = match ended {
            None => restart(&postmaster, run, &stopping).await,
            Some(status) if restarted.is_some_and(|moment| moment.elapsed() < SHORTEST_RUN) => {
                Err(anyhow!("PostgreSQL ended by itself again, soon after it was started again ({status})"))
            }
            Some(status) => {
                error!("PostgreSQL ended by itself ({status}); starting it again");
                postmaster.run().await.context("PostgreSQL ended by itself and cannot be started again")
            }
        };
        run = match next {
            Ok(run) => run,
            // A failure no longer matters once we are stopping.
            Err(_) if stopping.is_cancelled() => return Ok(()),
            Err(error) => {
                // Nobody asks any more when the receiver is gone.
                failure.send(error).await.ok();
                return Ok(());
            }
        };
        // One that we ended ourselves says nothing of how long the next one runs.
        restarted = ended.map(|_| Instant::now());
        info!("PostgreSQL runs again");
    }
}

/// Restarts it with the program that is installed now.
async fn restart(postmaster: &Postmaster, run: Run, stopping: &CancellationToken) -> anyhow::Result<Run> {
    run.stop().await?;
    let begun = Instant::now();
    loop {
        let cause = match postmaster.run().await {
            Ok(run) => return Ok(run),
            Err(cause) => cause.context("PostgreSQL was upgraded and cannot be started again"),
        };
        if begun.elapsed() > UPGRADE_TIMEOUT {
            return Err(cause);
        }
        warn!(cause = format!("{cause:#}"), "The upgraded PostgreSQL does not start yet; it is tried again");
        if stopping.run_until_cancelled(sleep(upgrade::LOOKS)).await.is_none() {
            bail!("Told to stop");
        }
    }
}
