//! Whether a service refuses some events, or whatever it is sent.
//!
//! A wrong address or a proxy answers 400 to everything, and would use up the whole backlog in a second. So a refusal is
//! not final when it comes: the event stays owed, without a try used up, until the answers around it show that the
//! service takes others. Where the first 20 verdicts of a run are refusals, or at least half of the last 200, the
//! service counts as refusing: what it refused lately stays owed, and nothing more is sent to it in this run.

use std::collections::{HashSet, VecDeque};

use crate::models::sync_run::Trouble;
use crate::models::telemetry_delivery::Judgement;

/// A service that has taken nothing yet is suspected of taking nothing after so many refusals.
pub const FIRST: usize = 20;
/// A service that takes some is judged by so many of its last verdicts, of which half may not be refusals.
const LAST: usize = 200;

/// What the verdicts of a run so far say of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspicion {
    /// It takes events, or has not had enough of them.
    None,
    /// It has refused all of its first events.
    Suspected,
    /// It refuses whatever it is sent.
    Refusing,
}

/// The verdicts of a service in a run, and the refusals among them that are not final yet.
#[derive(Debug, Default)]
pub struct Refusals {
    /// The last answers, as many as it takes for [`LAST`] verdicts.
    answers: VecDeque<Heard>,
    /// Verdicts in these answers, and refusals among them.
    verdicts: usize,
    refused: usize,
    /// The events of these refusals.
    held: HashSet<i64>,
    /// Verdicts in the whole run.
    taken_in_all: usize,
    refused_in_all: usize,
    http_status: Option<u16>,
    is_refusing: bool,
}

#[derive(Debug)]
struct Heard {
    verdicts: usize,
    refused: Vec<Judgement>,
}

impl Refusals {
    /// Takes note of an answer, by which so many events were taken and these were not. Answers with the refusals that
    /// are final from now on: the service has taken enough of what came after them.
    pub fn heard(&mut self, taken: usize, refused: Vec<Judgement>) -> Vec<Judgement> {
        let verdicts = taken + refused.len();
        self.taken_in_all += taken;
        self.refused_in_all += refused.len();
        self.verdicts += verdicts;
        self.refused += refused.len();
        self.held.extend(refused.iter().map(|refusal| refusal.event_id));
        let status = refused.last().and_then(|refusal| refusal.http_status);
        self.http_status = status.and_then(|status| u16::try_from(status).ok()).or(self.http_status);
        self.answers.push_back(Heard { verdicts, refused });
        let mut last = Vec::new();
        while !self.is_refusing
            && let Some(oldest) = self.answers.pop_front_if(|oldest| self.verdicts - oldest.verdicts >= LAST)
        {
            self.verdicts -= oldest.verdicts;
            self.refused -= oldest.refused.len();
            last.extend(oldest.refused);
        }
        self.is_refusing |= self.verdicts >= LAST && 2 * self.refused >= self.verdicts;
        self.forget(&last);
        last
    }

    /// What is to be thought of the service.
    pub const fn suspicion(&self) -> Suspicion {
        if self.is_refusing {
            Suspicion::Refusing
        } else if self.taken_in_all == 0 && self.refused_in_all >= FIRST {
            Suspicion::Suspected
        } else {
            Suspicion::None
        }
    }

    /// A suspicion has proved true.
    pub const fn confirm(&mut self) {
        self.is_refusing = true;
    }

    /// What is to be thought of the service now that there are no more verdicts: where there are fewer than it takes, half
    /// of them count as well, if they are not just a few.
    pub const fn conclude(&mut self) -> Suspicion {
        self.is_refusing |= self.refused >= FIRST && 2 * self.refused >= self.verdicts;
        self.suspicion()
    }

    /// Whether the service has taken anything in this run.
    pub const fn has_taken_any(&self) -> bool {
        self.taken_in_all > 0
    }

    /// Whether a refusal of this event is not final yet.
    pub fn holds(&self, event_id: i64) -> bool {
        self.held.contains(&event_id)
    }

    /// What keeps the service from taking anything, where it has taken nothing or is found to be refusing.
    pub fn trouble(&self) -> Option<Trouble> {
        let is_trouble = self.is_refusing || (self.taken_in_all == 0 && self.refused_in_all > 0);
        let events = u32::try_from(self.refused_in_all).unwrap_or(u32::MAX);
        self.http_status.filter(|_| is_trouble).map(|http_status| Trouble::Refusing { http_status, events })
    }

    /// Gives out every refusal that is not final yet.
    pub fn give_out(&mut self) -> Vec<Judgement> {
        (self.verdicts, self.refused) = (0, 0);
        let held: Vec<Judgement> = self.answers.drain(..).flat_map(|heard| heard.refused).collect();
        self.forget(&held);
        held
    }

    fn forget(&mut self, refusals: &[Judgement]) {
        for refusal in refusals {
            self.held.remove(&refusal.event_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::driver::Driver;
    use crate::telemetry::driver::tests::outgoing;
    use crate::telemetry::driver::{Failure, FailureClass};
    use crate::telemetry::sync::verdict::impossible;

    fn refusal(id: i64) -> Judgement {
        let failure = Failure::with_status(FailureClass::Refused, 400, None);
        impossible(Driver::Ga4, &outgoing(id, None).event, failure)
    }

    /// One answer a letter: `t` for an event that was taken, `r` for one that was refused.
    fn heard(refusals: &mut Refusals, answers: &str) -> usize {
        (0..)
            .zip(answers.chars())
            .map(|(id, answer)| match answer {
                't' => refusals.heard(1, Vec::new()).len(),
                _ => refusals.heard(0, vec![refusal(id)]).len(),
            })
            .sum()
    }

    #[test]
    fn twenty_refusals_and_nothing_else_are_suspicious() {
        let mut refusals = Refusals::default();
        assert_eq!(heard(&mut refusals, &"r".repeat(19)), 0);
        assert_eq!(refusals.suspicion(), Suspicion::None);
        heard(&mut refusals, "r");
        assert_eq!(refusals.suspicion(), Suspicion::Suspected);
        assert_eq!(refusals.trouble(), Some(Trouble::Refusing { http_status: 400, events: 20 }));
        heard(&mut refusals, "t");
        assert_eq!((refusals.suspicion(), refusals.trouble()), (Suspicion::None, None));
    }

    #[test]
    fn half_of_the_last_two_hundred_are_a_service_that_refuses_and_none_of_them_is_final() {
        let mut refusals = Refusals::default();
        assert_eq!(heard(&mut refusals, &"t".repeat(500)), 0);
        assert_eq!(heard(&mut refusals, &"r".repeat(99)), 0);
        assert_eq!(refusals.suspicion(), Suspicion::None);
        heard(&mut refusals, "r");
        assert_eq!(refusals.suspicion(), Suspicion::Refusing);
        assert_eq!(refusals.give_out().len(), 100);
    }

    #[test]
    fn half_of_all_are_a_service_that_refuses_where_there_are_fewer_than_two_hundred() {
        for (taken, refused, suspicion) in
            [(21, 20, Suspicion::None), (20, 20, Suspicion::Refusing), (1, 19, Suspicion::None)]
        {
            let mut refusals = Refusals::default();
            heard(&mut refusals, &("t".repeat(taken) + &"r".repeat(refused)));
            assert_eq!(refusals.suspicion(), Suspicion::None);
            assert_eq!(refusals.conclude(), suspicion, "{taken} {refused}");
        }
    }

    #[test]
    fn a_few_refusals_are_final_when_enough_was_taken_after_them() {
        let mut refusals = Refusals::default();
        assert_eq!(heard(&mut refusals, &"rtr".repeat(3)), 0);
        assert!(refusals.holds(0));
        assert_eq!(heard(&mut refusals, &"t".repeat(200)), 6);
        assert!(!refusals.holds(0));
        assert_eq!(refusals.suspicion(), Suspicion::None);
        assert!(refusals.give_out().is_empty());
    }

    #[test]
    fn one_answer_for_many_events_is_judged_as_a_whole() {
        let mut refusals = Refusals::default();
        refusals.heard(1_900, (0..100).map(refusal).collect());
        assert_eq!(refusals.suspicion(), Suspicion::None);
        assert_eq!(refusals.heard(200, Vec::new()).len(), 100);
    }
}
