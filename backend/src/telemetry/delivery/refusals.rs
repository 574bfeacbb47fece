//! Detects whether a service refuses single events or everything.
//!
//! With a wrong URL, or behind a proxy that rejects everything, each request gets a 400. If these refusals
//! were final, the whole backlog would be dead within seconds. So a refusal is not final at first: the event
//! stays pending, and the attempt does not count, until later responses show that the service accepts other
//! events. If the first 20 outcomes of a run are refusals, or at least half of the last 200, the service
//! counts as refusing. Then the events that it refused recently stay pending, and it gets no more events in
//! this run.

use std::collections::{HashSet, VecDeque};

use crate::models::sync_run::Outage;
use crate::models::telemetry_delivery::DeliveryUpdate;

/// Refusals after which a service that has accepted nothing is suspected of refusing everything.
pub const SUSPICIOUS_REFUSALS: usize = 20;
/// The number of recent outcomes that decide whether a service that accepts some events counts as refusing.
const WINDOW: usize = 200;

/// What the outcomes of a run so far show about a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspicion {
    /// The service accepts events, or there are too few outcomes to decide.
    None,
    /// The service has refused all of its first events.
    Suspected,
    /// The service refuses everything.
    Refusing,
}

/// The outcomes from a service in a run, and its refusals that are not final yet.
#[derive(Debug, Default)]
pub struct Refusals {
    /// The most recent responses, which together have about [`WINDOW`] outcomes.
    responses: VecDeque<Response>,
    /// The number of outcomes in `responses`.
    outcomes: usize,
    /// The number of refusals in `responses`.
    refused: usize,
    /// The ids of the events that were refused in `responses`.
    undecided: HashSet<i64>,
    /// Accepted events in the whole run.
    total_accepted: usize,
    /// Refused events in the whole run.
    total_refused: usize,
    http_status: Option<u16>,
    is_refusing: bool,
}

#[derive(Debug)]
struct Response {
    outcomes: usize,
    refused: Vec<DeliveryUpdate>,
}

impl Refusals {
    /// Adds a response with the number of accepted events and the refusals. Returns earlier refusals that
    /// become final now, because the service has accepted enough events after them.
    pub fn on_response(&mut self, accepted: usize, refused: Vec<DeliveryUpdate>) -> Vec<DeliveryUpdate> {
        let outcomes = accepted + refused.len();
        self.total_accepted += accepted;
        self.total_refused += refused.len();
        self.outcomes += outcomes;
        self.refused += refused.len();
        self.undecided.extend(refused.iter().map(|refusal| refusal.event_id));
        let status = refused.last().and_then(|refusal| refusal.http_status);
        self.http_status = status.and_then(|status| u16::try_from(status).ok()).or(self.http_status);
        self.responses.push_back(Response { outcomes, refused });
        let mut decided = Vec::new();
        while !self.is_refusing
            && let Some(oldest) =
                self.responses.pop_front_if(|oldest| self.outcomes - oldest.outcomes >= WINDOW)
        {
            self.outcomes -= oldest.outcomes;
            self.refused -= oldest.refused.len();
            decided.extend(oldest.refused);
        }
        self.is_refusing |= self.outcomes >= WINDOW && 2 * self.refused >= self.outcomes;
        self.remove(&decided);
        decided
    }

    /// What the outcomes show about the service.
    pub const fn suspicion(&self) -> Suspicion {
        if self.is_refusing {
            Suspicion::Refusing
        } else if self.total_accepted == 0 && self.total_refused >= SUSPICIOUS_REFUSALS {
            Suspicion::Suspected
        } else {
            Suspicion::None
        }
    }

    /// Confirms the suspicion.
    pub const fn confirm(&mut self) {
        self.is_refusing = true;
    }

    /// What the outcomes show about the service at the end of a run. Fewer outcomes than [`WINDOW`] are
    /// enough then, if half of them are refusals and these are at least [`SUSPICIOUS_REFUSALS`].
    pub const fn conclude(&mut self) -> Suspicion {
        self.is_refusing |= self.refused >= SUSPICIOUS_REFUSALS && 2 * self.refused >= self.outcomes;
        self.suspicion()
    }

    /// Whether the service has accepted any event in this run.
    pub const fn has_accepted_any(&self) -> bool {
        self.total_accepted > 0
    }

    /// Whether this event has a refusal that is not final yet.
    pub fn contains(&self, event_id: i64) -> bool {
        self.undecided.contains(&event_id)
    }

    /// The outage, if the service has accepted nothing or refuses everything.
    pub fn outage(&self) -> Option<Outage> {
        let is_outage = self.is_refusing || (self.total_accepted == 0 && self.total_refused > 0);
        let events = u32::try_from(self.total_refused).unwrap_or(u32::MAX);
        self.http_status.filter(|_| is_outage).map(|http_status| Outage::Refusing { http_status, events })
    }

    /// Removes and returns all refusals that are not final yet.
    pub fn drain(&mut self) -> Vec<DeliveryUpdate> {
        (self.outcomes, self.refused) = (0, 0);
        let undecided: Vec<DeliveryUpdate> =
            self.responses.drain(..).flat_map(|response| response.refused).collect();
        self.remove(&undecided);
        undecided
    }

    fn remove(&mut self, refusals: &[DeliveryUpdate]) {
        for refusal in refusals {
            self.undecided.remove(&refusal.event_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::delivery::retry_policy::unsendable;
    use crate::telemetry::driver::tests::outgoing_event;
    use crate::telemetry::driver::{Failure, FailureClass};
    use domain::Driver;

    fn refusal(id: i64) -> DeliveryUpdate {
        let failure = Failure::with_status(FailureClass::Refused, 400, None);
        unsendable(Driver::Ga4, &outgoing_event(id, None).event, failure)
    }

    /// Adds one response per letter: `a` for an accepted event, `r` for a refused one. Returns the number of
    /// refusals that became final.
    fn respond(refusals: &mut Refusals, responses: &str) -> usize {
        (0..)
            .zip(responses.chars())
            .map(|(id, response)| match response {
                'a' => refusals.on_response(1, Vec::new()).len(),
                _ => refusals.on_response(0, vec![refusal(id)]).len(),
            })
            .sum()
    }

    #[test]
    fn twenty_refusals_without_an_accepted_event_are_suspicious() {
        let mut refusals = Refusals::default();
        assert_eq!(respond(&mut refusals, &"r".repeat(19)), 0);
        assert_eq!(refusals.suspicion(), Suspicion::None);
        respond(&mut refusals, "r");
        assert_eq!(refusals.suspicion(), Suspicion::Suspected);
        assert_eq!(refusals.outage(), Some(Outage::Refusing { http_status: 400, events: 20 }));
        respond(&mut refusals, "a");
        assert_eq!((refusals.suspicion(), refusals.outage()), (Suspicion::None, None));
    }

    #[test]
    fn refusals_of_half_of_the_last_200_are_not_final() {
        let mut refusals = Refusals::default();
        assert_eq!(respond(&mut refusals, &"a".repeat(500)), 0);
        assert_eq!(respond(&mut refusals, &"r".repeat(99)), 0);
        assert_eq!(refusals.suspicion(), Suspicion::None);
        respond(&mut refusals, "r");
        assert_eq!(refusals.suspicion(), Suspicion::Refusing);
        assert_eq!(refusals.drain().len(), 100);
    }

    #[test]
    fn at_the_end_of_a_run_half_of_fewer_outcomes_are_enough() {
        for (accepted, refused, suspicion) in
            [(21, 20, Suspicion::None), (20, 20, Suspicion::Refusing), (1, 19, Suspicion::None)]
        {
            let mut refusals = Refusals::default();
            respond(&mut refusals, &("a".repeat(accepted) + &"r".repeat(refused)));
            assert_eq!(refusals.suspicion(), Suspicion::None);
            assert_eq!(refusals.conclude(), suspicion, "{accepted} {refused}");
        }
    }

    #[test]
    fn a_few_refusals_are_final_once_enough_events_were_accepted() {
        let mut refusals = Refusals::default();
        assert_eq!(respond(&mut refusals, &"rar".repeat(3)), 0);
        assert!(refusals.contains(0));
        assert_eq!(respond(&mut refusals, &"a".repeat(200)), 6);
        assert!(!refusals.contains(0));
        assert_eq!(refusals.suspicion(), Suspicion::None);
        assert!(refusals.drain().is_empty());
    }

    #[test]
    fn a_response_leaves_the_window_as_a_whole() {
        let mut refusals = Refusals::default();
        refusals.on_response(1_900, (0..100).map(refusal).collect());
        assert_eq!(refusals.suspicion(), Suspicion::None);
        assert_eq!(refusals.on_response(200, Vec::new()).len(), 100);
    }
}
