//! Writes outcomes to the database as they arrive, several in one transaction, and publishes the run's
//! progress.

use std::collections::{HashMap, HashSet, hash_map};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::Driver;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::connection;
use super::progress::{Counts, Progress};
use crate::clock::Clock;
use crate::db::{Connection, Pool, outage};
use crate::metrics::Metrics;
use crate::models::sync_run::notification;
use crate::models::sync_run::{DriverStats, SyncRun};
use crate::models::telemetry_delivery::{
    DeliveryUpdate, Lease, RecordContext, RecordResult, record_outcomes,
};

/// Capacity of the channel, in requests. Workers wait while it is full. After a crash, the outcomes in it are
/// lost.
const CHANNEL_CAPACITY: usize = 128;
/// Maximum number of requests whose outcomes are written in one transaction.
const MAX_BATCHES_PER_WRITE: usize = 128;

/// Minimum time between two updates of the run's row with their notifications.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(300);

/// Retries of a failed write. Outcomes that are not written lead to duplicates.
const MAX_RETRIES: u32 = 5;
const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// Called once outcomes are written. It updates their driver's counts, among other things.
pub type OnWritten = Box<dyn FnOnce(&mut DriverStats) + Send>;

/// The outcomes of a request, or of events that were not sent.
pub struct OutcomeBatch {
    pub driver: Driver,
    pub updates: Vec<DeliveryUpdate>,
    /// The lease of the events, if they were leased.
    pub lease: Option<Arc<Lease>>,
    /// The ids of the events that are no longer in flight.
    pub finished: Vec<i64>,
    pub on_written: OnWritten,
}

/// The outcome writer of a run.
pub struct OutcomeWriter {
    pub pool: Pool,
    pub clock: Clock,
    pub metrics: Metrics,
    pub progress: Arc<Progress>,
    pub run_id: i64,
    /// Cancelled by the writer if the run cannot continue.
    pub broken: CancellationToken,
}

/// The writer while it runs.
struct Task {
    writer: OutcomeWriter,
    conn: Option<Connection>,
    /// Leases with events in flight, reduced to those events.
    open_leases: HashMap<i64, Lease>,
    /// Whether a write has failed. Nothing more is written then, since it could shrink a lease without its
    /// outcomes.
    is_broken: bool,
}

/// Updates to write in one transaction: only the latest per event and driver.
#[derive(Default)]
struct LatestUpdates {
    updates: Vec<DeliveryUpdate>,
    indexes: HashMap<(Driver, i64), usize>,
}

impl LatestUpdates {
    fn add(&mut self, updates: Vec<DeliveryUpdate>) {
        for update in updates {
            match self.indexes.entry((update.driver, update.event_id)) {
                hash_map::Entry::Occupied(index) => {
                    let earlier = &mut self.updates[*index.get()];
                    let (is_on_record, is_last) = (earlier.is_on_record, earlier.is_last);
                    *earlier = DeliveryUpdate { is_on_record, is_last, ..update };
                }
                hash_map::Entry::Vacant(index) => {
                    index.insert(self.updates.len());
                    self.updates.push(update);
                }
            }
        }
    }
}

/// The channel from workers to the writer.
pub fn channel() -> (mpsc::Sender<OutcomeBatch>, mpsc::Receiver<OutcomeBatch>) {
    mpsc::channel(CHANNEL_CAPACITY)
}

impl OutcomeWriter {
    /// Writes until all senders are dropped. `conn` is replaced if it fails.
    pub async fn run(self, conn: Connection, batches: mpsc::Receiver<OutcomeBatch>) {
        let task = Task { writer: self, conn: Some(conn), open_leases: HashMap::new(), is_broken: false };
        task.run(batches).await;
    }
}

impl Task {
    async fn run(mut self, mut batches: mpsc::Receiver<OutcomeBatch>) {
        let mut received = Vec::with_capacity(MAX_BATCHES_PER_WRITE);
        let (mut published, mut published_at) = (self.writer.progress.counts(), None::<Instant>);
        loop {
            let until_next =
                published_at.map_or(Duration::ZERO, |at| PUBLISH_INTERVAL.saturating_sub(at.elapsed()));
            let has_changed = published != self.writer.progress.counts();
            tokio::select! {
                count = batches.recv_many(&mut received, MAX_BATCHES_PER_WRITE) => {
                    if count == 0 {
                        return;
                    }
                    if self.is_broken {
                        received.clear();
                    } else {
                        self.write_batches(received.drain(..)).await;
                    }
                }
                () = sleep(until_next), if has_changed => {
                    self.publish_progress(&mut published).await;
                    published_at = Some(Instant::now());
                }
            }
        }
    }

    async fn write_batches(&mut self, batches: impl Iterator<Item = OutcomeBatch>) {
        let (mut latest, mut callbacks, mut changed) = (LatestUpdates::default(), Vec::new(), HashSet::new());
        for OutcomeBatch { driver, updates, lease, finished, on_written } in batches {
            latest.add(updates);
            callbacks.push((driver, on_written));
            if let Some(lease) = lease {
                changed.insert(lease.id);
                let open = self.open_leases.entry(lease.id).or_insert_with(|| Lease::clone(&lease));
                let finished: HashSet<i64> = finished.into_iter().collect();
                open.events.retain(|event| !finished.contains(&event.id));
            }
        }
        let leases: Vec<Lease> = changed.iter().filter_map(|id| self.open_leases.get(id).cloned()).collect();
        let LatestUpdates { updates, indexes: _ } = latest;
        match self.write(&updates, &leases).await {
            Ok(RecordResult::Done { processed }) => {
                self.open_leases.retain(|_, lease| !lease.events.is_empty());
                self.writer.metrics.sync().recorded(&updates);
                self.writer.progress.add_processed(processed);
                for (driver, on_written) in callbacks {
                    self.writer.progress.update(driver, on_written);
                }
            }
            Ok(RecordResult::TakenOver) => {
                error!(run = self.writer.run_id, "Another sync run has taken over");
                self.abort();
            }
            Err(cause) => {
                error!(cause = format!("{cause:#}"), "Failed to write outcomes of the sync run");
                self.abort();
            }
        }
    }

    fn abort(&mut self) {
        self.is_broken = true;
        self.writer.broken.cancel();
    }

    /// Writes outcomes with retries. Writing is idempotent.
    async fn write(&mut self, updates: &[DeliveryUpdate], leases: &[Lease]) -> anyhow::Result<RecordResult> {
        if updates.is_empty() && leases.is_empty() {
            return Ok(RecordResult::Done { processed: 0 });
        }
        let mut retries = 0;
        loop {
            match self.try_write(updates, leases, retries > 0).await {
                Err(cause) if retries < MAX_RETRIES => {
                    retries += 1;
                    if let Some(cause) = outage::loggable_cause(cause) {
                        warn!(cause, "Failed to write outcomes of the sync run; retrying");
                    }
                    // The error may be specific to this connection.
                    self.conn = None;
                    sleep(RETRY_INTERVAL).await;
                }
                result => return result,
            }
        }
    }

    async fn try_write(
        &mut self,
        updates: &[DeliveryUpdate],
        leases: &[Lease],
        is_retry: bool,
    ) -> anyhow::Result<RecordResult> {
        let OutcomeWriter { pool, clock, run_id, .. } = &self.writer;
        let conn = match &mut self.conn {
            Some(conn) => conn,
            none => none.insert(connection::open(pool).await.map_err(connection::for_log)?),
        };
        let context = RecordContext { run_id: *run_id, is_retry, now: clock.now() };
        Ok(record_outcomes(conn, context, updates, leases).await?)
    }

    async fn publish_progress(&mut self, published: &mut Counts) {
        let Some(conn) = &mut self.conn else { return };
        let counts = self.writer.progress.counts();
        let stored =
            SyncRun::store_progress(conn, self.writer.run_id, &counts.drivers, counts.processed()).await;
        match stored.and(notification::notify(conn).await) {
            Ok(()) => *published = counts,
            Err(cause) => warn!(%cause, "Failed to publish the progress of the sync run"),
        }
    }
}
