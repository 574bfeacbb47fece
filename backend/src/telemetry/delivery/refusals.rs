//! Whether a service refuses some events, or everything.
//!
//! With a wrong address, or behind a proxy that rejects everything, each request is answered with 400, which would use up
//! the whole backlog in a second. So a refusal is not final when it comes: the event stays pending, and the attempt does
//! not count, until later responses show that the service accepts other events. If the first 20 outcomes of a run are
//! refusals, or at least half of the last 200, the service counts as refusing: what it refused lately stays pending, and
//! it gets nothing more in this run.

use std::collections::{HashSet, VecDeque};

use crate::models::sync_run::Outage;
use crate::models::telemetry_delivery::DeliveryUpdate;

/// Refusals after which a service that has accepted nothing is suspected of refusing everything.
pub const SUSPICIOUS_REFUSALS: usize = 20;
/// The last outcomes by which a service is judged that accepts some events: half of them may not be refusals.
const WINDOW: usize = 200;

/// What the outcomes of a run so far say of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspicion {
    /// It accepts events, or there are too few outcomes.
    None,
    /// It has refused all of its first events.
    Suspected,
    /// It refuses everything.
    Refusing,
}

/// The outcomes of a service in a run, and its refusals that are not final yet.
#[derive(Debug, Default)]
pub struct Refusals {
    /// The last responses, as many as have [`WINDOW`] outcomes.
    responses: VecDeque<Response>,
    /// The number of outcomes in these responses, and of refusals among them.
    outcomes: usize,
    refused: usize,
    /// The events of these refusals.
    undecided: HashSet<i64>,
    /// Outcomes in the whole run.
    total_accepted: usize,
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
    /// Adds a response that accepted this many events and refused the others. Answers with the refusals that are final
    /// from now on, since the service has accepted enough events after them.
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

    /// What the outcomes say of the service.
    pub const fn suspicion(&self) -> Suspicion {
        if self.is_refusing {
            Suspicion::Refusing
        } else if self.total_accepted == 0 && self.total_refused >= SUSPICIOUS_REFUSALS {
            Suspicion::Suspected
        } else {
            Suspicion::None
        }
    }

    /// The suspicion has proved true.
    pub const fn confirm(&mut self) {
        self.is_refusing = true;
    }

    /// What the outcomes say of the service at the end of a run. With fewer outcomes than [`WINDOW`], half of them count
    /// as well, if they are not just a few.
    pub const fn conclude(&mut self) -> Suspicion {
        self.is_refusing |= self.refused >= SUSPICIOUS_REFUSALS && 2 * self.refused >= self.outcomes;
        self.suspicion()
    }

    /// Whether the service has accepted any event in this run.
    pub const fn has_accepted_any(&self) -> bool {
        self.total_accepted > 0
    }

    /// Whether there is a refusal of this event that is not final yet.
    pub fn holds(&self, event_id: i64) -> bool {
        self.undecided.contains(&event_id)
    }

    /// Why the service gets no more requests, if it has accepted nothing or refuses everything.
    pub fn outage(&self) -> Option<Outage> {
        let is_outage = self.is_refusing || (self.total_accepted == 0 && self.total_refused > 0);
        let events = u32::try_from(self.total_refused).unwrap_or(u32::MAX);
        self.http_status.filter(|_| is_outage).map(|http_status| Outage::Refusing { http_status, events })
    }

    /// Removes all refusals that are not final yet.
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
    use crate::models::driver::Driver;
    use crate::telemetry::delivery::retry_policy::unsendable;
    use crate::telemetry::driver::tests::outgoing;
    use crate::telemetry::driver::{Failure, FailureClass};

    fn refusal(id: i64) -> DeliveryUpdate {
        let failure = Failure::with_status(FailureClass::Refused, 400, None);
        unsendable(Driver::Ga4, &outgoing(id, None).event, failure)
    }

    /// One response per letter: `a` for an event that was accepted, `r` for one that was refused.
    fn respond(refusals: &mut Refusals, answers: &str) -> usize {
        (0..)
            .zip(answers.chars())
            .map(|(id, answer)| match answer {
                'a' => refusals.on_response(1, Vec::new()).len(),
                _ => refusals.on_response(0, vec![refusal(id)]).len(),
            })
            .sum()
    }

    #[test]
    fn twenty_refusals_and_nothing_else_are_suspicious() {
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
    fn with_fewer_outcomes_half_of_them_count_at_the_end() {
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
        assert!(refusals.holds(0));
        assert_eq!(respond(&mut refusals, &"a".repeat(200)), 6);
        assert!(!refusals.holds(0));
        assert_eq!(refusals.suspicion(), Suspicion::None);
        assert!(refusals.drain().is_empty());
    }

    #[test]
    fn a_response_for_many_events_counts_as_a_whole() {
        let mut refusals = Refusals::default();
        refusals.on_response(1_900, (0..100).map(refusal).collect());
        assert_eq!(refusals.suspicion(), Suspicion::None);
        assert_eq!(refusals.on_response(200, Vec::new()).len(), 100);
    }
}
