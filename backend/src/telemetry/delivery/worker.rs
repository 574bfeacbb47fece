//! The worker of one driver in a run. It fetches events, leases them, sends them, and passes their outcomes
//! to the writer. A worker never waits for another driver.

mod attempt;
mod outcomes;
mod refused;
mod waiting;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryResult;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::circuit_breaker::CircuitBreaker;
use super::fetcher::{Fetched, Fetcher};
use super::heartbeat::Ownership;
use super::outcome_writer::OutcomeBatch;
use super::progress::Progress;
use super::refusals::Refusals;
use super::request_queue::{InFlight, LeasedRequest, RequestQueue};
use super::retry_policy::{Attempt, expired, unsendable};
use super::run_lock::RunLock;
use crate::clock::Clock;
use crate::metrics::{BreakerState, Metrics};
use crate::models::sync_run::Outage;
use crate::models::telemetry_delivery::{DeliveryUpdate, Lease, PendingEvent};
use crate::telemetry::driver::{DeliveryPolicy, Driver, OutgoingRequest, Plan, SendOutcome};
use domain::Driver as DriverName;

/// The worker of a driver.
pub struct DriverWorker {
    pub driver: Arc<Driver>,
    pub run_id: i64,
    pub lock: Arc<Mutex<RunLock>>,
    pub writer: mpsc::Sender<OutcomeBatch>,
    pub progress: Arc<Progress>,
    pub clock: Clock,
    pub metrics: Metrics,
    /// Maximum number of events to fetch.
    pub limit: Option<usize>,
    /// Maximum total wait for a service that asked for a pause and for events that become retryable.
    pub max_wait: TimeDelta,
    /// Whether events are retried within the run. Those of a batch are not.
    pub retries: bool,
    /// Whether this process still owns the run.
    pub ownership: Ownership,
    /// Stops fetching and sending. The worker ends when its requests have ended.
    pub stop: CancellationToken,
}

/// A completed operation of a worker.
enum Completed {
    Fetch(Box<Fetcher>, QueryResult<Fetched>),
    Lease(Vec<OutgoingRequest>, QueryResult<Lease>),
    Request(LeasedRequest, SendOutcome),
}

/// A worker while it runs.
struct RunningWorker {
    worker: DriverWorker,
    policy: DeliveryPolicy,
    breaker: CircuitBreaker,
    /// Requests in flight. They run in the worker's task, since there are many and each needs little CPU
    /// time.
    sending: FuturesUnordered<BoxFuture<'static, Completed>>,
    /// Fetches and leases, each in a separate task.
    tasks: JoinSet<Completed>,
    is_leasing: bool,
    /// `None` during a fetch.
    fetcher: Option<Box<Fetcher>>,
    queue: RequestQueue,
    in_flight: InFlight,
    /// The number of events that may still be fetched. No limit if `None`.
    remaining: Option<usize>,
    /// Whether the last fetch found nothing.
    is_exhausted: bool,
    /// When events of this run become retryable.
    retry_times: BTreeSet<DateTime<Utc>>,
    /// Events that were attempted in this run and are still pending.
    retrying: HashSet<i64>,
    waited: TimeDelta,
    refusals: Refusals,
    /// The id of the only event that is sent while the service is suspected of refusing everything.
    probe: Option<i64>,
    /// Resolves when the last outcomes are written.
    written: Option<oneshot::Receiver<()>>,
    /// Whether events were released since the fetcher last started over to find them.
    has_released: bool,
}

/// How a worker ended.
#[derive(Debug)]
pub struct WorkerEnd {
    pub driver: DriverName,
    /// The end of the pause that the service asked for.
    pub paused_until: Option<DateTime<Utc>>,
    /// The outage because of which the worker stopped early.
    pub outage: Option<Outage>,
}

impl DriverWorker {
    /// Sends events until none is pending or the worker must stop.
    pub async fn run(self, fetcher: Fetcher, retry_at: Option<DateTime<Utc>>) -> WorkerEnd {
        let policy = self.driver.policy();
        let running = RunningWorker {
            policy,
            breaker: CircuitBreaker::new(policy.max_concurrency, retry_at),
            sending: FuturesUnordered::new(),
            tasks: JoinSet::new(),
            is_leasing: false,
            fetcher: Some(Box::new(fetcher)),
            queue: RequestQueue::default(),
            in_flight: InFlight::default(),
            remaining: self.limit,
            is_exhausted: false,
            retry_times: BTreeSet::new(),
            retrying: HashSet::new(),
            waited: TimeDelta::zero(),
            refusals: Refusals::default(),
            probe: None,
            written: None,
            has_released: false,
            worker: self,
        };
        running.run().await
    }
}

impl RunningWorker {
    async fn run(mut self) -> WorkerEnd {
        self.reclaim().await;
        loop {
            let now = self.worker.clock.now();
            let open_until = self.breaker.open_until(now);
            let is_open = open_until.is_some() || self.is_refusing();
            if self.worker.ownership.is_lost() {
                self.worker.stop.cancel();
            }
            // If this process was frozen, another run may be sending the events that are leased here.
            let is_certain = self.worker.ownership.is_certain();
            self.report_breaker(if is_open { BreakerState::Open } else { BreakerState::Closed });
            if self.worker.stop.is_cancelled() || is_open {
                self.release_all().await;
            } else if is_certain {
                self.breaker.half_open();
                self.send_next();
                self.lease_next();
                self.fetch_next();
            }
            let needs_ownership = !is_certain && !is_open && !self.worker.stop.is_cancelled();
            let ownership = self.worker.ownership.clone();
            let completed = tokio::select! {
                Some(completed) = self.sending.next() => Some(Ok(completed)),
                Some(completed) = self.tasks.join_next() => Some(completed),
                () = ownership.resolved(), if needs_ownership => continue,
                else => None,
            };
            match completed {
                Some(completed) => self.handle(completed).await,
                None if self.worker.stop.is_cancelled() || self.is_refusing() => break,
                None if open_until.is_none() && self.has_released => self.refetch_released().await,
                None => {
                    let next = open_until.or_else(|| self.next_retry());
                    if !self.wait(next, now).await {
                        break;
                    }
                }
            }
        }
        self.report_breaker(BreakerState::Closed);
        let driver = self.worker.driver.name();
        let outage = self.conclude_refusals().await.or_else(|| self.breaker.outage().cloned());
        self.worker.progress.set_outage(driver, outage.as_ref());
        let paused_until = match outage {
            Some(Outage::Paused) => self.breaker.retry_at(),
            Some(
                Outage::Refused { .. } | Outage::Refusing { .. } | Outage::Unreachable | Outage::Down { .. },
            )
            | None => None,
        };
        WorkerEnd { driver, paused_until, outage }
    }

    fn report_breaker(&self, state: BreakerState) {
        self.worker.metrics.sync().set_breaker_state(self.worker.driver.name(), state);
    }

    /// Reclaims the events that a run that died was sending. They may have been delivered.
    async fn reclaim(&mut self) {
        let name = self.worker.driver.name();
        let reclaimed = self.worker.lock.lock().await.reclaim(name, self.worker.run_id).await;
        let reclaimed = match reclaimed {
            Ok(reclaimed) if reclaimed.is_empty() => return,
            Ok(reclaimed) => reclaimed,
            Err(cause) => return self.abort(&cause),
        };
        info!(driver = name.key(), events = reclaimed.len(), "Reclaimed the leases of a sync run that died");
        let mut by_lease: HashMap<i64, Vec<PendingEvent>> = HashMap::new();
        for reclaimed in reclaimed {
            by_lease.entry(reclaimed.lease_id).or_default().push(reclaimed.event);
        }
        let attempt = self.attempt("");
        for (id, events) in by_lease {
            self.in_flight.insert(events.iter().map(|event| event.id));
            let updates = events.iter().map(|event| attempt.reclaimed(event, &mut rand::rng())).collect();
            let lease = Arc::new(Lease { id, events: events.iter().map(PendingEvent::position).collect() });
            self.finish(updates, Some(lease)).await;
        }
    }

    /// Starts to fetch more events before the queue is empty.
    fn fetch_next(&mut self) {
        let limit = self.policy.events_per_fetch.min(self.remaining.unwrap_or(usize::MAX));
        if self.probe.is_some()
            || self.is_exhausted
            || limit == 0
            || self.queue.events_ready() > self.policy.events_per_fetch / 2
        {
            return;
        }
        let Some(mut fetcher) = self.fetcher.take() else { return };
        let (in_flight, now) = (self.in_flight.snapshot(), self.worker.clock.now());
        self.tasks.spawn(async move {
            let found = fetcher.fetch(limit, &in_flight, now).await;
            Completed::Fetch(fetcher, found)
        });
    }

    async fn handle(&mut self, completed: Result<Completed, JoinError>) {
        match completed {
            Ok(Completed::Fetch(fetcher, Ok(Fetched { event_ids, plan }))) => {
                self.fetcher = Some(fetcher);
                self.is_exhausted = event_ids.is_empty();
                self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(event_ids.len()));
                self.in_flight.insert(event_ids);
                self.apply(plan).await;
            }
            Ok(Completed::Fetch(fetcher, Err(cause))) => {
                self.fetcher = Some(fetcher);
                self.abort(&cause);
            }
            Ok(Completed::Lease(requests, Ok(lease))) => {
                self.is_leasing = false;
                let lease = Arc::new(lease);
                let (admitted, others): (Vec<_>, Vec<_>) =
                    requests.into_iter().partition(|request| self.admits(request));
                self.queue.push_leased(admitted, &lease);
                for request in others {
                    self.release(request, Some(Arc::clone(&lease))).await;
                }
            }
            Ok(Completed::Lease(requests, Err(cause))) => {
                self.is_leasing = false;
                self.queue.put_back(requests);
                self.abort(&cause);
            }
            Ok(Completed::Request(leased, outcome)) => self.on_outcome(leased, outcome).await,
            Err(cause) => {
                error!(%cause, "A task of the sync run panicked");
                self.worker.stop.cancel();
            }
        }
    }

    async fn apply(&mut self, plan: Plan) {
        let name = self.worker.driver.name();
        let Plan { requests, expired: too_old, unsendable: invalid } = plan;
        // Expired events do not count towards the limit.
        self.remaining = self.remaining.map(|remaining| remaining + too_old.len());
        let mut updates: Vec<DeliveryUpdate> = too_old.iter().map(|event| expired(name, event)).collect();
        updates.extend(invalid.into_iter().map(|(event, failure)| unsendable(name, &event, failure)));
        if !updates.is_empty() {
            self.finish(updates, None).await;
        }
        let (admitted, others): (Vec<_>, Vec<_>) =
            requests.into_iter().partition(|request| self.admits(request));
        self.queue.push(admitted);
        for request in others {
            self.release(request, None).await;
        }
    }

    fn attempt(&self, endpoint: &'static str) -> Attempt {
        Attempt {
            driver: self.worker.driver.name(),
            policy: self.policy,
            endpoint,
            now: self.worker.clock.now(),
        }
    }

    /// Stops the run, because the database does not respond or the lock is lost with its connection.
    fn abort(&self, cause: &diesel::result::Error) {
        error!(%cause, driver = self.worker.driver.name().key(), "The sync run lost its database connection");
        self.worker.stop.cancel();
    }
}
