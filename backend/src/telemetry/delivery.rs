//! Delivery of player events to the analytics services, each event once to each service.
//!
//! One run sends at a time, across all processes (`run_lock`). A run has a worker for each driver. Workers fetch events,
//! lease them, send them, and hand their outcomes to the outcome writer. Nothing is sent without a lease on record, so
//! after a crash the next run knows which events may have been delivered.

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

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
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
use super::notify;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Connection, Pool};
use crate::error::{Error, Result};
use crate::metrics::Metrics;
use crate::models::sync_run::{DriverStats, NewSyncRun, RunReason, SyncEnd, SyncRun, SyncState};
use crate::models::telemetry_delivery::{EventPosition, record_remaining};

/// How long requests that are being sent may take to end when a run is stopped: longer than any request's timeout.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(35);

/// Starts and stops runs; cheap to clone.
#[derive(Clone)]
pub struct Sync {
    pool: Pool,
    clock: Clock,
    metrics: Metrics,
    config: Arc<Config>,
    runs: TaskTracker,
    stop: CancellationToken,
    /// The position up to which recent events were checked for a pending row.
    reconciled_to: Arc<Mutex<Option<EventPosition>>>,
}

/// A run that was started.
#[derive(Debug)]
pub enum Started {
    /// It has ended already, since it had nothing to do or could not do anything.
    Ended(SyncRun),
    /// It is in progress.
    InProgress {
        /// The run at its start.
        run: SyncRun,
        /// Resolves when it ends.
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
    /// Starts nothing yet.
    pub fn new(pool: Pool, clock: Clock, metrics: Metrics, config: Arc<Config>) -> Self {
        let (runs, stop) = (TaskTracker::new(), CancellationToken::new());
        Self { pool, clock, metrics, config, runs, stop, reconciled_to: Arc::default() }
    }

    /// Starts a run, which continues when the caller goes away.
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
        lock.allow_idling().await?;
        let run = SyncRun::find(lock.conn(), id).await?.context("A run is gone that was just started")?;
        notify::publish(lock.conn()).await?;
        let Prepared { drivers, batch, enabled } = match self.prepare(lock.conn(), id, &request).await? {
            Ok(prepared) => prepared,
            Err((state, reason)) => {
                let end = SyncEnd {
                    state,
                    drivers: Vec::new(),
                    processed: 0,
                    finished_at: self.clock.now(),
                    reason: Some(reason),
                };
                lock.limit_idling().await?;
                end.store(lock.conn(), &run).await?;
                self.metrics.sync().run_ended(state);
                notify::publish(lock.conn()).await?;
                let run = SyncRun::find(lock.conn(), id).await?.context("A run is gone that just ended")?;
                lock.release().await?;
                return Ok(Started::Ended(run));
            }
        };
        let stats: Vec<DriverStats> = drivers.iter().map(|driver| DriverStats::new(driver.name())).collect();
        SyncRun::store_progress(lock.conn(), id, &stats, 0).await?;
        let names: Vec<_> = stats.iter().map(|stats| stats.driver).collect();
        let drivers_left_out = left_out(&enabled, &names);
        let run = SyncRun { drivers: stats, drivers_left_out, ..run };
        notify::publish(lock.conn()).await?;
        let (notify_end, ended) = oneshot::channel();
        let (sync, row) = (self.clone(), run.clone());
        self.runs.spawn(async move {
            Run { sync, row, request, drivers, batch, enabled, heartbeat }.execute(lock).await;
            // The caller may be gone.
            notify_end.send(()).ok();
        });
        Ok(Started::InProgress { run, ended })
    }

    /// Starts a run and waits for its end, at most this long; answers with the run as it is then.
    pub async fn start_and_wait(
        &self,
        request: SyncRequest,
        max_wait: Duration,
    ) -> Result<SyncRun, StartError> {
        match self.start(request).await? {
            Started::Ended(run) => Ok(run),
            Started::InProgress { run, ended } => {
                // Whether it has ended is in the row.
                drop(timeout(max_wait, ended).await);
                let conn = &mut *self.pool.get().await?;
                Ok(SyncRun::find(conn, run.id).await?.unwrap_or(run))
            }
        }
    }

    /// Starts a run if the last one died or is frozen, to resume its work.
    pub async fn resume(&self) -> Result<()> {
        let is_dead = {
            let conn = &mut *self.pool.get().await?;
            match SyncRun::running(conn).await? {
                Some(_) => !is_running(conn).await? || SyncRun::is_silent(conn).await?,
                None => false,
            }
        };
        if !is_dead {
            return Ok(());
        }
        info!("Resuming the work of a sync run that died");
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
            error!("A sync run did not end in time; the next run reclaims its leases");
        }
    }
}

/// Closes a run whose process died, as failed. It can write nothing more from then on.
async fn close_dead_run(conn: &mut Connection, clock: &Clock) -> diesel::QueryResult<()> {
    let Some(run) = SyncRun::running(conn).await? else { return Ok(()) };
    let end = SyncEnd {
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
