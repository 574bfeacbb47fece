//! Whether a driver may be sent to, and how much at once.
//!
//! Five failures in a row, or one answer that says that the service is not to be spoken to, close the gate for a minute;
//! then one request is let through, and it opens again if that is taken. A service that wants less gets half as much at
//! once, and then a little more with each good minute.

use chrono::{DateTime, TimeDelta, Utc};

use crate::models::sync_run::Trouble;
use crate::telemetry::driver::{Answer, Failure, FailureClass};

/// So many failures in a row close the gate.
const FAILURES: u32 = 5;
/// For so long.
const CLOSED_FOR: TimeDelta = TimeDelta::minutes(1);
/// After so long without a complaint a little more is sent at once.
const GOOD_TIME: TimeDelta = TimeDelta::minutes(1);

/// What stands between the sync and a driver.
#[derive(Debug)]
pub struct Gate {
    most: usize,
    at_once: usize,
    failures: u32,
    opens_at: Option<DateTime<Utc>>,
    is_trying: bool,
    calm_since: Option<DateTime<Utc>>,
    trouble: Option<Trouble>,
}

impl Gate {
    /// Lets up to so many requests through at once, from then on.
    pub fn new(most: usize, opens_at: Option<DateTime<Utc>>) -> Self {
        let trouble = opens_at.map(|_| Trouble::Paused);
        Self { most, at_once: most, failures: 0, opens_at, is_trying: false, calm_since: None, trouble }
    }

    /// How many requests may be under way.
    pub const fn at_once(&self) -> usize {
        if self.is_trying { 1 } else { self.at_once }
    }

    /// When it opens, if it is closed.
    pub fn closed_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.opens_at.filter(|opens_at| *opens_at > now)
    }

    /// Lets one request through, the time having come.
    pub fn try_again(&mut self) {
        if self.opens_at.take().is_some() {
            self.is_trying = true;
        }
    }

    /// Why it is closed, or was when it was last tried.
    pub const fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    /// When it opens, closed or not.
    pub const fn opens_at(&self) -> Option<DateTime<Utc>> {
        self.opens_at
    }

    /// Takes note of an answer.
    pub fn heard(&mut self, answer: &Answer, now: DateTime<Utc>) {
        match answer {
            Answer::Verdicts(_) | Answer::Refused(_) => self.went_through(now),
            Answer::Later { failure, pause, doubtful: _ } => {
                if failure.class == FailureClass::Throttled {
                    self.at_once = (self.at_once / 2).max(1);
                    self.calm_since = Some(now);
                }
                self.failed(failure, now);
                if let Some(pause) = pause.and_then(|pause| TimeDelta::from_std(pause).ok()) {
                    let opens_at = now + pause;
                    self.opens_at = Some(self.opens_at.map_or(opens_at, |earlier| earlier.max(opens_at)));
                    self.trouble = Some(Trouble::Paused);
                }
            }
            Answer::Unanswered(failure) => self.failed(failure, now),
            Answer::Closed(trouble, _) => {
                self.opens_at = Some(now + CLOSED_FOR);
                self.trouble = Some(trouble.clone());
            }
        }
    }

    fn went_through(&mut self, now: DateTime<Utc>) {
        (self.failures, self.is_trying) = (0, false);
        // A pause that another request was asked for in the meantime still holds.
        if self.opens_at.is_none() {
            self.trouble = None;
        }
        if self.at_once < self.most && self.calm_since.is_none_or(|since| now - since >= GOOD_TIME) {
            self.at_once += 1;
            self.calm_since = Some(now);
        }
    }

    fn failed(&mut self, failure: &Failure, now: DateTime<Utc>) {
        self.failures += 1;
        if self.failures >= FAILURES || self.is_trying {
            self.opens_at = Some(now + CLOSED_FOR);
            self.is_trying = false;
            self.trouble = Some(match failure.http_status {
                Some(http_status) => Trouble::Down { http_status },
                None => Trouble::Unreachable,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: DateTime<Utc> = DateTime::from_timestamp(1_800_000_000, 0).unwrap();

    fn later(class: FailureClass, pause: Option<u64>) -> Answer {
        let failure = Failure::with_status(class, 503, None);
        Answer::Later { failure, pause: pause.map(Duration::from_secs), doubtful: false }
    }

    #[test]
    fn five_failures_in_a_row_close_it_for_a_minute_and_one_request_opens_it() {
        let mut gate = Gate::new(8, None);
        for _ in 0..4 {
            gate.heard(&later(FailureClass::Down, None), NOW);
        }
        gate.heard(&Answer::Verdicts(Vec::new()), NOW);
        for _ in 0..4 {
            gate.heard(&later(FailureClass::Down, None), NOW);
            assert_eq!(gate.closed_until(NOW), None);
        }
        gate.heard(&later(FailureClass::Down, None), NOW);
        assert_eq!(gate.closed_until(NOW), Some(NOW + CLOSED_FOR));
        assert_eq!(gate.trouble(), Some(&Trouble::Down { http_status: 503 }));
        gate.try_again();
        assert_eq!((gate.at_once(), gate.closed_until(NOW)), (1, None));
        gate.heard(&Answer::Verdicts(Vec::new()), NOW);
        assert_eq!((gate.at_once(), gate.trouble()), (8, None));
    }

    #[test]
    fn one_failure_closes_it_again_when_it_is_tried() {
        let mut gate = Gate::new(8, Some(NOW));
        gate.try_again();
        gate.heard(&later(FailureClass::Down, None), NOW);
        assert!(gate.closed_until(NOW).is_some());
    }

    #[test]
    fn a_service_that_wants_less_gets_half_and_then_a_little_more() {
        let mut gate = Gate::new(8, None);
        gate.heard(&later(FailureClass::Throttled, Some(30)), NOW);
        assert_eq!((gate.at_once(), gate.closed_until(NOW)), (4, Some(NOW + TimeDelta::seconds(30))));
        gate.heard(&Answer::Verdicts(Vec::new()), NOW + TimeDelta::seconds(59));
        assert_eq!(gate.at_once(), 4);
        gate.heard(&Answer::Verdicts(Vec::new()), NOW + TimeDelta::seconds(60));
        assert_eq!(gate.at_once(), 5);
    }
}
