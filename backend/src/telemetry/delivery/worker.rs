//! One driver's part of a run: takes up what it is owed, puts it on record as being sent, sends it, and passes the
//! verdicts on. It waits for no other driver.

mod refused;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryResult;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::board::Board;
use super::desk::Desk;
use super::gate::Gate;
use super::heartbeat::Pulse;
use super::held::Held;
use super::ledger::Entry;
use super::refusals::Refusals;
use super::stock::{Leased, Stock, frontiers};
use super::supply::{Supplied, Supply};
use super::tally::Tallied;
use super::verdict::{Sent, expired, impossible, untouched};
use crate::clock::Clock;
use crate::metrics::{Closed, Metrics};
use crate::models::driver::Driver as Name;
use crate::models::sync_run::{Share, Trouble};
use crate::models::telemetry_delivery::{Judgement, Lease, OwedEvent};
use crate::telemetry::driver::{Answer, Driver, Failure, Manners, Parcel, Plan, Verdict};

/// What a lane works with.
pub struct Lane {
    pub driver: Arc<Driver>,
    pub run_id: i64,
    pub desk: Arc<Mutex<Desk>>,
    pub ledger: mpsc::Sender<Entry>,
    pub board: Arc<Board>,
    pub clock: Clock,
    pub metrics: Metrics,
    /// The most events to take up.
    pub limit: Option<usize>,
    /// How long to wait for a service that pauses, or for an event whose time comes soon.
    pub patience: TimeDelta,
    /// Whether an event is tried more than once; what a run left is not.
    pub tries_again: bool,
    /// Whether the run is still this process's own.
    pub pulse: Pulse,
    /// Tells it to take up nothing more, and to end when what is under way is done.
    pub stop: CancellationToken,
}

/// Something that a lane waited for.
enum Happened {
    TakenUp(Box<Supply>, QueryResult<Supplied>),
    Leased(Vec<Parcel>, QueryResult<Lease>),
    Answered(Leased, Answer),
}

/// A lane at work.
struct Work {
    lane: Lane,
    manners: Manners,
    gate: Gate,
    /// Requests on their way: in the lane's own task, since each is little work and there are many.
    sending: FuturesUnordered<BoxFuture<'static, Happened>>,
    /// What else it waits for, in tasks of their own.
    under_way: JoinSet<Happened>,
    is_leasing: bool,
    /// There unless it is in use.
    supply: Option<Box<Supply>>,
    stock: Stock,
    held: Held,
    /// Events that may still be taken up.
    room: Option<usize>,
    is_dry: bool,
    /// When events that were put off in this run come due.
    due: BTreeSet<DateTime<Utc>>,
    /// Events that were tried in this run and are still owed.
    retrying: HashSet<i64>,
    waited: TimeDelta,
    refusals: Refusals,
    /// The only event that is sent while the service is suspected of refusing everything.
    probe: Option<i64>,
    /// Comes when the last verdicts are written down.
    written: Option<oneshot::Receiver<()>>,
    /// Whether events were given back that nobody has looked for since.
    has_given_back: bool,
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
    pub async fn work(self, supply: Supply, opens_at: Option<DateTime<Utc>>) -> LaneEnd {
        let manners = self.driver.manners();
        let work = Work {
            manners,
            gate: Gate::new(manners.concurrency, opens_at),
            sending: FuturesUnordered::new(),
            under_way: JoinSet::new(),
            is_leasing: false,
            supply: Some(Box::new(supply)),
            stock: Stock::default(),
            held: Held::default(),
            room: self.limit,
            is_dry: false,
            due: BTreeSet::new(),
            retrying: HashSet::new(),
            waited: TimeDelta::zero(),
            refusals: Refusals::default(),
            probe: None,
            written: None,
            has_given_back: false,
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
            let is_closed = closed_until.is_some() || self.is_refusing();
            if self.lane.pulse.is_lost() {
                self.lane.stop.cancel();
            }
            // What was on record as being sent is perhaps being sent by another run, if this process was frozen.
            let is_sure = self.lane.pulse.is_sure();
            self.show(if is_closed { Closed::Yes } else { Closed::No });
            if self.lane.stop.is_cancelled() || is_closed {
                self.give_all_back().await;
            } else if is_sure {
                self.gate.try_again();
                self.send_next();
                self.lease_next();
                self.take_up();
            }
            let may_not_send = !is_sure && !is_closed && !self.lane.stop.is_cancelled();
            let pulse = self.lane.pulse.clone();
            let happened = tokio::select! {
                Some(answered) = self.sending.next() => Some(Ok(answered)),
                Some(happened) = self.under_way.join_next() => Some(happened),
                () = pulse.decided(), if may_not_send => continue,
                else => None,
            };
            match happened {
                Some(happened) => self.note(happened).await,
                None if self.lane.stop.is_cancelled() || self.is_refusing() => break,
                None if closed_until.is_none() && self.has_given_back => self.find_given_back().await,
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
        let trouble = self.decide().await.or_else(|| self.gate.trouble().cloned());
        self.lane.board.give_up(driver, trouble.as_ref());
        let paused_until = match trouble {
            Some(Trouble::Paused) => self.gate.opens_at(),
            Some(
                Trouble::Refused { .. }
                | Trouble::Refusing { .. }
                | Trouble::Unreachable
                | Trouble::Down { .. },
            )
            | None => None,
        };
        LaneEnd { driver, paused_until, trouble }
    }

    fn show(&self, closed: Closed) {
        self.lane.metrics.sync().closed(self.lane.driver.name(), closed);
    }

    /// What a run that died was sending is perhaps there already.
    async fn take_over(&mut self) {
        let name = self.lane.driver.name();
        let taken = self.lane.desk.lock().await.take_over(name, self.lane.run_id).await;
        let taken = match taken {
            Ok(taken) if taken.is_empty() => return,
            Ok(taken) => taken,
            Err(cause) => return self.break_off(&cause),
        };
        info!(driver = name.key(), events = taken.len(), "Took over what a run that died was sending");
        let mut by_lease: HashMap<i64, Vec<OwedEvent>> = HashMap::new();
        for taken in taken {
            by_lease.entry(taken.lease_id).or_default().push(taken.event);
        }
        let sent = self.sent("");
        for (id, events) in by_lease {
            self.held.take(events.iter().map(|event| event.id));
            let judgements = events.iter().map(|event| sent.taken_over(event, &mut rand::rng())).collect();
            let lease = Arc::new(Lease { id, events: events.iter().map(OwedEvent::frontier).collect() });
            self.judge(judgements, Some(lease)).await;
        }
    }

    /// Sends what is on record as being sent, as far as it may be sent at once.
    fn send_next(&mut self) {
        while self.sending.len() < self.gate.at_once()
            && let Some(leased) = self.stock.next()
        {
            let (driver, metrics, now) =
                (Arc::clone(&self.lane.driver), self.lane.metrics.clone(), self.lane.clock.now());
            let sent = async move {
                let began = Instant::now();
                let answer = driver.send(&leased.parcel, now).await;
                metrics.sync().requested(driver.name(), answer.key(), began.elapsed());
                Happened::Answered(leased, answer)
            };
            self.sending.push(sent.boxed());
        }
    }

    /// Puts on record what is sent next.
    fn lease_next(&mut self) {
        if self.is_leasing {
            return;
        }
        let idle = self.gate.at_once().saturating_sub(self.sending.len());
        let parcels = self.stock.next_to_lease(&self.manners, idle);
        if parcels.is_empty() {
            return;
        }
        self.is_leasing = true;
        let (desk, driver, run_id) = (Arc::clone(&self.lane.desk), self.lane.driver.name(), self.lane.run_id);
        let (events, now) = (frontiers(&parcels), self.lane.clock.now());
        self.under_way.spawn(async move {
            let lease = desk.lock().await.hold(driver, run_id, events, now).await;
            Happened::Leased(parcels, lease)
        });
    }

    /// Takes up more before everything is sent.
    fn take_up(&mut self) {
        let limit = self.manners.chunk.min(self.room.unwrap_or(usize::MAX));
        if self.probe.is_some()
            || self.is_dry
            || limit == 0
            || self.stock.events_ready() > self.manners.chunk / 2
        {
            return;
        }
        let Some(mut supply) = self.supply.take() else { return };
        let (held, now) = (self.held.now(), self.lane.clock.now());
        self.under_way.spawn(async move {
            let supplied = supply.next(limit, &held, now).await;
            Happened::TakenUp(supply, supplied)
        });
    }

    async fn note(&mut self, happened: Result<Happened, JoinError>) {
        match happened {
            Ok(Happened::TakenUp(supply, Ok(supplied))) => {
                self.supply = Some(supply);
                let Supplied { event_ids, plan } = supplied;
                self.is_dry = event_ids.is_empty();
                self.room = self.room.map(|room| room.saturating_sub(event_ids.len()));
                self.held.take(event_ids);
                self.carry_out(plan).await;
            }
            Ok(Happened::TakenUp(supply, Err(cause))) => {
                self.supply = Some(supply);
                self.break_off(&cause);
            }
            Ok(Happened::Leased(parcels, Ok(lease))) => {
                self.is_leasing = false;
                let lease = Arc::new(lease);
                let (admitted, others): (Vec<_>, Vec<_>) =
                    parcels.into_iter().partition(|parcel| self.admits(parcel));
                self.stock.add_leased(admitted, &lease);
                for parcel in others {
                    self.give_back(parcel, Some(Arc::clone(&lease))).await;
                }
            }
            Ok(Happened::Leased(parcels, Err(cause))) => {
                self.is_leasing = false;
                self.stock.put_back(parcels);
                self.break_off(&cause);
            }
            Ok(Happened::Answered(leased, answer)) => {
                self.answered(leased, answer).await;
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
        // Others are taken up in place of those that are too old to be sent.
        self.room = self.room.map(|room| room + old.len());
        let mut judgements: Vec<Judgement> = old.iter().map(|event| expired(name, event)).collect();
        judgements.extend(bad.into_iter().map(|(event, failure)| impossible(name, &event, failure)));
        if !judgements.is_empty() {
            self.judge(judgements, None).await;
        }
        let (admitted, others): (Vec<_>, Vec<_>) =
            parcels.into_iter().partition(|parcel| self.admits(parcel));
        self.stock.add(admitted);
        for parcel in others {
            self.give_back(parcel, None).await;
        }
    }

    async fn answered(&mut self, Leased { parcel, lease }: Leased, answer: Answer) {
        let name = self.lane.driver.name();
        self.lane.board.change(name, |share| share.requests += 1);
        self.gate.heard(&answer, self.lane.clock.now());
        let sent = self.sent(Driver::endpoint(&parcel));
        let events = parcel.events.iter().map(|outgoing| &outgoing.event);
        let judgements: Vec<Judgement> = match answer {
            Answer::Verdicts(verdicts) => {
                self.waited = TimeDelta::zero();
                let judgements = events.zip(verdicts).map(|(event, verdict)| sent.ended(event, verdict));
                return self.judge_sent(judgements.collect(), lease).await;
            }
            Answer::Refused(failure) if parcel.events.len() > 1 => {
                info!(
                    driver = name.key(),
                    events = parcel.events.len(),
                    class = failure.class.key(),
                    "Halved a batch that was refused"
                );
                return self.stock.put_in_front(self.lane.driver.split(parcel), &lease);
            }
            Answer::Refused(failure) => {
                self.waited = TimeDelta::zero();
                let verdict = |event| sent.ended(event, Verdict::Dead(failure.clone()));
                return self.judge_sent(events.map(verdict).collect(), lease).await;
            }
            Answer::Later { failure, pause, doubtful } => {
                report(name, &failure);
                let pause = pause.and_then(|pause| TimeDelta::from_std(pause).ok());
                let judge = if doubtful { Sent::doubtful } else { Sent::put_off };
                events.map(|event| judge(&sent, event, failure.clone(), pause, &mut rand::rng())).collect()
            }
            Answer::Unanswered(failure) => {
                report(name, &failure);
                events.map(|event| sent.unanswered(event, failure.clone(), &mut rand::rng())).collect()
            }
            Answer::Closed(_, failure) => {
                report(name, &failure);
                return self.give_back(parcel, Some(lease)).await;
            }
        };
        self.judge(judgements, Some(lease)).await;
    }

    /// Passes verdicts on.
    async fn judge(&mut self, judgements: Vec<Judgement>, lease: Option<Arc<Lease>>) {
        let done_with = judgements.iter().map(|judgement| judgement.event_id).collect();
        self.pass_on(judgements, lease, done_with).await;
    }

    async fn pass_on(&mut self, judgements: Vec<Judgement>, lease: Option<Arc<Lease>>, done_with: Vec<i64>) {
        let mut tallied = Tallied::default();
        for judgement in &judgements {
            if let Some(at) = judgement.next_attempt_at {
                self.due.insert(at);
            }
            tallied.add(judgement, &mut self.retrying);
        }
        let (tell, written) = oneshot::channel();
        // What was refused is held until that is final: nothing else would keep it from being taken up again.
        let is_decided = |id: &&i64| !self.refusals.holds(**id);
        let no_more_held: Vec<i64> = done_with.iter().filter(is_decided).copied().collect();
        let held = self.held.clone();
        let tally = Box::new(move |share: &mut Share| {
            tallied.change(share);
            held.let_go(&no_more_held);
            // Only who waits needs to know.
            tell.send(()).ok();
        });
        self.written = Some(written);
        let entry = Entry { driver: self.lane.driver.name(), judgements, lease, done_with, tally };
        if self.lane.ledger.send(entry).await.is_err() {
            self.lane.stop.cancel();
        }
    }

    /// Gives back what is in hand and may not be sent now.
    async fn give_all_back(&mut self) {
        let (ready, leased) = self.stock.empty();
        for parcel in ready {
            self.give_back(parcel, None).await;
        }
        for Leased { parcel, lease } in leased {
            self.give_back(parcel, Some(lease)).await;
        }
    }

    /// What was not on record before is from now on, as it belongs to what this run has begun.
    async fn give_back(&mut self, parcel: Parcel, lease: Option<Arc<Lease>>) {
        let name = self.lane.driver.name();
        self.room = self.room.map(|room| room + parcel.events.len());
        self.has_given_back = true;
        self.look_again();
        let events = || parcel.events.iter().map(|outgoing| &outgoing.event);
        let judgements =
            events().filter(|event| !event.is_on_record).map(|event| untouched(name, event)).collect();
        self.pass_on(judgements, lease, events().map(|event| event.id).collect()).await;
    }

    /// Looks again for what was given back: it is found only once that is written down.
    async fn find_given_back(&mut self) {
        self.has_given_back = false;
        if let Some(written) = self.written.take() {
            written.await.ok();
        }
        self.look_again();
    }

    /// When the next event that was put off comes due.
    fn next_due(&self) -> Option<DateTime<Utc>> {
        if self.lane.tries_again && self.room != Some(0) { self.due.first().copied() } else { None }
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
        self.look_again();
        true
    }

    /// There is something to be taken up again, which is older than what lies ahead.
    fn look_again(&mut self) {
        self.is_dry = false;
        if let Some(supply) = &mut self.supply {
            supply.start_over();
        }
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
