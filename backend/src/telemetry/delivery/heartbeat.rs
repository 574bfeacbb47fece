//! The heartbeat of a run. It shows other processes that this process is alive. It also notices when this
//! process was frozen, which means stopped, or paused together with its machine. Another run may have taken
//! over meanwhile, so this run must not send the events that it has leased.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use nix::time::{ClockId, clock_gettime};
use parking_lot::Mutex;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::connection;
use crate::db::{self, Connection, Pool, outage};
use crate::models::sync_run::SyncRun;

/// How often this process notes that it is not frozen.
const TICK_INTERVAL: Duration = Duration::from_millis(250);
/// After this time without a tick, the process may have been frozen. It sends nothing until the database
/// confirms that it still owns the run.
const MAX_TICK_GAP: Duration = Duration::from_secs(2);
/// How often a heartbeat is written. Other runs take over after two minutes without one.
const BEAT_INTERVAL: Duration = Duration::from_secs(15);
/// How long writing a heartbeat may take. Longer than the wait for a pooled connection.
const BEAT_TIMEOUT: Duration = Duration::from_secs(15);
/// Pause after a failure to write a heartbeat.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// The heartbeat of a run. It stops when this is dropped.
pub struct Heartbeat {
    ownership: Ownership,
    task: AbortHandle,
}

/// Whether this process still owns the run. Cheap to clone.
#[derive(Clone)]
pub struct Ownership {
    state: Arc<Mutex<State>>,
    lost: CancellationToken,
}

struct State {
    /// When this process last noted that it is not frozen.
    ticked_at: ClockReading,
    /// False while this process may have been frozen and the database has not confirmed its ownership since.
    is_confirmed: bool,
}

/// A reading of the two clocks that advance while a process is stopped. The first one also advances while the
/// machine sleeps. The second one is corrected after a virtual machine was paused.
#[derive(Clone, Copy)]
struct ClockReading {
    since_boot: Duration,
    wall_clock: SystemTime,
}

impl Heartbeat {
    /// Starts the heartbeat.
    pub fn start(pool: Pool, run_id: i64) -> Self {
        let state = State { ticked_at: ClockReading::now(), is_confirmed: true };
        let ownership = Ownership { state: Arc::new(Mutex::new(state)), lost: CancellationToken::new() };
        let task = HeartbeatTask { pool, run_id, ownership: ownership.clone(), conn: None };
        Self { ownership, task: tokio::spawn(task.run()).abort_handle() }
    }

    /// Whether this process still owns the run.
    pub fn ownership(&self) -> Ownership {
        self.ownership.clone()
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Ownership {
    /// Whether this process may send: no other run can have taken over, even while this process was frozen.
    pub fn is_certain(&self) -> bool {
        let state = self.state.lock();
        state.is_confirmed && state.ticked_at.elapsed() < MAX_TICK_GAP && !self.is_lost()
    }

    /// Resolves when the ownership is certain or lost.
    pub async fn resolved(&self) {
        while !self.is_certain() && !self.is_lost() {
            tokio::select! {
                () = sleep(TICK_INTERVAL / 4) => {}
                () = self.lost.cancelled() => {}
            }
        }
    }

    /// Whether another run has taken over.
    pub fn is_lost(&self) -> bool {
        self.lost.is_cancelled()
    }

    /// Resolves when another run has taken over.
    pub async fn lost(&self) {
        self.lost.cancelled().await;
    }

    fn tick(&self) {
        let mut state = self.state.lock();
        state.is_confirmed &= state.ticked_at.elapsed() < MAX_TICK_GAP;
        state.ticked_at = ClockReading::now();
    }

    fn confirm(&self) {
        self.state.lock().is_confirmed = true;
    }

    fn is_unconfirmed(&self) -> bool {
        !self.state.lock().is_confirmed
    }
}

impl ClockReading {
    fn now() -> Self {
        let since_boot = clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default();
        Self { since_boot, wall_clock: SystemTime::now() }
    }

    /// The time since the reading, by the clock that advanced more.
    fn elapsed(self) -> Duration {
        let Self { since_boot, wall_clock } = Self::now();
        let wall_clock = wall_clock.duration_since(self.wall_clock).unwrap_or_default();
        since_boot.saturating_sub(self.since_boot).max(wall_clock)
    }
}

struct HeartbeatTask {
    pool: Pool,
    run_id: i64,
    ownership: Ownership,
    conn: Option<Connection>,
}

impl HeartbeatTask {
    async fn run(mut self) {
        let mut next = Instant::now();
        loop {
            self.ownership.tick();
            if self.ownership.is_unconfirmed() {
                warn!(
                    run = self.run_id,
                    "This process was frozen for a while; checking whether it still owns the sync run"
                );
            } else if Instant::now() < next {
                sleep(TICK_INTERVAL).await;
                continue;
            }
            let began = ClockReading::now();
            match self.beat().await {
                // A response from before this process was frozen proves nothing.
                Ok(true) if began.elapsed() < MAX_TICK_GAP => {
                    self.ownership.confirm();
                    next = Instant::now() + BEAT_INTERVAL;
                }
                Ok(true) => {}
                Ok(false) => {
                    error!(run = self.run_id, "Another sync run has taken over from this process");
                    return self.ownership.lost.cancel();
                }
                Err(cause) => {
                    if let Some(cause) = outage::loggable_cause(cause) {
                        warn!(cause, run = self.run_id, "Failed to write a heartbeat of the sync run");
                    }
                    self.conn = None;
                    next = Instant::now() + RETRY_INTERVAL;
                    sleep(TICK_INTERVAL).await;
                }
            }
        }
    }

    async fn beat(&mut self) -> anyhow::Result<bool> {
        db::within(BEAT_TIMEOUT, async {
            let conn = match &mut self.conn {
                Some(conn) => conn,
                none => none.insert(connection::open(&self.pool).await.map_err(connection::for_log)?),
            };
            anyhow::Ok(SyncRun::heartbeat(conn, self.run_id).await?)
        })
        .await
    }
}
