//! The queue of requests that a worker has not sent yet, and the set of its events in flight.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::models::telemetry_delivery::{EventPosition, Lease};
use crate::telemetry::driver::{DeliveryPolicy, OutgoingEvent, OutgoingRequest, Unanswered};

/// The ids of the events that a worker has fetched and that have no written outcome yet. Cheap to clone.
///
/// A query that starts while an event is in flight may find it pending even after its outcome is written. So
/// the worker ignores events that were in flight when the query started.
#[derive(Clone, Debug, Default)]
pub struct InFlight(Arc<Mutex<HashSet<i64>>>);

impl InFlight {
    /// Adds events.
    pub fn insert(&self, event_ids: impl IntoIterator<Item = i64>) {
        self.0.lock().extend(event_ids);
    }

    /// Removes events after their outcomes are written.
    pub fn remove(&self, event_ids: &[i64]) {
        let mut in_flight = self.0.lock();
        for id in event_ids {
            in_flight.remove(id);
        }
    }

    /// The events that are in flight now.
    pub fn snapshot(&self) -> HashSet<i64> {
        self.0.lock().clone()
    }
}

/// A request with leased events, which may be sent.
#[derive(Debug)]
pub struct LeasedRequest {
    pub request: OutgoingRequest,
    pub lease: Arc<Lease>,
}

/// Requests in the order in which they are sent.
#[derive(Debug, Default)]
pub struct RequestQueue {
    /// Not leased yet.
    ready: VecDeque<OutgoingRequest>,
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

    /// Puts requests that could not be leased back to the front.
    pub fn put_back(&mut self, requests: Vec<OutgoingRequest>) {
        for request in requests.into_iter().rev() {
            self.ready.push_front(request);
        }
    }

    /// Puts the halves of a refused request at the front, so that a run finishes the requests that it has
    /// started.
    pub fn push_halves(&mut self, halves: [OutgoingRequest; 2], lease: &Arc<Lease>) {
        for request in halves.into_iter().rev() {
            self.leased.push_front(LeasedRequest { request, lease: Arc::clone(lease) });
        }
    }

    /// Removes and returns the next request to send.
    pub fn pop(&mut self) -> Option<LeasedRequest> {
        self.leased.pop_front()
    }

    /// Removes and returns the next requests to lease together, once few leased requests are left. `idle` is
    /// the number of further requests that could be sent now.
    ///
    /// After a crash, every leased event may have been delivered. An event that was in doubt once becomes
    /// dead if it is in doubt again. So it is leased alone, and only when it is sent immediately.
    pub fn next_to_lease(&mut self, policy: &DeliveryPolicy, idle: usize) -> Vec<OutgoingRequest> {
        let is_leased_alone = |request: &OutgoingRequest| {
            policy.unanswered != Unanswered::Retry
                && request.events.iter().any(|outgoing| outgoing.event.unanswered > 0)
        };
        if self.ready.front().is_some_and(is_leased_alone) {
            let is_sent_immediately = idle > self.leased.len();
            return if is_sent_immediately {
                self.ready.pop_front().into_iter().collect()
            } else {
                Vec::new()
            };
        }
        if self.leased.len() > policy.requests_per_lease / 2 {
            return Vec::new();
        }
        let count = self
            .ready
            .iter()
            .take(policy.requests_per_lease)
            .take_while(|request| !is_leased_alone(request))
            .count();
        self.ready.drain(..count).collect()
    }

    /// The number of events that are not leased yet.
    pub fn events_ready(&self) -> usize {
        self.ready.iter().map(|request| request.events.len()).sum()
    }

    /// Empties the queue and returns the requests: first those that are not leased, then those that are.
    pub fn drain(&mut self) -> (VecDeque<OutgoingRequest>, VecDeque<LeasedRequest>) {
        (std::mem::take(&mut self.ready), std::mem::take(&mut self.leased))
    }
}

/// The positions of the events in requests.
pub fn positions(requests: &[OutgoingRequest]) -> Vec<EventPosition> {
    requests
        .iter()
        .flat_map(|request| &request.events)
        .map(|OutgoingEvent { event, .. }| event.position())
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

    /// A queue of requests with one event each. `unanswered` says how often each event went unanswered.
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
    fn few_requests_are_leased_before_they_are_sent() {
        let policy = policy(Unanswered::RetryOnce);
        let mut queue = queue(&[0; 10]);
        let first = queue.next_to_lease(&policy, 2);
        assert_eq!(ids(&first), [1, 2, 3, 4]);
        lease(&mut queue, first);
        assert!(queue.next_to_lease(&policy, 2).is_empty(), "enough requests are leased");
        queue.pop();
        queue.pop();
        assert_eq!(ids(&queue.next_to_lease(&policy, 0)), [5, 6, 7, 8]);
    }

    #[test]
    fn an_event_in_doubt_is_leased_alone_and_only_when_it_is_sent() {
        let policy = policy(Unanswered::RetryOnce);
        let mut queue = queue(&[0, 1, 0]);
        let first = queue.next_to_lease(&policy, 2);
        assert_eq!(ids(&first), [1]);
        lease(&mut queue, first);
        assert!(queue.next_to_lease(&policy, 1).is_empty(), "another request is sent first");
        assert_eq!(ids(&queue.next_to_lease(&policy, 2)), [2]);
        assert_eq!(ids(&queue.next_to_lease(&policy, 2)), [3]);
    }

    #[test]
    fn no_event_is_leased_alone_for_a_driver_that_deduplicates() {
        let mut queue = queue(&[0, 1, 0]);
        assert_eq!(ids(&queue.next_to_lease(&policy(Unanswered::Retry), 0)), [1, 2, 3]);
    }
}
