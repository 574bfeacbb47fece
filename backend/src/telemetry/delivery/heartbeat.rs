//! The heartbeat of a run. It shows other processes that this one is alive, and notices when this one was frozen: stopped,
//! or paused with its machine. Another run may have taken over meanwhile, so this one must not send what it has leased.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use nix::time::{ClockId, clock_gettime};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::connection;
use crate::db::{self, Connection, Pool, outage};
use crate::models::sync_run::SyncRun;
use crate::unpoisoned;

/// How often this process notes that it is not frozen.
const TICK: Duration = Duration::from_millis(250);
/// Without a tick for this long it may have been frozen: it sends nothing until the database says that the run is its own.
const MAX_TICK_GAP: Duration = Duration::from_secs(2);
/// How often a heartbeat is written. Other runs take over after two minutes without one.
const BEAT_INTERVAL: Duration = Duration::from_secs(15);
/// How long writing a heartbeat may take: longer than the wait for a connection of the pool.
const BEAT_TIMEOUT: Duration = Duration::from_secs(15);
/// When to try again after a heartbeat could not be written.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// A run's heartbeat, until it is dropped.
pub struct Heartbeat {
    pulse: Pulse,
    task: AbortHandle,
}

/// Whether a run is still ours; cheap to clone.
#[derive(Clone)]
pub struct Pulse {
    state: Arc<Mutex<State>>,
    lost: CancellationToken,
}

struct State {
    /// When this process last noted that it is not frozen.
    ticked: Moment,
    /// Whether the database has said that the run is ours since this process may have been frozen.
    is_ours: bool,
}

/// A moment by the two clocks that go on while a process is stopped. The first one also goes on while the machine
/// sleeps; the second is set right after a virtual machine was paused.
#[derive(Clone, Copy)]
struct Moment {
    since_boot: Duration,
    by_the_wall: SystemTime,
}

impl Heartbeat {
    /// Starts at once.
    pub fn start(pool: Pool, run_id: i64) -> Self {
        let state = State { ticked: Moment::now(), is_ours: true };
        let pulse = Pulse { state: Arc::new(Mutex::new(state)), lost: CancellationToken::new() };
        let beating = Beating { pool, run_id, pulse: pulse.clone(), conn: None };
        Self { pulse, task: tokio::spawn(beating.work()).abort_handle() }
    }

    /// Whether the run is still ours.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Pulse {
    /// Whether this process may send: the run is its own, and cannot have been taken over while it was frozen.
    pub fn is_sure(&self) -> bool {
        let state = unpoisoned::lock(&self.state);
        state.is_ours && state.ticked.ago() < MAX_TICK_GAP && !self.is_lost()
    }

    /// Resolves when it may send again, or may never send again.
    pub async fn decided(&self) {
        while !self.is_sure() && !self.is_lost() {
            tokio::select! {
                () = sleep(TICK / 4) => {}
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
        let mut state = unpoisoned::lock(&self.state);
        state.is_ours &= state.ticked.ago() < MAX_TICK_GAP;
        state.ticked = Moment::now();
    }

    fn confirm(&self) {
        unpoisoned::lock(&self.state).is_ours = true;
    }

    fn is_doubted(&self) -> bool {
        !unpoisoned::lock(&self.state).is_ours
    }
}

impl Moment {
    fn now() -> Self {
        let since_boot = clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default();
        Self { since_boot, by_the_wall: SystemTime::now() }
    }

    /// How long ago it was, by the clock that says more.
    fn ago(self) -> Duration {
        let Self { since_boot, by_the_wall } = Self::now();
        let by_the_wall = by_the_wall.duration_since(self.by_the_wall).unwrap_or_default();
        since_boot.saturating_sub(self.since_boot).max(by_the_wall)
    }
}

struct Beating {
    pool: Pool,
    run_id: i64,
    pulse: Pulse,
    conn: Option<Connection>,
}

impl Beating {
    async fn work(mut self) {
        let mut next = Instant::now();
        loop {
            self.pulse.tick();
            if self.pulse.is_doubted() {
                warn!(
                    run = self.run_id,
                    "This process was not running for a while; checking whether the sync run is still its own"
                );
            } else if Instant::now() < next {
                sleep(TICK).await;
                continue;
            }
            let began = Moment::now();
            match self.beat().await {
                // An answer from before this process was frozen proves nothing.
                Ok(true) if began.ago() < MAX_TICK_GAP => {
                    self.pulse.confirm();
                    next = Instant::now() + BEAT_INTERVAL;
                }
                Ok(true) => {}
                Ok(false) => {
                    error!(run = self.run_id, "Another sync run has taken over from this process");
                    return self.pulse.lost.cancel();
                }
                Err(cause) => {
                    if let Some(cause) = outage::unexplained(cause) {
                        warn!(cause, run = self.run_id, "Failed to write a heartbeat of the sync run");
                    }
                    self.conn = None;
                    next = Instant::now() + RETRY_INTERVAL;
                    sleep(TICK).await;
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
            anyhow::Ok(SyncRun::beat(conn, self.run_id).await?)
        })
        .await
    }
}
