//! Delivery of player events to the analytics services, each event once to each service.
//!
//! One run sends at a time, across all processes (`run_lock`). A run has a worker for each driver. Workers
//! fetch events, lease them, send them, and pass their outcomes to the outcome writer. No event is sent
//! without a stored lease, so after a crash the next run knows which events may have been delivered.

mod backfill;
mod circuit_breaker;
mod connection;
mod fetcher;
mod forget;
mod heartbeat;
mod outcome_writer;
mod prepare;
mod progress;
mod reconcile;
mod refusals;
mod request_queue;
mod requeue;
mod retry_policy;
mod run;
mod run_lock;
mod sync_request;
pub mod texts;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use domain::sync::SyncState;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info};

pub use self::backfill::BackfillError;
pub use self::forget::ForgetError;
use self::heartbeat::Heartbeat;
use self::prepare::{Prepared, left_out};
pub use self::refusals::SUSPICIOUS_REFUSALS;
use self::run::Run;
use self::run_lock::RunLock;
pub use self::run_lock::is_held as is_running;
pub use self::sync_request::{Mode, Scope, SyncRequest};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Connection, Pool};
use crate::error::{Error, Result};
use crate::metrics::Metrics;
use crate::models::sync_run::notification;
use crate::models::sync_run::{DriverStats, FinishedRun, NewSyncRun, RunReason, SyncRun};
use crate::models::telemetry_delivery::{EventPosition, record_remaining};

/// How long a stopped run waits for its requests in flight. Longer than the timeout of any request.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(35);

/// Starts and stops runs. Cheap to clone.
#[derive(Clone)]
pub struct Sync {
    pool: Pool,
    clock: Clock,
    metrics: Metrics,
    config: Arc<Config>,
    runs: TaskTracker,
    stop: CancellationToken,
    /// Recent events up to this position were checked for a missing pending row.
    reconciled_to: Arc<Mutex<Option<EventPosition>>>,
}

/// A run that was started.
#[derive(Debug)]
pub enum Started {
    /// The run ended immediately, because it had nothing to send or could not send.
    Ended(SyncRun),
    /// The run is in progress.
    InProgress {
        /// The run at its start.
        run: SyncRun,
        /// Resolves when the run ends.
        ended: oneshot::Receiver<()>,
    },
}

/// Why no run was started.
#[derive(Debug)]
pub enum StartError {
    /// Another run is in progress.
    AlreadyRunning,
    /// An error on our side.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for StartError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Sync {
    /// Creates a handle without starting a run.
    pub fn new(pool: Pool, clock: Clock, metrics: Metrics, config: Arc<Config>) -> Self {
        let (runs, stop) = (TaskTracker::new(), CancellationToken::new());
        Self { pool, clock, metrics, config, runs, stop, reconciled_to: Arc::default() }
    }

    /// Starts a run. It continues if the returned future is dropped.
    pub async fn start(&self, request: SyncRequest) -> Result<Started, StartError> {
        let Some(mut lock) = RunLock::acquire(&self.pool).await? else {
            return Err(StartError::AlreadyRunning);
        };
        close_dead_run(lock.conn(), &self.clock).await?;
        let new = NewSyncRun {
            trigger: request.trigger,
            triggered_by: request.triggered_by,
            event_limit: request.limit.and_then(|limit| i32::try_from(limit).ok()),
            started_at: self.clock.now(),
        };
        let id = new.insert(lock.conn()).await?;
        let heartbeat = Heartbeat::start(self.pool.clone(), id);
        lock.disable_idle_timeout().await?;
        let run =
            SyncRun::find(lock.conn(), id).await?.context("The run that was just started is missing")?;
        notification::notify(lock.conn()).await?;
        let Prepared { drivers, batch, enabled } = match self.prepare(lock.conn(), id, &request).await? {
            Ok(prepared) => prepared,
            Err((state, reason)) => {
                let end = FinishedRun {
                    state,
                    drivers: Vec::new(),
                    processed: 0,
                    finished_at: self.clock.now(),
                    reason: Some(reason),
                };
                lock.set_idle_timeout().await?;
                end.store(lock.conn(), &run).await?;
                self.metrics.sync().run_ended(state);
                notification::notify(lock.conn()).await?;
                let run =
                    SyncRun::find(lock.conn(), id).await?.context("The run that just ended is missing")?;
                lock.release().await?;
                return Ok(Started::Ended(run));
            }
        };
        let stats: Vec<DriverStats> = drivers.iter().map(|driver| DriverStats::new(driver.name())).collect();
        SyncRun::store_progress(lock.conn(), id, &stats, 0).await?;
        let names: Vec<_> = stats.iter().map(|stats| stats.driver).collect();
        let drivers_left_out = left_out(&enabled, &names);
        let run = SyncRun { drivers: stats, drivers_left_out, ..run };
        notification::notify(lock.conn()).await?;
        let (notify_end, ended) = oneshot::channel();
        let (sync, row) = (self.clone(), run.clone());
        self.runs.spawn(async move {
            Run { sync, row, request, drivers, batch, enabled, heartbeat }.execute(lock).await;
            // The receiver may have been dropped.
            notify_end.send(()).ok();
        });
        Ok(Started::InProgress { run, ended })
    }

    /// Starts a run, waits at most `max_wait` for its end, and returns its current state.
    pub async fn start_and_wait(
        &self,
        request: SyncRequest,
        max_wait: Duration,
    ) -> Result<SyncRun, StartError> {
        match self.start(request).await? {
            Started::Ended(run) => Ok(run),
            Started::InProgress { run, ended } => {
                // The row says whether the run has ended.
                drop(timeout(max_wait, ended).await);
                let conn = &mut *self.pool.get().await?;
                Ok(SyncRun::find(conn, run.id).await?.unwrap_or(run))
            }
        }
    }

    /// Starts a run if the process of the last one died or is frozen, to resume its work.
    pub async fn resume(&self) -> Result<()> {
        let is_dead = {
            let conn = &mut *self.pool.get().await?;
            match SyncRun::running(conn).await? {
                Some(_) => !is_running(conn).await? || SyncRun::is_unresponsive(conn).await?,
                None => false,
            }
        };
        if !is_dead {
            return Ok(());
        }
        info!("Resuming the work of a sync run whose process died");
        match self.start(SyncRequest::SCHEDULED).await {
            Ok(Started::Ended(_) | Started::InProgress { .. }) | Err(StartError::AlreadyRunning) => Ok(()),
            Err(StartError::Failed(error)) => Err(error),
        }
    }

    /// Stops the runs of this process, and waits until the outcomes of their requests are written.
    pub async fn shut_down(&self) {
        self.stop.cancel();
        self.runs.close();
        if timeout(SHUTDOWN_TIMEOUT, self.runs.wait()).await.is_err() {
            error!("Timed out waiting for a sync run to end; the next run will reclaim its leases");
        }
    }
}

/// Marks a run as failed after its process died. From then on the process cannot write outcomes of this run.
async fn close_dead_run(conn: &mut Connection, clock: &Clock) -> diesel::QueryResult<()> {
    let Some(run) = SyncRun::running(conn).await? else { return Ok(()) };
    let end = FinishedRun {
        state: SyncState::Failed,
        drivers: run.drivers.clone(),
        processed: run.processed,
        finished_at: clock.now(),
        reason: Some(RunReason::Died),
    };
    end.store(conn, &run).await?;
    record_remaining(conn, run.id).await?;
    Ok(())
}
