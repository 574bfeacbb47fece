//! The sync: takes player events to the analytics services, each to each of them once.
//!
//! There is one run at a time, whatever process it is in. A run has a lane for each driver; lanes take events up, send
//! them, and pass the verdicts on to the ledger, which writes them down as they come. Nothing is sent that is not on
//! record as taken up, so that a run that dies leaves behind what was perhaps sent.

mod board;
mod connection;
mod desk;
mod gate;
mod lane;
mod ledger;
mod order;
mod outcome;
mod tally;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::TimeDelta;
use tokio::sync::{Mutex, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use self::board::{Board, Counts};
use self::desk::Desk;
pub use self::desk::is_taken as is_under_way;
use self::lane::{Lane, LaneEnd};
use self::ledger::Ledger;
pub use self::order::{Order, Span, What};
use super::driver::{self, Driver, NotConfigured};
use super::news;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Connection, Pool};
use crate::error::{Error, Result};
use crate::metrics::Metrics;
use crate::models::driver::Driver as Name;
use crate::models::sync_run::{NewSyncRun, Note, Share, SyncEnd, SyncRun, SyncState};
use crate::models::telemetry_delivery::{drop_disabled, is_owed_of_batch};
use crate::models::telemetry_driver::DriverState;
use crate::models::video_player_event::is_anything_unsynced;

/// How much longer a run that goes on until nothing is owed waits for a service that pauses.
const MORE_PATIENCE: i32 = 12;

/// What is under way when a run is told to end may take so long: longer than any request.
const WINDING_UP: Duration = Duration::from_secs(35);

/// The way to run the sync; cheap to clone.
#[derive(Clone)]
pub struct Sync {
    pool: Pool,
    clock: Clock,
    metrics: Metrics,
    config: Arc<Config>,
    runs: TaskTracker,
    stop: CancellationToken,
}

/// A run that was begun.
#[derive(Debug)]
pub enum Begun {
    /// It had nothing to do, or could do nothing.
    Over(SyncRun),
    /// It is under way.
    UnderWay {
        /// The run at its beginning.
        run: SyncRun,
        /// Comes when it is over.
        ended: oneshot::Receiver<()>,
    },
}

/// Why no run was begun.
#[derive(Debug)]
pub enum NotBegun {
    /// Another run is under way.
    AlreadyRunning,
    /// A fault of ours.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for NotBegun {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Sync {
    /// Nothing runs yet.
    pub fn new(pool: Pool, clock: Clock, metrics: Metrics, config: Arc<Config>) -> Self {
        Self { pool, clock, metrics, config, runs: TaskTracker::new(), stop: CancellationToken::new() }
    }

    /// Begins a run, which goes on when whoever asked for it goes away.
    pub async fn begin(&self, order: Order) -> Result<Begun, NotBegun> {
        let Some(mut desk) = Desk::take(&self.pool).await? else { return Err(NotBegun::AlreadyRunning) };
        close_dead_run(desk.conn(), &self.clock).await?;
        let new = NewSyncRun {
            trigger: order.trigger,
            triggered_by: order.triggered_by,
            event_limit: order.limit.and_then(|limit| i32::try_from(limit).ok()),
            started_at: self.clock.now(),
        };
        let id = new.insert(desk.conn()).await?;
        let run = SyncRun::find(desk.conn(), id).await?.context("A run is gone that was just begun")?;
        news::tell(desk.conn()).await?;
        let (drivers, batch) = match self.prepare(desk.conn(), &order).await? {
            Ok(prepared) => prepared,
            Err((state, note)) => {
                let end = SyncEnd {
                    state,
                    shares: Vec::new(),
                    processed: 0,
                    finished_at: self.clock.now(),
                    note: Some(note),
                };
                end.store(desk.conn(), &run).await?;
                self.metrics.sync().run_ended(state);
                news::tell(desk.conn()).await?;
                let run = SyncRun::find(desk.conn(), id).await?.context("A run is gone that just ended")?;
                desk.leave().await?;
                return Ok(Begun::Over(run));
            }
        };
        let shares: Vec<Share> = drivers.iter().map(|driver| Share::new(driver.name())).collect();
        SyncRun::store_progress(desk.conn(), id, &shares, 0).await?;
        let run = SyncRun { shares, ..run };
        news::tell(desk.conn()).await?;
        let (tell, ended) = oneshot::channel();
        let (sync, at_work) = (self.clone(), run.clone());
        self.runs.spawn(async move {
            sync.work(desk, at_work, order, drivers, batch).await;
            // Whoever waited may have gone.
            tell.send(()).ok();
        });
        Ok(Begun::UnderWay { run, ended })
    }

    /// Begins a run and waits for it, up to so long; answers with the run as it is then.
    pub async fn run(&self, order: Order, patience: Duration) -> Result<SyncRun, NotBegun> {
        match self.begin(order).await? {
            Begun::Over(run) => Ok(run),
            Begun::UnderWay { run, ended } => {
                // Over or not, the row says how it is.
                drop(timeout(patience, ended).await);
                let conn = &mut *self.pool.get().await?;
                Ok(SyncRun::find(conn, run.id).await?.unwrap_or(run))
            }
        }
    }

    /// Goes on with what a run left whose process died, if there is such a run.
    pub async fn resume(&self) -> Result<()> {
        let conn = &mut *self.pool.get().await?;
        let is_dead = SyncRun::running(conn).await?.is_some() && !is_under_way(conn).await?;
        if !is_dead {
            return Ok(());
        }
        info!("Going on with what a run of the sync left whose process died");
        match self.begin(Order::SCHEDULED).await {
            // It goes on by itself.
            Ok(Begun::Over(_) | Begun::UnderWay { .. }) | Err(NotBegun::AlreadyRunning) => Ok(()),
            Err(NotBegun::Failed(error)) => Err(error),
        }
    }

    /// Tells runs of this process to end, and waits until what is under way is done and written down.
    pub async fn wind_up(&self) {
        self.stop.cancel();
        self.runs.close();
        if timeout(WINDING_UP, self.runs.wait()).await.is_err() {
            error!("A run of the sync did not end in time; the next one takes over what it had taken up");
        }
    }

    /// The drivers to send to and the batch to retry; or how the run ends right away.
    async fn prepare(&self, conn: &mut Connection, order: &Order) -> Result<Result<Prepared, Ending>> {
        let enabled = driver::enabled(&self.config.telemetry);
        if enabled.is_empty() {
            return Ok(Err((SyncState::Skipped, Note::NoDriver)));
        }
        let missing: Vec<String> = enabled
            .iter()
            .filter_map(|(_, driver)| driver.as_ref().err())
            .map(|NotConfigured(setting)| (*setting).to_owned())
            .collect();
        if !missing.is_empty() {
            return Ok(Err((SyncState::Failed, Note::NotConfigured { settings: missing })));
        }
        let drivers = enabled.into_iter().filter_map(|(_, driver)| driver.ok()).map(Arc::new).collect();
        match order.what {
            What::Oldest if is_anything_unsynced(conn).await? => Ok(Ok((drivers, None))),
            What::Oldest => Ok(Err((SyncState::Skipped, Note::NothingPending))),
            What::LastBatch => {
                let last = SyncRun::last_worked(conn).await?.map(|run| run.id);
                match last {
                    Some(batch) if is_owed_of_batch(conn, batch).await? => Ok(Ok((drivers, Some(batch)))),
                    Some(_) | None => Ok(Err((SyncState::Skipped, Note::NothingToRetry))),
                }
            }
        }
    }

    async fn work(
        self,
        mut desk: Desk,
        run: SyncRun,
        order: Order,
        drivers: Vec<Arc<Driver>>,
        batch: Option<i64>,
    ) {
        let names: Arc<[Name]> = drivers.iter().map(|driver| driver.name()).collect();
        info!(run = run.id, trigger = run.trigger.key(), "Began a run of the sync");
        let states = self.set_out(&mut desk, &names).await;
        let board = Arc::new(Board::new(names.iter().copied()));
        let (stop, broken) = (self.stop.child_token(), CancellationToken::new());
        let desk = Arc::new(Mutex::new(desk));
        let (entries, receiver) = ledger::channel();
        let ledger = Ledger {
            pool: self.pool.clone(),
            clock: self.clock.clone(),
            metrics: self.metrics.clone(),
            board: Arc::clone(&board),
            run_id: run.id,
            broken: broken.clone(),
        };
        let ledger = tokio::spawn(ledger.work(receiver));
        let mut lanes = JoinSet::new();
        for driver in drivers {
            let opens_at = states
                .iter()
                .find(|(name, _)| *name == driver.name())
                .and_then(|(_, state)| state.paused_until);
            let lane = Lane {
                driver,
                run_id: run.id,
                desk: Arc::clone(&desk),
                ledger: entries.clone(),
                board: Arc::clone(&board),
                clock: self.clock.clone(),
                metrics: self.metrics.clone(),
                enabled: Arc::clone(&names),
                limit: order.limit.and_then(|limit| usize::try_from(limit).ok()),
                batch,
                patience: self.patience(order.span),
                stop: stop.clone(),
            };
            lanes.spawn(lane.work(opens_at));
        }
        drop(entries);
        let (ends, is_out_of_time) = Self::attend(lanes, &stop, &broken, order.budget).await;
        if let Err(cause) = ledger.await {
            error!(%cause, "The record of the sync broke down");
            broken.cancel();
        }
        let note = if broken.is_cancelled()
            || (stop.is_cancelled() && !self.stop.is_cancelled() && !is_out_of_time)
        {
            Some(Note::Broken)
        } else if self.stop.is_cancelled() {
            Some(Note::Interrupted)
        } else {
            is_out_of_time.then_some(Note::OutOfTime)
        };
        let Some(mut desk) = Arc::into_inner(desk).map(Mutex::into_inner) else {
            error!(run = run.id, "Somebody still sits at the desk of a run that is over");
            return;
        };
        self.close(&mut desk, &run, board.counts(), &ends, note).await;
        if let Err(cause) = desk.leave().await {
            warn!(%cause, run = run.id, "A run could not leave its desk; it is free when the connection is closed");
        }
    }

    /// What is owed to drivers that are not enabled any more is dropped; of the others it is read what they asked for.
    async fn set_out(&self, desk: &mut Desk, enabled: &[Name]) -> Vec<(Name, DriverState)> {
        let now = self.clock.now();
        let mut states = Vec::new();
        for name in Name::ALL {
            let done = if enabled.contains(&name) {
                DriverState::read(desk.conn(), name).await.map(|state| states.push((name, state)))
            } else {
                drop_disabled(desk.conn(), name, now).await.map(drop)
            };
            if let Err(cause) = done {
                // The lanes find out for themselves whether the database is there.
                error!(%cause, driver = name.key(), "A run of the sync could not set out as it should");
            }
        }
        states
    }

    /// Waits for the lanes; stops them when their time is over or the database takes nothing.
    async fn attend(
        mut lanes: JoinSet<LaneEnd>,
        stop: &CancellationToken,
        broken: &CancellationToken,
        budget: Option<Duration>,
    ) -> (Vec<LaneEnd>, bool) {
        let mut ends = Vec::new();
        let mut is_out_of_time = false;
        let time_is_over = async {
            match budget {
                Some(budget) => tokio::time::sleep(budget).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(time_is_over);
        loop {
            tokio::select! {
                ended = lanes.join_next() => match ended {
                    Some(Ok(end)) => ends.push(end),
                    Some(Err(cause)) => {
                        error!(%cause, "A lane of the sync broke down");
                        broken.cancel();
                    }
                    None => return (ends, is_out_of_time),
                },
                () = &mut time_is_over, if !is_out_of_time => {
                    is_out_of_time = true;
                    stop.cancel();
                }
                () = broken.cancelled(), if !stop.is_cancelled() => stop.cancel(),
            }
        }
    }

    async fn close(
        &self,
        desk: &mut Desk,
        run: &SyncRun,
        counts: Counts,
        ends: &[LaneEnd],
        note: Option<Note>,
    ) {
        let (now, processed) = (self.clock.now(), counts.processed());
        let state = outcome::state(&counts, note.as_ref());
        let closed = async {
            let note = if state != SyncState::Skipped {
                note
            } else if is_anything_unsynced(desk.conn()).await? {
                Some(Note::NothingDue)
            } else {
                Some(Note::NothingPending)
            };
            let end = SyncEnd { state, shares: counts.shares, processed, finished_at: now, note };
            for LaneEnd { driver, paused_until, trouble } in ends {
                let state = DriverState { paused_until: *paused_until, trouble: trouble.clone() };
                state.store(desk.conn(), *driver, now).await?;
            }
            end.store(desk.conn(), run).await?;
            news::tell(desk.conn()).await
        };
        self.metrics.sync().run_ended(state);
        match closed.await {
            Ok(()) => info!(run = run.id, state = state.key(), processed, "Ended a run of the sync"),
            Err(cause) => error!(%cause, run = run.id, "The end of a run of the sync could not be noted"),
        }
    }

    fn patience(&self, span: Span) -> TimeDelta {
        let patience = TimeDelta::from_std(self.config.telemetry.sync.patience).unwrap_or(TimeDelta::zero());
        match span {
            Span::Once => patience,
            Span::UntilEmpty => patience * MORE_PATIENCE,
        }
    }
}

type Prepared = (Vec<Arc<Driver>>, Option<i64>);
type Ending = (SyncState, Note);

/// Says of a run whose process ended in the middle that it failed.
async fn close_dead_run(conn: &mut Connection, clock: &Clock) -> diesel::QueryResult<()> {
    let Some(run) = SyncRun::running(conn).await? else { return Ok(()) };
    let end = SyncEnd {
        state: SyncState::Failed,
        shares: run.shares.clone(),
        processed: run.processed,
        finished_at: clock.now(),
        note: Some(Note::Died),
    };
    end.store(conn, &run).await
}
