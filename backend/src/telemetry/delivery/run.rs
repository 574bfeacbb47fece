//! A run from its beginning to its end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::board::{Board, Counts};
use super::desk::Desk;
use super::heartbeat::Heartbeat;
use super::lane::{Lane, LaneEnd};
use super::ledger::{self, Ledger};
use super::order::{Order, Span};
use super::reconcile::forget_orphans;
use super::supply::{Source, Supply};
use super::{Sync, connection, outcome};
use crate::db::Connection;
use crate::error::Result;
use crate::models::driver::Driver as Name;
use crate::models::sync_run::{Note, SyncEnd, SyncRun, SyncState};
use crate::models::telemetry_delivery::{is_anything_owed, put_on_record};
use crate::models::telemetry_driver::{DriverState, EnabledDrivers};
use crate::telemetry::driver::Driver;
use crate::telemetry::news;

/// How much longer a run that goes on until nothing is owed waits for a service that pauses.
const MORE_PATIENCE: i32 = 12;

/// So long at most a run forgets what is pending of events that are gone.
const RECONCILING: Duration = Duration::from_secs(5);
/// So long at most a run settles what was too old when the first driver was enabled.
const SETTLING: Duration = Duration::from_secs(5);

/// A run that has something to do.
pub struct Run {
    pub sync: Sync,
    pub row: SyncRun,
    pub order: Order,
    pub drivers: Vec<Arc<Driver>>,
    /// Only what this run left.
    pub batch: Option<i64>,
    /// The drivers that are enabled, by this process or another.
    pub enabled: EnabledDrivers,
    /// Shows that it is worked on.
    pub heartbeat: Heartbeat,
}

/// What a run writes and reads by.
struct Ways {
    to_ledger: Connection,
    supplies: Vec<Supply>,
}

/// How the lanes of a run ended.
#[derive(Default)]
struct Ends {
    lanes: Vec<LaneEnd>,
    /// Its time was over before.
    is_out_of_time: bool,
    /// The database took nothing more, or something of ours broke down.
    is_broken: bool,
}

impl Run {
    /// Does what it was begun for and writes down how it ended.
    pub async fn work(self, mut desk: Desk) {
        info!(run = self.row.id, trigger = self.row.trigger.key(), "Began a run of the sync");
        let board = Arc::new(Board::new(self.names()));
        let states = self.set_out(&mut desk).await;
        // Before anything is sent, since what was sent must be written down.
        let ends = match self.open(&desk).await {
            Ok(ways) => {
                let shared = Arc::new(Mutex::new(desk));
                let ends = self.send(&shared, ways, &states, &board).await;
                let Some(left) = Arc::into_inner(shared) else {
                    error!(run = self.row.id, "Somebody still sits at the desk of a run that is over");
                    return;
                };
                desk = left.into_inner();
                ends
            }
            Err(cause) => {
                error!(
                    code = cause.code().as_str(),
                    run = self.row.id,
                    "A run of the sync gets no connections"
                );
                Ends { is_broken: true, ..Ends::default() }
            }
        };
        let note = if ends.is_broken {
            Some(Note::Broken)
        } else if self.sync.stop.is_cancelled() {
            Some(Note::Interrupted)
        } else {
            ends.is_out_of_time.then_some(Note::OutOfTime)
        };
        if !ends.is_out_of_time
            && let Err(cause) = self.sync.settle_too_old(SETTLING).await
        {
            warn!(
                code = cause.code().as_str(),
                run = self.row.id,
                "Events that are too old could not be settled"
            );
        }
        self.close(&mut desk, board.counts(), &ends.lanes, note).await;
        if let Err(cause) = desk.leave().await {
            warn!(%cause, run = self.row.id, "A run could not leave its desk; it is free when the connection is closed");
        }
    }

    /// The drivers that it sends to.
    fn names(&self) -> impl Iterator<Item = Name> {
        self.drivers.iter().map(|driver| driver.name())
    }

    /// Forgets what is pending of events that are gone, and reads what each driver asked for when it was last sent to.
    async fn set_out(&self, desk: &mut Desk) -> HashMap<Name, DriverState> {
        if let Err(cause) = forget_orphans(desk.conn(), &self.enabled, RECONCILING).await {
            error!(%cause, run = self.row.id, "What is pending of events that are gone could not be forgotten");
        }
        let mut states = HashMap::new();
        for name in self.names() {
            match DriverState::read(desk.conn(), name).await {
                Ok(state) => drop(states.insert(name, state)),
                // The lanes find out for themselves whether the database is there.
                Err(cause) => error!(%cause, driver = name.key(), "What a driver asked for cannot be read"),
            }
        }
        states
    }

    async fn open(&self, desk: &Desk) -> Result<Ways> {
        let pool = &self.sync.pool;
        let to_ledger = connection::open(pool).await?;
        let mut supplies = Vec::new();
        for driver in &self.drivers {
            let source = Source {
                driver: Arc::clone(driver),
                installation: desk.installation,
                batch: self.batch,
                sends_from: self.enabled.sends_from(driver.name()),
            };
            supplies.push(Supply::open(pool, source).await?);
        }
        Ok(Ways { to_ledger, supplies })
    }

    /// Lets each driver's lane send what it is owed.
    async fn send(
        &self,
        desk: &Arc<Mutex<Desk>>,
        ways: Ways,
        states: &HashMap<Name, DriverState>,
        board: &Arc<Board>,
    ) -> Ends {
        let Sync { pool, clock, metrics, .. } = &self.sync;
        let (stop, broken) = (self.sync.stop.child_token(), CancellationToken::new());
        let (entries, receiver) = ledger::channel();
        let ledger = Ledger {
            pool: pool.clone(),
            clock: clock.clone(),
            metrics: metrics.clone(),
            board: Arc::clone(board),
            run_id: self.row.id,
            broken: broken.clone(),
        };
        let ledger = tokio::spawn(ledger.work(ways.to_ledger, receiver));
        let mut lanes = JoinSet::new();
        for (driver, supply) in self.drivers.iter().zip(ways.supplies) {
            let lane = Lane {
                driver: Arc::clone(driver),
                run_id: self.row.id,
                desk: Arc::clone(desk),
                ledger: entries.clone(),
                board: Arc::clone(board),
                clock: clock.clone(),
                metrics: metrics.clone(),
                limit: self.order.limit.and_then(|limit| usize::try_from(limit).ok()),
                patience: self.patience(),
                tries_again: self.batch.is_none(),
                pulse: self.heartbeat.pulse(),
                stop: stop.clone(),
            };
            let opens_at = states.get(&driver.name()).and_then(|state| state.paused_until);
            lanes.spawn(lane.work(supply, opens_at));
        }
        drop(entries);
        let mut ends = self.attend(lanes, &stop, &broken).await;
        if let Err(cause) = ledger.await {
            error!(%cause, "The record of the sync broke down");
            ends.is_broken = true;
        }
        // A lane that cannot go on stops the others too.
        let is_stopped_by_itself =
            stop.is_cancelled() && !self.sync.stop.is_cancelled() && !ends.is_out_of_time;
        ends.is_broken |= broken.is_cancelled() || is_stopped_by_itself;
        ends
    }

    /// Waits for the lanes; stops them when their time is over or the database takes nothing.
    async fn attend(
        &self,
        mut lanes: JoinSet<LaneEnd>,
        stop: &CancellationToken,
        broken: &CancellationToken,
    ) -> Ends {
        let mut ends = Ends::default();
        let time_is_over = async {
            match self.order.budget {
                Some(budget) => tokio::time::sleep(budget).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(time_is_over);
        let pulse = self.heartbeat.pulse();
        loop {
            tokio::select! {
                ended = lanes.join_next() => match ended {
                    Some(Ok(end)) => ends.lanes.push(end),
                    Some(Err(cause)) => {
                        error!(%cause, "A lane of the sync broke down");
                        broken.cancel();
                    }
                    None => return ends,
                },
                () = &mut time_is_over, if !ends.is_out_of_time => {
                    ends.is_out_of_time = true;
                    stop.cancel();
                }
                () = pulse.lost(), if !broken.is_cancelled() => broken.cancel(),
                () = broken.cancelled(), if !stop.is_cancelled() => stop.cancel(),
            }
        }
    }

    async fn close(&self, desk: &mut Desk, counts: Counts, ends: &[LaneEnd], note: Option<Note>) {
        let (now, processed) = (self.sync.clock.now(), counts.processed());
        let state = outcome::state(&counts, note.as_ref());
        let names: Vec<Name> = self.names().collect();
        let closed = async {
            desk.limit_idling().await?;
            if let Err(cause) = put_on_record(desk.conn(), self.row.id).await {
                error!(%cause, run = self.row.id, "What a run leaves could not be put on record");
            }
            let note = if state != SyncState::Skipped {
                note
            } else if is_anything_owed(desk.conn(), &self.enabled, &names).await? {
                Some(Note::NothingDue)
            } else {
                Some(Note::NothingPending)
            };
            let end = SyncEnd { state, shares: counts.shares, processed, finished_at: now, note };
            for LaneEnd { driver, paused_until, trouble } in ends {
                let state = DriverState { paused_until: *paused_until, trouble: trouble.clone() };
                state.store(desk.conn(), *driver, now).await?;
            }
            end.store(desk.conn(), &self.row).await?;
            news::tell(desk.conn()).await
        };
        self.sync.metrics.sync().run_ended(state);
        match closed.await {
            Ok(()) => info!(run = self.row.id, state = state.key(), processed, "Ended a run of the sync"),
            Err(cause) => {
                error!(%cause, run = self.row.id, "The end of a run of the sync could not be noted")
            }
        }
    }

    fn patience(&self) -> TimeDelta {
        let patience = self.sync.config.telemetry.sync.patience;
        let patience = TimeDelta::from_std(patience).unwrap_or(TimeDelta::zero());
        match self.order.span {
            Span::Once => patience,
            Span::UntilEmpty => patience * MORE_PATIENCE,
        }
    }
}
