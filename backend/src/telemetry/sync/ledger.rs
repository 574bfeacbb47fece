//! Writes verdicts down as they come in, those that come together in one transaction, and says how far the run is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::board::{Board, Counts};
use crate::clock::Clock;
use crate::db::{Pool, PooledConnection};
use crate::models::sync_run::{Share, SyncRun};
use crate::models::telemetry_delivery::{Judgement, judge};
use crate::telemetry::news;

/// So many requests' verdicts may wait; then sending waits for them.
const WAITING: usize = 128;
/// The most verdicts that are written at once.
const AT_ONCE: usize = 64;

/// The run's row and those who watch it are told no more often.
const NEWS: Duration = Duration::from_millis(300);

/// The database is tried so often, with so long between: what it does not take would be sent again.
const TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// What a verdict changes in its driver's share, once it is written.
pub type Tally = Box<dyn FnOnce(&mut Share) + Send>;

/// Verdicts of one request.
pub struct Entry {
    /// What is to be written.
    pub judgements: Vec<Judgement>,
    /// What that changes.
    pub tally: Tally,
}

/// What the ledger works with.
pub struct Ledger {
    pub pool: Pool,
    pub clock: Clock,
    pub board: Arc<Board>,
    pub run_id: i64,
    /// Tells the run that it cannot go on.
    pub broken: CancellationToken,
}

/// A way to the ledger.
pub fn channel() -> (mpsc::Sender<Entry>, mpsc::Receiver<Entry>) {
    mpsc::channel(WAITING)
}

impl Ledger {
    /// Writes until nobody has anything more to write.
    pub async fn work(self, mut entries: mpsc::Receiver<Entry>) {
        let mut waiting = Vec::with_capacity(AT_ONCE);
        let (mut told, mut told_at) = (None, None::<Instant>);
        while entries.recv_many(&mut waiting, AT_ONCE).await > 0 {
            let mut judgements = Vec::new();
            let mut tallies = Vec::new();
            for Entry { judgements: these, tally } in waiting.drain(..) {
                if let Some(driver) = these.first().map(|judgement| judgement.driver) {
                    tallies.push((driver, tally));
                }
                judgements.extend(these);
            }
            match self.write(&judgements).await {
                Ok((settled, mut conn)) => {
                    self.board.settled(settled);
                    for (driver, tally) in tallies {
                        self.board.change(driver, tally);
                    }
                    if told_at.is_none_or(|told_at| told_at.elapsed() >= NEWS) {
                        self.tell(&mut conn, &mut told).await;
                        told_at = Some(Instant::now());
                    }
                }
                Err(cause) => {
                    error!(cause = format!("{cause:#}"), "Verdicts of the sync cannot be written");
                    self.broken.cancel();
                }
            }
        }
    }

    /// A verdict that was written twice changes nothing the second time.
    async fn write(&self, judgements: &[Judgement]) -> anyhow::Result<(usize, PooledConnection)> {
        let mut tries = 0;
        loop {
            let written = async {
                let mut conn = self.pool.get().await?;
                let settled = judge(&mut conn, self.run_id, judgements, self.clock.now()).await?;
                anyhow::Ok((settled, conn))
            };
            match written.await {
                Err(cause) if tries < TRIES => {
                    tries += 1;
                    warn!(cause = format!("{cause:#}"), "Verdicts of the sync are written once more");
                    sleep(BETWEEN_TRIES).await;
                }
                done => return done,
            }
        }
    }

    async fn tell(&self, conn: &mut PooledConnection, told: &mut Option<Counts>) {
        let counts = self.board.counts();
        if told.as_ref() == Some(&counts) {
            return;
        }
        let stored = SyncRun::store_progress(conn, self.run_id, &counts.shares, counts.processed()).await;
        match stored.and(news::tell(conn).await) {
            Ok(()) => *told = Some(counts),
            Err(cause) => warn!(%cause, "How far the sync is cannot be told"),
        }
    }
}
