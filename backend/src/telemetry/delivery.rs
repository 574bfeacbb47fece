//! The sync: takes player events to the analytics services, each to each of them once.
//!
//! There is one run at a time, whatever process it is in. A run has a lane for each driver; lanes take events up, send
//! them, and pass the verdicts on to the ledger, which writes them down as they come. Nothing is sent that is not on
//! record as being sent, so that a run that dies leaves behind what was perhaps sent.

mod backfill;
mod board;
mod connection;
mod desk;
mod forget;
mod gate;
mod heartbeat;
mod held;
mod lane;
mod ledger;
mod order;
mod outcome;
mod prepare;
mod reconcile;
mod refusals;
mod requeue;
mod run;
mod stock;
mod supply;
mod tally;
mod verdict;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info};

pub use self::backfill::NotBackfilled;
use self::desk::Desk;
pub use self::desk::is_taken as is_under_way;
pub use self::forget::NotForgotten;
use self::heartbeat::Heartbeat;
pub use self::order::{Order, Span, What};
use self::prepare::{Prepared, left_out};
pub use self::refusals::FIRST as REFUSALS_THAT_ALARM;
use self::run::Run;
use super::news;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Connection, Pool};
use crate::error::{Error, Result};
use crate::metrics::Metrics;
use crate::models::sync_run::{NewSyncRun, Note, Share, SyncEnd, SyncRun, SyncState};
use crate::models::telemetry_delivery::{Frontier, put_on_record};

/// What is under way when a run is told to end may take so long: longer than any request.
pub const WINDING_UP: Duration = Duration::from_secs(35);

/// The way to run the sync; cheap to clone.
#[derive(Clone)]
pub struct Sync {
    pool: Pool,
    clock: Clock,
    metrics: Metrics,
    config: Arc<Config>,
    runs: TaskTracker,
    stop: CancellationToken,
    /// How far recent events were looked at for whether they are noted as pending.
    looked_at: Arc<Mutex<Option<Frontier>>>,
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
        let (runs, stop) = (TaskTracker::new(), CancellationToken::new());
        Self { pool, clock, metrics, config, runs, stop, looked_at: Arc::default() }
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
        let heartbeat = Heartbeat::start(self.pool.clone(), id);
        desk.allow_idling().await?;
        let run = SyncRun::find(desk.conn(), id).await?.context("A run is gone that was just begun")?;
        news::tell(desk.conn()).await?;
        let Prepared { drivers, batch, enabled } = match self.prepare(desk.conn(), id, &order).await? {
            Ok(prepared) => prepared,
            Err((state, note)) => {
                let end = SyncEnd {
                    state,
                    shares: Vec::new(),
                    processed: 0,
                    finished_at: self.clock.now(),
                    note: Some(note),
                };
                desk.limit_idling().await?;
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
        let names: Vec<_> = shares.iter().map(|share| share.driver).collect();
        let drivers_left_out = left_out(&enabled, &names);
        let run = SyncRun { shares, drivers_left_out, ..run };
        news::tell(desk.conn()).await?;
        let (tell, ended) = oneshot::channel();
        let (sync, at_work) = (self.clone(), run.clone());
        self.runs.spawn(async move {
            Run { sync, row: at_work, order, drivers, batch, enabled, heartbeat }.work(desk).await;
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

    /// Goes on with what a run left whose process died or is frozen, if there is such a run.
    pub async fn resume(&self) -> Result<()> {
        let is_dead = {
            let conn = &mut *self.pool.get().await?;
            match SyncRun::running(conn).await? {
                Some(_) => !is_under_way(conn).await? || SyncRun::is_silent(conn).await?,
                None => false,
            }
        };
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
            error!("A run of the sync did not end in time; the next one takes over what it was sending");
        }
    }
}

/// Says of a run whose process ended in the middle that it failed. From then on whatever is left of it writes nothing.
async fn close_dead_run(conn: &mut Connection, clock: &Clock) -> diesel::QueryResult<()> {
    let Some(run) = SyncRun::running(conn).await? else { return Ok(()) };
    let end = SyncEnd {
        state: SyncState::Failed,
        shares: run.shares.clone(),
        processed: run.processed,
        finished_at: clock.now(),
        note: Some(Note::Died),
    };
    end.store(conn, &run).await?;
    put_on_record(conn, run.id).await?;
    Ok(())
}
