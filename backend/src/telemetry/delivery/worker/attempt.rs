//! The steps of a request: leasing, sending, and handling its outcome.

use std::sync::Arc;
use std::time::Instant;

use chrono::TimeDelta;
use futures_util::FutureExt as _;
use tracing::{info, warn};

use super::{Completed, RunningWorker};
use crate::models::telemetry_delivery::DeliveryUpdate;
use crate::telemetry::delivery::request_queue::{LeasedRequest, positions};
use crate::telemetry::delivery::retry_policy::Attempt;
use crate::telemetry::driver::{Driver, EventOutcome, Failure, SendOutcome};
use domain::Driver as DriverName;

impl RunningWorker {
    /// Leases the next requests.
    pub(super) fn lease_next(&mut self) {
        if self.is_leasing {
            return;
        }
        let idle = self.breaker.concurrency_limit().saturating_sub(self.sending.len());
        let requests = self.queue.next_to_lease(&self.policy, idle);
        if requests.is_empty() {
            return;
        }
        self.is_leasing = true;
        let (lock, driver) = (Arc::clone(&self.worker.lock), self.worker.driver.name());
        let (run_id, now) = (self.worker.run_id, self.worker.clock.now());
        let events = positions(&requests);
        self.tasks.spawn(async move {
            let lease = lock.lock().await.lease(driver, run_id, events, now).await;
            Completed::Lease(requests, lease)
        });
    }

    /// Sends leased requests, up to the concurrency limit.
    pub(super) fn send_next(&mut self) {
        while self.sending.len() < self.breaker.concurrency_limit()
            && let Some(leased) = self.queue.pop()
        {
            let (driver, metrics) = (Arc::clone(&self.worker.driver), self.worker.metrics.clone());
            let now = self.worker.clock.now();
            let sending = async move {
                let began = Instant::now();
                let outcome = driver.send(&leased.request, now).await;
                metrics.sync().request_ended(driver.name(), outcome.key(), began.elapsed());
                Completed::Request(leased, outcome)
            };
            self.sending.push(sending.boxed());
        }
    }

    /// Handles the outcome of a request.
    pub(super) async fn on_outcome(&mut self, leased: LeasedRequest, outcome: SendOutcome) {
        let LeasedRequest { request, lease } = leased;
        let name = self.worker.driver.name();
        self.worker.progress.update(name, |stats| stats.requests += 1);
        self.breaker.on_response(&outcome, self.worker.clock.now());
        let attempt = self.attempt(Driver::endpoint(&request));
        let events = request.events.iter().map(|outgoing| &outgoing.event);
        let updates: Vec<DeliveryUpdate> = match outcome {
            SendOutcome::PerEvent(outcomes) => {
                self.waited = TimeDelta::zero();
                let updates = events.zip(outcomes).map(|(event, outcome)| attempt.finish(event, outcome));
                return self.finish_attempted(updates.collect(), lease).await;
            }
            SendOutcome::Refused(failure) if request.events.len() > 1 => {
                info!(
                    driver = name.key(),
                    events = request.events.len(),
                    class = failure.class.key(),
                    "Split a batch that was refused"
                );
                return self.queue.push_halves(self.worker.driver.split(request), &lease);
            }
            SendOutcome::Refused(failure) => {
                self.waited = TimeDelta::zero();
                let refused = |event| attempt.finish(event, EventOutcome::Dead(failure.clone()));
                return self.finish_attempted(events.map(refused).collect(), lease).await;
            }
            SendOutcome::RetryLater { failure, retry_after, maybe_delivered } => {
                log_failure(name, &failure);
                let pause = retry_after.and_then(|pause| TimeDelta::from_std(pause).ok());
                let decide = if maybe_delivered { Attempt::maybe_delivered } else { Attempt::retry_later };
                events
                    .map(|event| decide(&attempt, event, failure.clone(), pause, &mut rand::rng()))
                    .collect()
            }
            SendOutcome::Unanswered(failure) => {
                log_failure(name, &failure);
                events.map(|event| attempt.unanswered(event, failure.clone(), &mut rand::rng())).collect()
            }
            SendOutcome::Unusable(_, failure) => {
                log_failure(name, &failure);
                return self.release(request, Some(lease)).await;
            }
        };
        self.finish(updates, Some(lease)).await;
    }
}

fn log_failure(driver: DriverName, failure: &Failure) {
    let Failure { class, http_status, message: error, code: _ } = failure;
    warn!(
        driver = driver.key(),
        class = class.key(),
        http_status,
        error,
        "A batch of events was not accepted"
    );
}
