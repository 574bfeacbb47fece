//! The execution of one run, from start to end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use domain::sync::SyncState;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::fetcher::{Fetcher, Selection};
use super::heartbeat::Heartbeat;
use super::outcome_writer::{self, OutcomeWriter};
use super::progress::{Counts, Progress};
use super::reconcile::delete_orphans;
use super::run_lock::RunLock;
use super::sync_request::{Mode, SyncRequest};
use super::worker::{DriverWorker, WorkerEnd};
use super::{Sync, connection};
use crate::db::Connection;
use crate::error::Result;
use crate::models::sync_run::notification;
use crate::models::sync_run::{FinishedRun, RunReason, SyncRun};
use crate::models::telemetry_delivery::{has_pending, record_remaining};
use crate::models::telemetry_driver::{DriverState, EnabledDrivers};
use crate::telemetry::driver::Driver;
use domain::Driver as DriverName;

/// The factor by which a run in mode [`Mode::UntilEmpty`] waits longer for a service that asked for a pause.
const UNTIL_EMPTY_WAIT_FACTOR: i32 = 12;

/// How long a run may delete pending rows of deleted events.
const RECONCILE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a run may delete pending rows of events that were too old when the first driver was enabled.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(5);

/// A run that has events to send.
pub struct Run {
    pub sync: Sync,
    pub row: SyncRun,
    pub request: SyncRequest,
    pub drivers: Vec<Arc<Driver>>,
    /// Send only the events that this run left pending.
    pub batch: Option<i64>,
    /// The drivers that any process has enabled.
    pub enabled: EnabledDrivers,
    pub heartbeat: Heartbeat,
}

/// The database connections of a run, besides that of its lock.
struct Connections {
    writer: Connection,
    fetchers: Vec<Fetcher>,
}

/// How the workers of a run ended.
#[derive(Default)]
struct WorkerEnds {
    workers: Vec<WorkerEnd>,
    /// Whether the run reached its time limit.
    is_out_of_time: bool,
    /// Whether the database or a task failed.
    is_broken: bool,
}

impl Run {
    /// Sends events and writes the end of the run.
    pub async fn execute(self, mut lock: RunLock) {
        info!(run = self.row.id, trigger = self.row.trigger.key(), "Started a sync run");
        let progress = Arc::new(Progress::new(self.names()));
        let states = self.begin(&mut lock).await;
        // Open all connections before anything is sent, because its outcomes must be written.
        let ends = match self.open_connections(&lock).await {
            Ok(connections) => {
                let shared = Arc::new(Mutex::new(lock));
                let ends = self.send(&shared, connections, &states, &progress).await;
                let Some(inner) = Arc::into_inner(shared) else {
                    error!(run = self.row.id, "The run has ended but its lock is still held");
                    return;
                };
                lock = inner.into_inner();
                ends
            }
            Err(cause) => {
                error!(
                    code = cause.code().as_str(),
                    run = self.row.id,
                    "Failed to open database connections for a sync run"
                );
                WorkerEnds { is_broken: true, ..WorkerEnds::default() }
            }
        };
        let reason = if ends.is_broken {
            Some(RunReason::Broken)
        } else if self.sync.stop.is_cancelled() {
            Some(RunReason::Interrupted)
        } else {
            ends.is_out_of_time.then_some(RunReason::OutOfTime)
        };
        if !ends.is_out_of_time
            && let Err(cause) = self.sync.discard_too_old(DISCARD_TIMEOUT).await
        {
            warn!(
                code = cause.code().as_str(),
                run = self.row.id,
                "Failed to delete pending rows of events that are too old"
            );
        }
        self.close(&mut lock, progress.counts(), &ends.workers, reason).await;
        if let Err(cause) = lock.release().await {
            warn!(
                %cause,
                run = self.row.id,
                "Failed to release the run lock; closing the connection will release it"
            );
        }
    }

    /// The names of the drivers that the run sends to.
    fn names(&self) -> impl Iterator<Item = DriverName> {
        self.drivers.iter().map(|driver| driver.name())
    }

    /// Deletes pending rows of deleted events, and reads the state that earlier runs stored for each driver.
    async fn begin(&self, lock: &mut RunLock) -> HashMap<DriverName, DriverState> {
        if let Err(cause) = delete_orphans(lock.conn(), &self.enabled, RECONCILE_TIMEOUT).await {
            error!(%cause, run = self.row.id, "Failed to delete pending rows of deleted events");
        }
        let mut states = HashMap::new();
        for name in self.names() {
            match DriverState::read(lock.conn(), name).await {
                Ok(state) => drop(states.insert(name, state)),
                // The workers will notice if the database is unavailable.
                Err(cause) => error!(%cause, driver = name.key(), "Failed to read a driver's state"),
            }
        }
        states
    }

    async fn open_connections(&self, lock: &RunLock) -> Result<Connections> {
        let pool = &self.sync.pool;
        let writer = connection::open(pool).await?;
        let mut fetchers = Vec::new();
        for driver in &self.drivers {
            let selection = Selection {
                driver: Arc::clone(driver),
                installation_id: lock.installation_id,
                batch: self.batch,
                sends_from: self.enabled.sends_from(driver.name()),
            };
            fetchers.push(Fetcher::open(pool, selection).await?);
        }
        Ok(Connections { writer, fetchers })
    }

    /// Runs a worker for each driver, and the outcome writer.
    async fn send(
        &self,
        lock: &Arc<Mutex<RunLock>>,
        connections: Connections,
        states: &HashMap<DriverName, DriverState>,
        progress: &Arc<Progress>,
    ) -> WorkerEnds {
        let Sync { pool, clock, metrics, .. } = &self.sync;
        let (stop, broken) = (self.sync.stop.child_token(), CancellationToken::new());
        let (sender, receiver) = outcome_writer::channel();
        let writer = OutcomeWriter {
            pool: pool.clone(),
            clock: clock.clone(),
            metrics: metrics.clone(),
            progress: Arc::clone(progress),
            run_id: self.row.id,
            broken: broken.clone(),
        };
        let writer = tokio::spawn(writer.run(connections.writer, receiver));
        let mut workers = JoinSet::new();
        for (driver, fetcher) in self.drivers.iter().zip(connections.fetchers) {
            let worker = DriverWorker {
                driver: Arc::clone(driver),
                run_id: self.row.id,
                lock: Arc::clone(lock),
                writer: sender.clone(),
                progress: Arc::clone(progress),
                clock: clock.clone(),
                metrics: metrics.clone(),
                limit: self.request.limit.and_then(|limit| usize::try_from(limit).ok()),
                max_wait: self.max_wait(),
                retries: self.batch.is_none(),
                ownership: self.heartbeat.ownership(),
                stop: stop.clone(),
            };
            let retry_at = states.get(&driver.name()).and_then(|state| state.paused_until);
            workers.spawn(worker.run(fetcher, retry_at));
        }
        drop(sender);
        let mut ends = self.join(workers, &stop, &broken).await;
        if let Err(cause) = writer.await {
            error!(%cause, "The outcome writer of the sync run panicked");
            ends.is_broken = true;
        }
        // A worker that cannot continue stops the others too.
        let was_stopped_by_worker =
            stop.is_cancelled() && !self.sync.stop.is_cancelled() && !ends.is_out_of_time;
        ends.is_broken |= broken.is_cancelled() || was_stopped_by_worker;
        ends
    }

    /// Waits for the workers. Stops them at the run's time limit, or if the database fails.
    async fn join(
        &self,
        mut workers: JoinSet<WorkerEnd>,
        stop: &CancellationToken,
        broken: &CancellationToken,
    ) -> WorkerEnds {
        let mut ends = WorkerEnds::default();
        let time_limit = async {
            match self.request.budget {
                Some(budget) => tokio::time::sleep(budget).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(time_limit);
        let ownership = self.heartbeat.ownership();
        loop {
            tokio::select! {
                ended = workers.join_next() => match ended {
                    Some(Ok(end)) => ends.workers.push(end),
                    Some(Err(cause)) => {
                        error!(%cause, "A worker of the sync run panicked");
                        broken.cancel();
                    }
                    None => return ends,
                },
                () = &mut time_limit, if !ends.is_out_of_time => {
                    ends.is_out_of_time = true;
                    stop.cancel();
                }
                () = ownership.lost(), if !broken.is_cancelled() => broken.cancel(),
                () = broken.cancelled(), if !stop.is_cancelled() => stop.cancel(),
            }
        }
    }

    async fn close(&self, lock: &mut RunLock, counts: Counts, ends: &[WorkerEnd], reason: Option<RunReason>) {
        let (now, processed) = (self.sync.clock.now(), counts.processed());
        let state = counts.state(reason.as_ref());
        let names: Vec<DriverName> = self.names().collect();
        let close = async {
            lock.set_idle_timeout().await?;
            if let Err(cause) = record_remaining(lock.conn(), self.row.id).await {
                error!(%cause, run = self.row.id, "Failed to record the events that a sync run left pending");
            }
            let reason = if state != SyncState::Skipped {
                reason
            } else if has_pending(lock.conn(), &self.enabled, &names).await? {
                Some(RunReason::NothingDue)
            } else {
                Some(RunReason::NothingPending)
            };
            let end = FinishedRun { state, drivers: counts.drivers, processed, finished_at: now, reason };
            for WorkerEnd { driver, paused_until, outage } in ends {
                let state = DriverState { paused_until: *paused_until, outage: outage.clone() };
                state.store(lock.conn(), *driver, now).await?;
            }
            end.store(lock.conn(), &self.row).await?;
            notification::notify(lock.conn()).await
        };
        self.sync.metrics.sync().run_ended(state);
        match close.await {
            Ok(()) => info!(run = self.row.id, state = state.key(), processed, "Ended a sync run"),
            Err(cause) => {
                error!(%cause, run = self.row.id, "Failed to save the end of a sync run");
            }
        }
    }

    fn max_wait(&self) -> TimeDelta {
        let max_wait = self.sync.config.telemetry.sync.max_wait;
        let max_wait = TimeDelta::from_std(max_wait).unwrap_or(TimeDelta::zero());
        match self.request.mode {
            Mode::Once => max_wait,
            Mode::UntilEmpty => max_wait * UNTIL_EMPTY_WAIT_FACTOR,
        }
    }
}
