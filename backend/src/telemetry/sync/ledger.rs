//! Writes verdicts down as they come in, those that come together in one transaction, and says how far the run is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::Locale;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::board::{Board, Counts};
use super::connection;
use crate::clock::Clock;
use crate::db::{Connection, Pool};
use crate::error::Error;
use crate::metrics::Metrics;
use crate::models::sync_run::{Share, SyncRun};
use crate::models::telemetry_delivery::{Judgement, judge};
use crate::telemetry::news;

/// So many requests' verdicts may wait; then sending waits for them.
const WAITING: usize = 32;
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
    pub metrics: Metrics,
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
        let (mut told, mut told_at) = (self.board.counts(), None::<Instant>);
        let mut conn = None;
        loop {
            let next_news = told_at.map_or(Duration::ZERO, |told_at| NEWS.saturating_sub(told_at.elapsed()));
            let is_news = told != self.board.counts();
            tokio::select! {
                received = entries.recv_many(&mut waiting, AT_ONCE) => {
                    if received == 0 {
                        return;
                    }
                    self.enter(&mut conn, waiting.drain(..)).await;
                }
                () = sleep(next_news), if is_news && conn.is_some() => {
                    if let Some(conn) = &mut conn {
                        self.tell(conn, &mut told).await;
                        told_at = Some(Instant::now());
                    }
                }
            }
        }
    }

    async fn enter(&self, conn: &mut Option<Connection>, entries: impl Iterator<Item = Entry>) {
        let mut judgements = Vec::new();
        let mut tallies = Vec::new();
        for Entry { judgements: these, tally } in entries {
            if let Some(driver) = these.first().map(|judgement| judgement.driver) {
                tallies.push((driver, tally));
            }
            judgements.extend(these);
        }
        match self.write(conn, &judgements).await {
            Ok(settled) => {
                self.metrics.sync().judged(&judgements);
                self.board.settled(settled);
                for (driver, tally) in tallies {
                    self.board.change(driver, tally);
                }
            }
            Err(cause) => {
                error!(cause = format!("{cause:#}"), "Verdicts of the sync cannot be written");
                self.broken.cancel();
            }
        }
    }

    /// A verdict that was written twice changes nothing the second time.
    async fn write(&self, conn: &mut Option<Connection>, judgements: &[Judgement]) -> anyhow::Result<usize> {
        let mut tries = 0;
        loop {
            match self.write_once(conn, judgements).await {
                Err(cause) if tries < TRIES => {
                    tries += 1;
                    warn!(cause = format!("{cause:#}"), "Verdicts of the sync are written once more");
                    // Whatever is wrong with the old connection is not wrong with a new one.
                    *conn = None;
                    sleep(BETWEEN_TRIES).await;
                }
                done => return done,
            }
        }
    }

    async fn write_once(
        &self,
        conn: &mut Option<Connection>,
        judgements: &[Judgement],
    ) -> anyhow::Result<usize> {
        let conn = match conn {
            Some(conn) => conn,
            None => conn.insert(connection::open(&self.pool).await.map_err(in_short)?),
        };
        Ok(judge(conn, self.run_id, judgements, self.clock.now()).await?)
    }

    async fn tell(&self, conn: &mut Connection, told: &mut Counts) {
        let counts = self.board.counts();
        let stored = SyncRun::store_progress(conn, self.run_id, &counts.shares, counts.processed()).await;
        match stored.and(news::tell(conn).await) {
            Ok(()) => *told = counts,
            Err(cause) => warn!(%cause, "How far the sync is cannot be told"),
        }
    }
}

/// For the log.
fn in_short(error: Error) -> anyhow::Error {
    match error {
        Error::Internal(cause) => cause,
        other => anyhow::anyhow!(other.message(Locale::En)),
    }
}
