//! Keeps PostgreSQL running: starts it again when it ends by itself, and stops it when we are done.

use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::postmaster::{Postmaster, Run};

/// PostgreSQL ending this soon after it was started again is not worth another try.
const SHORTEST_RUN: Duration = Duration::from_secs(5);

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
        let ended = tokio::select! {
            ended = run.ended() => ended?,
            () = stopping.cancelled() => return run.stop().await,
        };
        let next = if restarted.is_some_and(|moment| moment.elapsed() < SHORTEST_RUN) {
            Err(anyhow!("PostgreSQL ended by itself again, soon after it was started again ({ended})"))
        } else {
            error!("PostgreSQL ended by itself ({ended}); starting it again");
            postmaster.run().await.context("PostgreSQL ended by itself and cannot be started again")
        };
        run = match next {
            Ok(run) => run,
            Err(error) => {
                // Nobody asks any more when the receiver is gone.
                failure.send(error).await.ok();
                return Ok(());
            }
        };
        restarted = Some(Instant::now());
        info!("PostgreSQL runs again");
    }
}
