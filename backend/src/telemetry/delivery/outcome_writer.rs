//! Writes verdicts down as they come in, those that come together in one transaction, and says how far the run is.

use std::collections::{HashMap, HashSet, hash_map};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::board::{Board, Counts};
use super::connection;
use crate::clock::Clock;
use crate::db::{Connection, Pool, outage};
use crate::metrics::Metrics;
use crate::models::driver::Driver;
use crate::models::sync_run::{Share, SyncRun};
use crate::models::telemetry_delivery::{Judgement, Lease, Writing, Written, write_down};
use crate::telemetry::news;

/// So many requests' verdicts may wait; then sending waits for them. Of a run that dies they are in doubt.
const WAITING: usize = 128;
/// So many requests' verdicts are written at once, at most.
const AT_ONCE: usize = 128;

/// The run's row and those who watch it are told no more often.
const NEWS: Duration = Duration::from_millis(300);

/// The database is tried so often, with so long between: what it does not take would be sent again.
const TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// What follows from a verdict once it is written, for one in its driver's share.
pub type Tally = Box<dyn FnOnce(&mut Share) + Send>;

/// What became of events that a lane had in hand.
pub struct Entry {
    /// Whose they are.
    pub driver: Driver,
    /// What is to be written.
    pub judgements: Vec<Judgement>,
    /// By what they were on record as being sent, if they were.
    pub lease: Option<Arc<Lease>>,
    /// Those that are not being sent any more.
    pub done_with: Vec<i64>,
    /// What follows.
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

/// A ledger at work.
struct Writer {
    ledger: Ledger,
    conn: Option<Connection>,
    /// What is still being sent by leases that are not over.
    left: HashMap<i64, Lease>,
    /// After what could not be written nothing is: it would say of a lease that less is being sent than is on record.
    is_broken: bool,
}

/// What is written at once has one word of each event at each driver, the last.
#[derive(Default)]
struct LastWords {
    judgements: Vec<Judgement>,
    places: HashMap<(Driver, i64), usize>,
}

impl LastWords {
    fn add(&mut self, judgements: Vec<Judgement>) {
        for judgement in judgements {
            match self.places.entry((judgement.driver, judgement.event_id)) {
                hash_map::Entry::Occupied(place) => {
                    let earlier = &mut self.judgements[*place.get()];
                    let (is_on_record, is_last) = (earlier.is_on_record, earlier.is_last);
                    *earlier = Judgement { is_on_record, is_last, ..judgement };
                }
                hash_map::Entry::Vacant(place) => {
                    place.insert(self.judgements.len());
                    self.judgements.push(judgement);
                }
            }
        }
    }
}

/// A way to the ledger.
pub fn channel() -> (mpsc::Sender<Entry>, mpsc::Receiver<Entry>) {
    mpsc::channel(WAITING)
}

impl Ledger {
    /// Writes until nobody has anything more to write, at first by this connection.
    pub async fn work(self, conn: Connection, entries: mpsc::Receiver<Entry>) {
        Writer { ledger: self, conn: Some(conn), left: HashMap::new(), is_broken: false }.work(entries).await;
    }
}

impl Writer {
    async fn work(mut self, mut entries: mpsc::Receiver<Entry>) {
        let mut waiting = Vec::with_capacity(AT_ONCE);
        let (mut told, mut told_at) = (self.ledger.board.counts(), None::<Instant>);
        loop {
            let next_news = told_at.map_or(Duration::ZERO, |told_at| NEWS.saturating_sub(told_at.elapsed()));
            let is_news = told != self.ledger.board.counts();
            tokio::select! {
                received = entries.recv_many(&mut waiting, AT_ONCE) => {
                    if received == 0 {
                        return;
                    }
                    if self.is_broken {
                        waiting.clear();
                    } else {
                        self.enter(waiting.drain(..)).await;
                    }
                }
                () = sleep(next_news), if is_news => {
                    self.tell(&mut told).await;
                    told_at = Some(Instant::now());
                }
            }
        }
    }

    async fn enter(&mut self, entries: impl Iterator<Item = Entry>) {
        let (mut judgements, mut tallies, mut touched) = (LastWords::default(), Vec::new(), HashSet::new());
        for Entry { driver, judgements: these, lease, done_with, tally } in entries {
            judgements.add(these);
            tallies.push((driver, tally));
            if let Some(lease) = lease {
                touched.insert(lease.id);
                let left = self.left.entry(lease.id).or_insert_with(|| Lease::clone(&lease));
                let done_with: HashSet<i64> = done_with.into_iter().collect();
                left.events.retain(|event| !done_with.contains(&event.id));
            }
        }
        let left: Vec<Lease> = touched.iter().filter_map(|id| self.left.get(id).cloned()).collect();
        let LastWords { judgements, places: _ } = judgements;
        match self.write(&judgements, &left).await {
            Ok(Written::Done(settled)) => {
                self.left.retain(|_, lease| !lease.events.is_empty());
                self.ledger.metrics.sync().judged(&judgements);
                self.ledger.board.settled(settled);
                for (driver, tally) in tallies {
                    self.ledger.board.change(driver, tally);
                }
            }
            Ok(Written::TakenOver) => {
                error!(run = self.ledger.run_id, "Another run of the sync has taken over");
                self.break_off();
            }
            Err(cause) => {
                error!(cause = format!("{cause:#}"), "Verdicts of the sync cannot be written");
                self.break_off();
            }
        }
    }

    fn break_off(&mut self) {
        self.is_broken = true;
        self.ledger.broken.cancel();
    }

    /// What was written twice is on record as if it was written once.
    async fn write(&mut self, judgements: &[Judgement], left: &[Lease]) -> anyhow::Result<Written> {
        if judgements.is_empty() && left.is_empty() {
            return Ok(Written::Done(0));
        }
        let mut tries = 0;
        loop {
            match self.write_once(judgements, left, tries > 0).await {
                Err(cause) if tries < TRIES => {
                    tries += 1;
                    if let Some(cause) = outage::unexplained(cause) {
                        warn!(cause, "Verdicts of the sync are written once more");
                    }
                    // Whatever is wrong with the old connection is not wrong with a new one.
                    self.conn = None;
                    sleep(BETWEEN_TRIES).await;
                }
                done => return done,
            }
        }
    }

    async fn write_once(
        &mut self,
        judgements: &[Judgement],
        left: &[Lease],
        again: bool,
    ) -> anyhow::Result<Written> {
        let Ledger { pool, clock, run_id, .. } = &self.ledger;
        let conn = match &mut self.conn {
            Some(conn) => conn,
            none => none.insert(connection::open(pool).await.map_err(connection::in_short)?),
        };
        let run = Writing { run_id: *run_id, again, now: clock.now() };
        Ok(write_down(conn, run, judgements, left).await?)
    }

    async fn tell(&mut self, told: &mut Counts) {
        let Some(conn) = &mut self.conn else { return };
        let counts = self.ledger.board.counts();
        let stored =
            SyncRun::store_progress(conn, self.ledger.run_id, &counts.shares, counts.processed()).await;
        match stored.and(news::tell(conn).await) {
            Ok(()) => *told = counts,
            Err(cause) => warn!(%cause, "How far the sync is cannot be told"),
        }
    }
}
