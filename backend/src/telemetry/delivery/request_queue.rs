//! What a worker has fetched: requests that it has not sent, and the events that are in flight.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};

use crate::models::telemetry_delivery::{EventPosition, Lease};
use crate::telemetry::driver::{DeliveryPolicy, Outgoing, OutgoingRequest, Unanswered};
use crate::unpoisoned;

/// The events that a worker has fetched and whose outcome is not written yet; cheap to clone.
///
/// A query that begins while an event is in flight may still find it pending after its outcome is written. So the worker
/// skips what was in flight when the query began.
#[derive(Clone, Debug, Default)]
pub struct InFlight(Arc<Mutex<HashSet<i64>>>);

impl InFlight {
    /// Adds events by their ids.
    pub fn insert(&self, event_ids: impl IntoIterator<Item = i64>) {
        unpoisoned::lock(&self.0).extend(event_ids);
    }

    /// Removes events whose outcome is written.
    pub fn remove(&self, event_ids: &[i64]) {
        let mut in_flight = unpoisoned::lock(&self.0);
        for id in event_ids {
            in_flight.remove(id);
        }
    }

    /// The ids of the events that are in flight now.
    pub fn snapshot(&self) -> HashSet<i64> {
        unpoisoned::lock(&self.0).clone()
    }
}

/// A request whose events are leased, so that it may be sent.
#[derive(Debug)]
pub struct LeasedRequest {
    /// The request.
    pub request: OutgoingRequest,
    /// The lease that its events are in.
    pub lease: Arc<Lease>,
}

/// Requests in the order in which they are sent.
#[derive(Debug, Default)]
pub struct RequestQueue {
    /// Not leased yet.
    ready: VecDeque<OutgoingRequest>,
    /// Leased, so that they may be sent.
    leased: VecDeque<LeasedRequest>,
}

impl RequestQueue {
    /// Appends requests that are not leased.
    pub fn push(&mut self, requests: impl IntoIterator<Item = OutgoingRequest>) {
        self.ready.extend(requests);
    }

    /// Appends requests that are leased.
    pub fn push_leased(&mut self, requests: impl IntoIterator<Item = OutgoingRequest>, lease: &Arc<Lease>) {
        self.leased
            .extend(requests.into_iter().map(|request| LeasedRequest { request, lease: Arc::clone(lease) }));
    }

    /// Puts requests back that could not be leased.
    pub fn put_back(&mut self, requests: Vec<OutgoingRequest>) {
        for request in requests.into_iter().rev() {
            self.ready.push_front(request);
        }
    }

    /// Puts the halves of a refused request in front, so that a run finishes what it has begun.
    pub fn push_halves(&mut self, halves: [OutgoingRequest; 2], lease: &Arc<Lease>) {
        for request in halves.into_iter().rev() {
            self.leased.push_front(LeasedRequest { request, lease: Arc::clone(lease) });
        }
    }

    /// The next request to send.
    pub fn pop(&mut self) -> Option<LeasedRequest> {
        self.leased.pop_front()
    }

    /// The next requests to lease together, once few leased ones are left. `idle` is the number of further requests that
    /// could be sent now.
    ///
    /// After a crash every leased event may have been delivered. So an event that was in doubt once, and that becomes
    /// dead if it is in doubt again, is leased alone and only when it is sent right away.
    pub fn next_to_lease(&mut self, policy: &DeliveryPolicy, idle: usize) -> Vec<OutgoingRequest> {
        let goes_alone = |request: &OutgoingRequest| {
            policy.unanswered != Unanswered::Retry
                && request.events.iter().any(|outgoing| outgoing.event.unanswered > 0)
        };
        if self.ready.front().is_some_and(goes_alone) {
            let is_sent_right_away = idle > self.leased.len();
            return if is_sent_right_away {
                self.ready.pop_front().into_iter().collect()
            } else {
                Vec::new()
            };
        }
        if self.leased.len() > policy.requests_per_lease / 2 {
            return Vec::new();
        }
        let together = self
            .ready
            .iter()
            .take(policy.requests_per_lease)
            .take_while(|request| !goes_alone(request))
            .count();
        self.ready.drain(..together).collect()
    }

    /// The number of events that are not leased yet.
    pub fn events_ready(&self) -> usize {
        self.ready.iter().map(|request| request.events.len()).sum()
    }

    /// Empties the queue: the requests that are not leased, and those that are.
    pub fn drain(&mut self) -> (VecDeque<OutgoingRequest>, VecDeque<LeasedRequest>) {
        (std::mem::take(&mut self.ready), std::mem::take(&mut self.leased))
    }
}

/// The positions of the events of requests.
pub fn positions(requests: &[OutgoingRequest]) -> Vec<EventPosition> {
    requests
        .iter()
        .flat_map(|request| &request.events)
        .map(|Outgoing { event, .. }| event.position())
        .collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::telemetry::driver::tests::outgoing_request;

    fn policy(unanswered: Unanswered) -> DeliveryPolicy {
        DeliveryPolicy {
            max_concurrency: 2,
            events_per_fetch: 100,
            requests_per_lease: 4,
            needs_sessions: false,
            needs_sign_up_date: false,
            max_attempts: 5,
            min_retry_period: TimeDelta::zero(),
            unanswered,
        }
    }

    /// A queue of requests of one event each, by how often each event went unanswered.
    fn queue(unanswered: &[i32]) -> RequestQueue {
        let mut queue = RequestQueue::default();
        queue.push((1..).zip(unanswered).map(|(id, times)| outgoing_request(id, *times)));
        queue
    }

    fn ids(requests: &[OutgoingRequest]) -> Vec<i64> {
        positions(requests).iter().map(|position| position.id).collect()
    }

    fn lease(queue: &mut RequestQueue, requests: Vec<OutgoingRequest>) {
        let lease = Arc::new(Lease { id: 1, events: positions(&requests) });
        queue.push_leased(requests, &lease);
    }

    #[test]
    fn few_requests_are_leased_ahead_of_sending() {
        let policy = policy(Unanswered::RetryOnce);
        let mut queue = queue(&[0; 10]);
        let first = queue.next_to_lease(&policy, 2);
        assert_eq!(ids(&first), [1, 2, 3, 4]);
        lease(&mut queue, first);
        assert!(queue.next_to_lease(&policy, 2).is_empty(), "there are enough");
        queue.pop();
        queue.pop();
        assert_eq!(ids(&queue.next_to_lease(&policy, 0)), [5, 6, 7, 8]);
    }

    #[test]
    fn an_event_in_doubt_is_leased_alone_and_only_when_it_is_sent_right_away() {
        let policy = policy(Unanswered::RetryOnce);
        let mut queue = queue(&[0, 1, 0]);
        let first = queue.next_to_lease(&policy, 2);
        assert_eq!(ids(&first), [1]);
        lease(&mut queue, first);
        assert!(queue.next_to_lease(&policy, 1).is_empty(), "another one is sent first");
        assert_eq!(ids(&queue.next_to_lease(&policy, 2)), [2]);
        assert_eq!(ids(&queue.next_to_lease(&policy, 2)), [3]);
    }

    #[test]
    fn no_event_is_leased_alone_for_a_driver_that_recognizes_repetitions() {
        let mut queue = queue(&[0, 1, 0]);
        assert_eq!(ids(&queue.next_to_lease(&policy(Unanswered::Retry), 0)), [1, 2, 3]);
    }
}
