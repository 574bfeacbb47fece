//! One driver's part of a run: takes up what it is owed, sends it, and passes the verdicts on. It waits for no other
//! driver.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryResult;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::board::Board;
use super::desk::{Desk, Passage};
use super::gate::Gate;
use super::ledger::Entry;
use super::tally::Tallied;
use super::verdict::{Sent, expired, impossible};
use crate::clock::Clock;
use crate::metrics::{Closed, Metrics};
use crate::models::driver::Driver as Name;
use crate::models::sync_run::{Share, Trouble};
use crate::models::telemetry_delivery::Judgement;
use crate::telemetry::driver::{
    Answer, Driver, Failure, Manners, Outgoing, Parcel, Plan, SessionBook, Verdict, outgoing,
};

/// What a lane works with.
pub struct Lane {
    pub driver: Arc<Driver>,
    pub run_id: i64,
    pub desk: Arc<Mutex<Desk>>,
    pub ledger: mpsc::Sender<Entry>,
    pub board: Arc<Board>,
    pub clock: Clock,
    pub metrics: Metrics,
    /// Every driver that is enabled.
    pub enabled: Arc<[Name]>,
    /// The most events to take up.
    pub limit: Option<usize>,
    /// Only what this run left.
    pub batch: Option<i64>,
    /// How long to wait for a service that pauses, or for an event whose time comes soon.
    pub patience: TimeDelta,
    /// Tells it to take up nothing more, and to end when what is under way is done.
    pub stop: CancellationToken,
}

/// Something that a lane waited for.
enum Happened {
    TakenUp(Supply, QueryResult<Vec<Outgoing>>),
    Answered(Parcel, Answer),
}

/// What is needed to take up events.
struct Supply {
    passage: Passage,
    sessions: SessionBook,
}

/// A lane at work.
struct Work {
    lane: Lane,
    manners: Manners,
    gate: Gate,
    under_way: JoinSet<Happened>,
    sending: usize,
    /// There unless it is in use.
    supply: Option<Supply>,
    ready: VecDeque<Parcel>,
    /// Events that may still be taken up.
    room: Option<usize>,
    is_dry: bool,
    /// When events that were put off in this run come due.
    due: BTreeSet<DateTime<Utc>>,
    /// Events that were tried in this run and are still owed.
    retrying: HashSet<i64>,
    waited: TimeDelta,
    /// Comes when the last verdicts are written down.
    written: Option<oneshot::Receiver<()>>,
}

/// How a lane ended.
#[derive(Debug)]
pub struct LaneEnd {
    /// The driver.
    pub driver: Name,
    /// When it may be sent to again, if it asked for a pause.
    pub paused_until: Option<DateTime<Utc>>,
    /// What it was given up for.
    pub trouble: Option<Trouble>,
}

impl Lane {
    /// Works until nothing is owed, or until it may not go on.
    pub async fn work(self, opens_at: Option<DateTime<Utc>>) -> LaneEnd {
        let manners = self.driver.manners();
        let supply = Supply { passage: Passage::new(self.batch), sessions: SessionBook::default() };
        let work = Work {
            manners,
            gate: Gate::new(manners.concurrency, opens_at),
            under_way: JoinSet::new(),
            sending: 0,
            supply: Some(supply),
            ready: VecDeque::new(),
            room: self.limit,
            is_dry: false,
            due: BTreeSet::new(),
            retrying: HashSet::new(),
            waited: TimeDelta::zero(),
            written: None,
            lane: self,
        };
        work.run().await
    }
}

impl Work {
    async fn run(mut self) -> LaneEnd {
        self.take_over().await;
        loop {
            let now = self.lane.clock.now();
            let closed_until = self.gate.closed_until(now);
            self.show(if closed_until.is_some() { Closed::Yes } else { Closed::No });
            if self.lane.stop.is_cancelled() || closed_until.is_some() {
                self.let_go().await;
            } else {
                self.gate.try_again();
                self.send_ready();
                self.take_up();
            }
            match self.under_way.join_next().await {
                Some(happened) => self.note(happened).await,
                None if self.lane.stop.is_cancelled() => break,
                None => {
                    let next = closed_until.or_else(|| self.next_due());
                    if !self.wait(next, now).await {
                        break;
                    }
                }
            }
        }
        self.show(Closed::No);
        let driver = self.lane.driver.name();
        let trouble = self.gate.trouble().cloned();
        self.lane.board.give_up(driver, trouble.as_ref());
        let paused_until = match trouble {
            Some(Trouble::Paused) => self.gate.opens_at(),
            Some(Trouble::Refused { .. } | Trouble::Unreachable | Trouble::Down { .. }) | None => None,
        };
        LaneEnd { driver, paused_until, trouble }
    }

    fn show(&self, closed: Closed) {
        self.lane.metrics.sync().closed(self.lane.driver.name(), closed);
    }

    /// What a run that died had taken up is perhaps there already.
    async fn take_over(&mut self) {
        let (name, now) = (self.lane.driver.name(), self.lane.clock.now());
        let taken = self.lane.desk.lock().await.take_over(name, self.lane.run_id, now).await;
        match taken {
            Ok(events) if events.is_empty() => {}
            Ok(events) => {
                info!(
                    driver = name.key(),
                    events = events.len(),
                    "Took over what a run that died had taken up"
                );
                let sent = self.sent("");
                let judgements =
                    events.iter().map(|event| sent.taken_over(event, &mut rand::rng())).collect();
                self.judge(judgements).await;
            }
            Err(cause) => self.break_off(&cause),
        }
    }

    /// Sends what is ready, as far as may be sent at once.
    fn send_ready(&mut self) {
        while self.sending < self.gate.at_once()
            && let Some(parcel) = self.ready.pop_front()
        {
            let (driver, metrics) = (Arc::clone(&self.lane.driver), self.lane.metrics.clone());
            self.sending += 1;
            self.under_way.spawn(async move {
                let began = Instant::now();
                let answer = driver.send(&parcel).await;
                metrics.sync().requested(driver.name(), answer.key(), began.elapsed());
                Happened::Answered(parcel, answer)
            });
        }
    }

    /// Takes up more before everything is sent.
    fn take_up(&mut self) {
        let waiting: usize = self.ready.iter().map(|parcel| parcel.events.len()).sum();
        let limit = self.manners.chunk.min(self.room.unwrap_or(usize::MAX));
        if self.is_dry || limit == 0 || waiting > self.manners.chunk / 2 {
            return;
        }
        let Some(mut supply) = self.supply.take() else { return };
        let (desk, enabled) = (Arc::clone(&self.lane.desk), Arc::clone(&self.lane.enabled));
        let (driver, run_id, now) = (self.lane.driver.name(), self.lane.run_id, self.lane.clock.now());
        let tells_sessions = self.manners.tells_sessions;
        self.under_way.spawn(async move {
            let taken = async {
                let mut desk = desk.lock().await;
                let events = desk.take_up(driver, &enabled, &mut supply.passage, limit, run_id, now).await?;
                let installation = desk.installation;
                if tells_sessions {
                    return supply.sessions.assign(desk.conn(), installation, events).await;
                }
                Ok(events.into_iter().map(|event| outgoing(installation, event)).collect())
            };
            let taken = taken.await;
            Happened::TakenUp(supply, taken)
        });
    }

    async fn note(&mut self, happened: Result<Happened, JoinError>) {
        match happened {
            Ok(Happened::TakenUp(supply, Ok(events))) => {
                self.supply = Some(supply);
                self.is_dry = events.is_empty();
                self.room = self.room.map(|room| room.saturating_sub(events.len()));
                if !events.is_empty() {
                    let plan = self.lane.driver.plan(events, self.lane.clock.now());
                    self.carry_out(plan).await;
                }
            }
            Ok(Happened::TakenUp(supply, Err(cause))) => {
                self.supply = Some(supply);
                self.break_off(&cause);
            }
            Ok(Happened::Answered(parcel, answer)) => {
                self.sending -= 1;
                self.answered(parcel, answer).await;
            }
            Err(cause) => {
                error!(%cause, "A part of the sync broke down");
                self.lane.stop.cancel();
            }
        }
    }

    async fn carry_out(&mut self, plan: Plan) {
        let name = self.lane.driver.name();
        let Plan { parcels, expired: old, impossible: bad } = plan;
        let mut judgements: Vec<Judgement> = old.iter().map(|event| expired(name, event)).collect();
        judgements.extend(bad.into_iter().map(|(event, failure)| impossible(name, &event, failure)));
        if !judgements.is_empty() {
            self.judge(judgements).await;
        }
        self.ready.extend(parcels);
    }

    async fn answered(&mut self, parcel: Parcel, answer: Answer) {
        let name = self.lane.driver.name();
        self.lane.board.change(name, |share| share.requests += 1);
        self.gate.heard(&answer, self.lane.clock.now());
        let sent = self.sent(Driver::endpoint(&parcel));
        let events = parcel.events.iter().map(|outgoing| &outgoing.event);
        let judgements: Vec<Judgement> = match answer {
            Answer::Verdicts(verdicts) => {
                self.waited = TimeDelta::zero();
                events.zip(verdicts).map(|(event, verdict)| sent.ended(event, verdict)).collect()
            }
            Answer::Refused(failure) if parcel.events.len() > 1 => {
                info!(
                    driver = name.key(),
                    events = parcel.events.len(),
                    class = failure.class.key(),
                    "Halved a batch that was refused"
                );
                // In front, so that what a run has begun comes to its end.
                for half in self.lane.driver.split(parcel).into_iter().rev() {
                    self.ready.push_front(half);
                }
                return;
            }
            Answer::Refused(failure) => {
                self.waited = TimeDelta::zero();
                let verdict = |event| sent.ended(event, Verdict::Dead(failure.clone()));
                events.map(verdict).collect()
            }
            Answer::Later { failure, pause, doubtful } => {
                report(name, &failure);
                let pause = pause.and_then(|pause| TimeDelta::from_std(pause).ok());
                events
                    .map(|event| sent.put_off(event, failure.clone(), pause, doubtful, &mut rand::rng()))
                    .collect()
            }
            Answer::Unanswered(failure) => {
                report(name, &failure);
                events.map(|event| sent.unanswered(event, failure.clone(), &mut rand::rng())).collect()
            }
            Answer::Closed(_, failure) => {
                report(name, &failure);
                let ids: Vec<i64> = events.map(|event| event.id).collect();
                self.release(&ids).await;
                return;
            }
        };
        self.judge(judgements).await;
    }

    /// Passes verdicts on.
    async fn judge(&mut self, judgements: Vec<Judgement>) {
        let mut tallied = Tallied::default();
        for judgement in &judgements {
            if let Some(at) = judgement.next_attempt_at {
                self.due.insert(at);
            }
            tallied.add(judgement, &mut self.retrying);
        }
        let (tell, written) = oneshot::channel();
        let tally = Box::new(move |share: &mut Share| {
            tallied.change(share);
            // Only who waits needs to know.
            tell.send(()).ok();
        });
        self.written = Some(written);
        let entry = Entry { judgements, tally };
        if self.lane.ledger.send(entry).await.is_err() {
            self.lane.stop.cancel();
        }
    }

    /// Gives back what is ready and may not be sent now.
    async fn let_go(&mut self) {
        let ready = std::mem::take(&mut self.ready);
        let ids: Vec<i64> =
            ready.iter().flat_map(|parcel| &parcel.events).map(|outgoing| outgoing.event.id).collect();
        if !ids.is_empty() {
            self.release(&ids).await;
        }
    }

    async fn release(&mut self, ids: &[i64]) {
        self.room = self.room.map(|room| room + ids.len());
        self.is_dry = false;
        let released =
            self.lane.desk.lock().await.release(self.lane.driver.name(), self.lane.run_id, ids).await;
        if let Err(cause) = released {
            self.break_off(&cause);
        }
    }

    /// When the next event that was put off comes due.
    fn next_due(&self) -> Option<DateTime<Utc>> {
        match (self.room, self.lane.batch) {
            (Some(0), _) | (_, Some(_)) => None,
            (Some(_) | None, None) => self.due.first().copied(),
        }
    }

    /// Waits until then, if that is worth it; says whether to go on.
    async fn wait(&mut self, until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
        let Some(until) = until else { return false };
        let wait = (until - now).max(TimeDelta::zero());
        if self.waited + wait > self.lane.patience {
            return false;
        }
        self.waited += wait;
        // What is due then is found only if it is on record that it was put off; where it cannot be written, we are
        // stopped.
        if let Some(written) = self.written.take() {
            written.await.ok();
        }
        let (clock, stop) = (self.lane.clock.clone(), self.lane.stop.clone());
        stop.run_until_cancelled(clock.sleep(wait)).await;
        let now = self.lane.clock.now();
        self.due.retain(|due| *due > now);
        self.is_dry = false;
        // What was put off or given back is older than what lies ahead.
        if let Some(supply) = &mut self.supply {
            supply.passage = Passage::new(self.lane.batch);
        }
        true
    }

    fn sent(&self, endpoint: &'static str) -> Sent {
        Sent { driver: self.lane.driver.name(), manners: self.manners, endpoint, now: self.lane.clock.now() }
    }

    /// The database does not answer, or the lock is lost with the connection.
    fn break_off(&self, cause: &diesel::result::Error) {
        error!(%cause, driver = self.lane.driver.name().key(), "The sync lost its database connection");
        self.lane.stop.cancel();
    }
}

fn report(driver: Name, failure: &Failure) {
    let Failure { class, http_status, message: said, code: _ } = failure;
    warn!(driver = driver.key(), class = class.key(), http_status, said, "A batch of events was not taken");
}
