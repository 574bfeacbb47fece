//! How a worker handles refusals. None is final until it is known whether the service refuses everything.

use std::sync::Arc;

use chrono::TimeDelta;
use tracing::{error, info, warn};

use super::RunningWorker;
use crate::models::sync_run::Outage;
use crate::models::telemetry_delivery::{DeliveryState, DeliveryUpdate, Lease, last_delivered_at};
use crate::telemetry::delivery::refusals::Suspicion;
use crate::telemetry::delivery::request_queue::LeasedRequest;
use crate::telemetry::delivery::retry_policy::undecided;
use crate::telemetry::driver::OutgoingRequest;

/// If a service that accepts some events refuses the same event again after this time, the refusal is final.
/// Otherwise these events would come first in each run and delay the others.
const FINAL_AFTER: TimeDelta = TimeDelta::days(1);

impl RunningWorker {
    /// Writes the outcomes of events that the service has accepted or refused.
    pub(super) async fn finish_attempted(&mut self, updates: Vec<DeliveryUpdate>, lease: Arc<Lease>) {
        let probe = updates.iter().find(|update| Some(update.event_id) == self.probe);
        let is_probe_refused = probe.map(|update| update.state != DeliveryState::Delivered);
        let (refused, mut updates): (Vec<_>, Vec<_>) =
            updates.into_iter().partition(|update| update.state == DeliveryState::Dead);
        updates.extend(refused.iter().map(undecided));
        let accepted = updates.iter().filter(|update| update.state == DeliveryState::Delivered).count();
        let refused = refused.into_iter().map(|refusal| DeliveryUpdate { is_on_record: true, ..refusal });
        let decided = self.refusals.on_response(accepted, refused.collect());
        self.finish(updates, Some(lease)).await;
        if !decided.is_empty() {
            self.finish(decided, None).await;
        }
        match (self.refusals.suspicion(), is_probe_refused) {
            (Suspicion::Suspected, Some(true)) => self.refusals.confirm(),
            (Suspicion::Suspected, _) if self.probe.is_none() => self.send_probe().await,
            (Suspicion::Suspected | Suspicion::Refusing, _) => {}
            // The service has accepted an event, so it needs no probe.
            (Suspicion::None, _) => self.probe = None,
        }
    }

    /// Whether a request may be sent. A suspected service gets only the probe.
    pub(super) fn admits(&self, request: &OutgoingRequest) -> bool {
        self.probe.is_none_or(|id| request.events.iter().any(|outgoing| outgoing.event.id == id))
    }

    /// Sends one more event as a probe: the newest in the queue. Invalid events are often recorded one after
    /// another, so the newest event is the most likely to be accepted.
    async fn send_probe(&mut self) {
        let name = self.worker.driver.name();
        let (mut ready, mut leased) = self.queue.drain();
        match (ready.pop_back(), leased.pop_back()) {
            (Some(last), earlier) => {
                leased.extend(earlier);
                let (probe, others) = self.split_off_last(last);
                ready.extend(others);
                self.probe = probe.events.first().map(|outgoing| outgoing.event.id);
                self.queue.push([probe]);
            }
            (None, Some(LeasedRequest { request, lease })) => {
                let (probe, others) = self.split_off_last(request);
                let others =
                    others.into_iter().map(|request| LeasedRequest { request, lease: Arc::clone(&lease) });
                leased.extend(others);
                self.probe = probe.events.first().map(|outgoing| outgoing.event.id);
                self.queue.push_leased([probe], &lease);
            }
            (None, None) => {}
        }
        for request in ready {
            self.release(request, None).await;
        }
        for LeasedRequest { request, lease } in leased {
            self.release(request, Some(lease)).await;
        }
        if self.probe.is_none() {
            return self.refusals.confirm();
        }
        info!(driver = name.key(), "All events were refused so far; sending one more as a probe");
    }

    /// Splits a request into one with only the last event, and requests with the others.
    fn split_off_last(&self, mut request: OutgoingRequest) -> (OutgoingRequest, Vec<OutgoingRequest>) {
        let mut others = Vec::new();
        while request.events.len() > 1 {
            let [first, rest] = self.worker.driver.split(request);
            others.push(first);
            request = rest;
        }
        (request, others)
    }

    /// Whether the service refuses everything.
    pub(super) const fn is_refusing(&self) -> bool {
        matches!(self.refusals.suspicion(), Suspicion::Refusing)
    }

    /// Decides about the remaining refusals at the end of the run. Returns an outage if the service accepted
    /// nothing or refuses everything.
    ///
    /// If the service accepted other events, the refusals are final. If it accepted none, but got too few
    /// events to be suspected, each refusal counts as an attempt. The event is then dead only if the retry
    /// policy says so, or if the service has accepted other events since it last refused this one. A run that
    /// was stopped leaves the events pending.
    pub(super) async fn conclude_refusals(&mut self) -> Option<Outage> {
        let suspicion = self.refusals.conclude();
        let outage = self.refusals.outage();
        let undecided = self.refusals.drain();
        if suspicion != Suspicion::None {
            warn!(
                driver = self.worker.driver.name().key(),
                "A service refuses too many events and gets no more requests in this run"
            );
        }
        let now = self.worker.clock.now();
        let decided: Vec<DeliveryUpdate> = match (suspicion, self.refusals.has_accepted_any()) {
            (Suspicion::Suspected, _) | (Suspicion::Refusing, false) => Vec::new(),
            (Suspicion::Refusing, true) => undecided
                .into_iter()
                .filter(|refusal| refusal.first_attempt_at.is_some_and(|first| now - first >= FINAL_AFTER))
                .collect(),
            (Suspicion::None, true) => undecided,
            (Suspicion::None, false) if undecided.is_empty() || self.worker.stop.is_cancelled() => {
                return None;
            }
            (Suspicion::None, false) => {
                let name = self.worker.driver.name();
                let delivered = last_delivered_at(self.worker.lock.lock().await.conn(), name).await;
                let delivered = delivered.unwrap_or_else(|cause| {
                    error!(%cause, driver = name.key(), "Failed to read when a driver last accepted an event");
                    None
                });
                let attempt = self.attempt("");
                let decide = |refusal: DeliveryUpdate| {
                    let accepts_others =
                        refusal.refused_before.is_some_and(|before| Some(before) < delivered);
                    if accepts_others {
                        refusal
                    } else {
                        attempt.refused_with_all_others(refusal, &mut rand::rng())
                    }
                };
                undecided.into_iter().map(decide).collect()
            }
        };
        if !decided.is_empty() {
            self.finish(decided, None).await;
        }
        outage
    }
}
