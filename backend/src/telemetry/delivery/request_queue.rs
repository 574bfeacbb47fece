//! The parcels that a lane has in hand and has not sent.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::models::telemetry_delivery::{Frontier, Lease};
use crate::telemetry::driver::{Manners, Outgoing, Parcel, Unanswered};

/// A parcel that is on record as being sent.
#[derive(Debug)]
pub struct Leased {
    /// The parcel.
    pub parcel: Parcel,
    /// What it is on record by.
    pub lease: Arc<Lease>,
}

/// Parcels in their order.
#[derive(Debug, Default)]
pub struct Stock {
    /// Not on record yet.
    ready: VecDeque<Parcel>,
    /// On record as being sent, so that they may be.
    leased: VecDeque<Leased>,
}

impl Stock {
    /// Adds what is planned.
    pub fn add(&mut self, parcels: impl IntoIterator<Item = Parcel>) {
        self.ready.extend(parcels);
    }

    /// Adds what may be sent.
    pub fn add_leased(&mut self, parcels: impl IntoIterator<Item = Parcel>, lease: &Arc<Lease>) {
        self.leased.extend(parcels.into_iter().map(|parcel| Leased { parcel, lease: Arc::clone(lease) }));
    }

    /// Puts back what could not be put on record.
    pub fn put_back(&mut self, parcels: Vec<Parcel>) {
        for parcel in parcels.into_iter().rev() {
            self.ready.push_front(parcel);
        }
    }

    /// Puts halves of what was refused in front, so that what a run has begun comes to its end.
    pub fn put_in_front(&mut self, halves: [Parcel; 2], lease: &Arc<Lease>) {
        for parcel in halves.into_iter().rev() {
            self.leased.push_front(Leased { parcel, lease: Arc::clone(lease) });
        }
    }

    /// The next one that may be sent.
    pub fn next(&mut self) -> Option<Leased> {
        self.leased.pop_front()
    }

    /// The next ones to be put on record together, where what is on record will not last long; `idle` more requests
    /// could be under way.
    ///
    /// Of a run that dies all that is on record counts as perhaps sent. So what was perhaps sent once, and is given up
    /// if it is not answered again, goes on record alone and only when it is sent at once.
    pub fn next_to_lease(&mut self, manners: &Manners, idle: usize) -> Vec<Parcel> {
        let goes_alone = |parcel: &Parcel| {
            manners.unanswered != Unanswered::SendAgain
                && parcel.events.iter().any(|outgoing| outgoing.event.unanswered > 0)
        };
        if self.ready.front().is_some_and(goes_alone) {
            let is_sent_at_once = idle > self.leased.len();
            return if is_sent_at_once { self.ready.pop_front().into_iter().collect() } else { Vec::new() };
        }
        if self.leased.len() > manners.leased / 2 {
            return Vec::new();
        }
        let together =
            self.ready.iter().take(manners.leased).take_while(|parcel| !goes_alone(parcel)).count();
        self.ready.drain(..together).collect()
    }

    /// How many events are not on record yet.
    pub fn events_ready(&self) -> usize {
        self.ready.iter().map(|parcel| parcel.events.len()).sum()
    }

    /// Empties it: what is not on record, and what is.
    pub fn empty(&mut self) -> (VecDeque<Parcel>, VecDeque<Leased>) {
        (std::mem::take(&mut self.ready), std::mem::take(&mut self.leased))
    }
}

/// The events of parcels, by their places in the order.
pub fn frontiers(parcels: &[Parcel]) -> Vec<Frontier> {
    parcels.iter().flat_map(|parcel| &parcel.events).map(|Outgoing { event, .. }| event.frontier()).collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::telemetry::driver::tests::parcel;

    fn manners(unanswered: Unanswered) -> Manners {
        Manners {
            concurrency: 2,
            chunk: 100,
            leased: 4,
            tells_sessions: false,
            tells_user_since: false,
            tries: 5,
            tried_for: TimeDelta::zero(),
            unanswered,
        }
    }

    /// A stock of these events, which went without an answer so often.
    fn stock(unanswered: &[i32]) -> Stock {
        let mut stock = Stock::default();
        stock.add((1..).zip(unanswered).map(|(id, times)| parcel(id, *times)));
        stock
    }

    fn ids(parcels: &[Parcel]) -> Vec<i64> {
        frontiers(parcels).iter().map(|frontier| frontier.id).collect()
    }

    fn lease(stock: &mut Stock, parcels: Vec<Parcel>) {
        let lease = Arc::new(Lease { id: 1, events: frontiers(&parcels) });
        stock.add_leased(parcels, &lease);
    }

    #[test]
    fn few_are_on_record_beyond_those_that_are_sent() {
        let manners = manners(Unanswered::SendOnceMore);
        let mut stock = stock(&[0; 10]);
        let first = stock.next_to_lease(&manners, 2);
        assert_eq!(ids(&first), [1, 2, 3, 4]);
        lease(&mut stock, first);
        assert!(stock.next_to_lease(&manners, 2).is_empty(), "there are enough");
        stock.next();
        stock.next();
        assert_eq!(ids(&stock.next_to_lease(&manners, 0)), [5, 6, 7, 8]);
    }

    #[test]
    fn what_was_not_answered_once_goes_on_record_alone_and_when_it_is_sent_at_once() {
        let manners = manners(Unanswered::SendOnceMore);
        let mut stock = stock(&[0, 1, 0]);
        let first = stock.next_to_lease(&manners, 2);
        assert_eq!(ids(&first), [1]);
        lease(&mut stock, first);
        assert!(stock.next_to_lease(&manners, 1).is_empty(), "another one is sent before");
        assert_eq!(ids(&stock.next_to_lease(&manners, 2)), [2]);
        assert_eq!(ids(&stock.next_to_lease(&manners, 2)), [3]);
    }

    #[test]
    fn where_a_repetition_is_known_none_goes_alone() {
        let mut stock = stock(&[0, 1, 0]);
        assert_eq!(ids(&stock.next_to_lease(&manners(Unanswered::SendAgain), 0)), [1, 2, 3]);
    }
}
