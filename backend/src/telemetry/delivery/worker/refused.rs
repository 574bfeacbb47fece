//! What a lane does about refusals: it holds them back until it is known whether the service refuses everything.

use std::sync::Arc;

use chrono::TimeDelta;
use tracing::{error, info, warn};

use super::Work;
use crate::models::sync_run::Trouble;
use crate::models::telemetry_delivery::{Judged, Judgement, Lease, last_delivered_at};
use crate::telemetry::driver::Parcel;
use crate::telemetry::sync::refusals::Suspicion;
use crate::telemetry::sync::stock::Leased;
use crate::telemetry::sync::verdict::held_back;

/// A service that takes only some of what it is sent is believed in what it refuses when it does so again after this
/// time: otherwise such events would come first in each run, and keep the others waiting.
const BELIEVED_AFTER: TimeDelta = TimeDelta::days(1);

impl Work {
    /// Passes on what a service said of events that it was sent.
    pub(super) async fn judge_sent(&mut self, judgements: Vec<Judgement>, lease: Arc<Lease>) {
        let probe = judgements.iter().find(|judgement| Some(judgement.event_id) == self.probe);
        let is_probe_refused = probe.map(|judgement| judgement.state != Judged::Delivered);
        let (refused, mut judgements): (Vec<_>, Vec<_>) =
            judgements.into_iter().partition(|judgement| judgement.state == Judged::Dead);
        judgements.extend(refused.iter().map(held_back));
        let taken = judgements.iter().filter(|judgement| judgement.state == Judged::Delivered).count();
        let refused = refused.into_iter().map(|refusal| Judgement { is_on_record: true, ..refusal });
        let last = self.refusals.heard(taken, refused.collect());
        self.judge(judgements, Some(lease)).await;
        if !last.is_empty() {
            self.judge(last, None).await;
        }
        match (self.refusals.suspicion(), is_probe_refused) {
            (Suspicion::Suspected, Some(true)) => self.refusals.confirm(),
            (Suspicion::Suspected, _) if self.probe.is_none() => self.try_another().await,
            (Suspicion::Suspected | Suspicion::Refusing, _) => {}
            // Whatever was refused before, the service takes something.
            (Suspicion::None, _) => self.probe = None,
        }
    }

    /// Whether this may be sent: while a service is suspected it gets no more than one event.
    pub(super) fn admits(&self, parcel: &Parcel) -> bool {
        self.probe.is_none_or(|id| parcel.events.iter().any(|outgoing| outgoing.event.id == id))
    }

    /// Sends one event more, the newest in hand: bad ones mostly come one after the other, and those that came first
    /// must not keep the others from being sent.
    async fn try_another(&mut self) {
        let name = self.lane.driver.name();
        let (mut ready, mut leased) = self.stock.empty();
        match (ready.pop_back(), leased.pop_back()) {
            (Some(last), nearer) => {
                leased.extend(nearer);
                let (probe, others) = self.narrow(last);
                ready.extend(others);
                self.probe = probe.events.first().map(|outgoing| outgoing.event.id);
                self.stock.add([probe]);
            }
            (None, Some(Leased { parcel, lease })) => {
                let (probe, others) = self.narrow(parcel);
                leased.extend(others.into_iter().map(|parcel| Leased { parcel, lease: Arc::clone(&lease) }));
                self.probe = probe.events.first().map(|outgoing| outgoing.event.id);
                self.stock.add_leased([probe], &lease);
            }
            (None, None) => {}
        }
        for parcel in ready {
            self.give_back(parcel, None).await;
        }
        for Leased { parcel, lease } in leased {
            self.give_back(parcel, Some(lease)).await;
        }
        if self.probe.is_none() {
            return self.refusals.confirm();
        }
        info!(driver = name.key(), "All events were refused so far; another one is tried");
    }

    /// A parcel of the last event of this one, and the others.
    fn narrow(&self, mut parcel: Parcel) -> (Parcel, Vec<Parcel>) {
        let mut others = Vec::new();
        while parcel.events.len() > 1 {
            let [first, rest] = self.lane.driver.split(parcel);
            others.push(first);
            parcel = rest;
        }
        (parcel, others)
    }

    /// Whether the service was found to refuse everything.
    pub(super) const fn is_refusing(&self) -> bool {
        matches!(self.refusals.suspicion(), Suspicion::Refusing)
    }

    /// Decides, at the end, about refusals that are not final yet, and says whether the service refuses everything.
    ///
    /// Where it took others, they are final. Where it took nothing and had too few events to be judged by, each was
    /// tried once, and is given up only when that was done often and long enough, or when the service has taken others
    /// since it refused the event before. A run that was told to end leaves them as they are.
    pub(super) async fn decide(&mut self) -> Option<Trouble> {
        let suspicion = self.refusals.conclude();
        let trouble = self.refusals.trouble();
        let held = self.refusals.give_out();
        if suspicion != Suspicion::None {
            warn!(
                driver = self.lane.driver.name().key(),
                "A service refuses what it is sent, and is left alone"
            );
        }
        let now = self.lane.clock.now();
        let last: Vec<Judgement> = match (suspicion, self.refusals.has_taken_any()) {
            (Suspicion::Suspected, _) | (Suspicion::Refusing, false) => Vec::new(),
            (Suspicion::Refusing, true) => held
                .into_iter()
                .filter(|refusal| refusal.first_attempt_at.is_some_and(|first| now - first >= BELIEVED_AFTER))
                .collect(),
            (Suspicion::None, true) => held,
            (Suspicion::None, false) if held.is_empty() || self.lane.stop.is_cancelled() => return None,
            (Suspicion::None, false) => {
                let name = self.lane.driver.name();
                let delivered = last_delivered_at(self.lane.desk.lock().await.conn(), name).await;
                let delivered = delivered.unwrap_or_else(|cause| {
                    error!(%cause, driver = name.key(), "When a driver last took an event cannot be read");
                    None
                });
                let sent = self.sent("");
                let decide = |refusal: Judgement| {
                    let is_told_apart = refusal.refused_before.is_some_and(|before| Some(before) < delivered);
                    if is_told_apart { refusal } else { sent.refused_alone(refusal, &mut rand::rng()) }
                };
                held.into_iter().map(decide).collect()
            }
        };
        if !last.is_empty() {
            self.judge(last, None).await;
        }
        trouble
    }
}
