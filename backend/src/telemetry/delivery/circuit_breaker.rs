//! A circuit breaker with an adaptive concurrency limit, one for each driver.
//!
//! Five consecutive failures, or one response that shows that the service cannot be used, open the breaker
//! for a minute. Then it is half-open: one request probes the service, and the breaker closes if that request
//! succeeds. When a service throttles, the limit is halved. It then grows by one with each minute without
//! throttling.

use chrono::{DateTime, TimeDelta, Utc};

use crate::models::sync_run::Outage;
use crate::telemetry::driver::{Failure, FailureClass, SendOutcome};

/// Consecutive failures that open the breaker.
const FAILURE_THRESHOLD: u32 = 5;
/// How long the breaker stays open.
const OPEN_FOR: TimeDelta = TimeDelta::minutes(1);
/// Time without throttling after which the concurrency limit grows by one.
const RECOVERY_INTERVAL: TimeDelta = TimeDelta::minutes(1);

/// Decides whether requests may be sent to a driver, and how many concurrently.
#[derive(Debug)]
pub struct CircuitBreaker {
    max_concurrency: usize,
    concurrency_limit: usize,
    consecutive_failures: u32,
    retry_at: Option<DateTime<Utc>>,
    is_half_open: bool,
    healthy_since: Option<DateTime<Utc>>,
    outage: Option<Outage>,
}

impl CircuitBreaker {
    /// A closed breaker, or an open one if the service asked an earlier run for a pause until `retry_at`.
    pub fn new(max_concurrency: usize, retry_at: Option<DateTime<Utc>>) -> Self {
        Self {
            max_concurrency,
            concurrency_limit: max_concurrency,
            consecutive_failures: 0,
            retry_at,
            is_half_open: false,
            healthy_since: None,
            outage: retry_at.map(|_| Outage::Paused),
        }
    }

    /// The maximum number of concurrent requests.
    pub const fn concurrency_limit(&self) -> usize {
        if self.is_half_open { 1 } else { self.concurrency_limit }
    }

    /// When the breaker becomes half-open, if it is open now.
    pub fn open_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.retry_at.filter(|retry_at| *retry_at > now)
    }

    /// Makes an open breaker half-open, so that one request may be sent.
    pub fn half_open(&mut self) {
        if self.retry_at.take().is_some() {
            self.is_half_open = true;
        }
    }

    /// Why the breaker is open, or why it was open last.
    pub const fn outage(&self) -> Option<&Outage> {
        self.outage.as_ref()
    }

    /// The time until which the breaker is open. It may have passed.
    pub const fn retry_at(&self) -> Option<DateTime<Utc>> {
        self.retry_at
    }

    /// Adapts to a response.
    pub fn on_response(&mut self, outcome: &SendOutcome, now: DateTime<Utc>) {
        match outcome {
            SendOutcome::PerEvent(_) | SendOutcome::Refused(_) => self.on_success(now),
            SendOutcome::RetryLater { failure, retry_after, maybe_delivered: _ } => {
                if failure.class == FailureClass::Throttled {
                    self.concurrency_limit = (self.concurrency_limit / 2).max(1);
                    self.healthy_since = Some(now);
                }
                self.on_failure(failure, now);
                if let Some(pause) = retry_after.and_then(|pause| TimeDelta::from_std(pause).ok()) {
                    let retry_at = now + pause;
                    self.retry_at = Some(self.retry_at.map_or(retry_at, |earlier| earlier.max(retry_at)));
                    self.outage = Some(Outage::Paused);
                }
            }
            SendOutcome::Unanswered(failure) => self.on_failure(failure, now),
            SendOutcome::Unusable(outage, _) => {
                self.retry_at = Some(now + OPEN_FOR);
                self.outage = Some(outage.clone());
            }
        }
    }

    fn on_success(&mut self, now: DateTime<Utc>) {
        (self.consecutive_failures, self.is_half_open) = (0, false);
        // A pause that another response asked for in the meantime still applies.
        if self.retry_at.is_none() {
            self.outage = None;
        }
        if self.concurrency_limit < self.max_concurrency
            && self.healthy_since.is_none_or(|since| now - since >= RECOVERY_INTERVAL)
        {
            self.concurrency_limit += 1;
            self.healthy_since = Some(now);
        }
    }

    fn on_failure(&mut self, failure: &Failure, now: DateTime<Utc>) {
        self.consecutive_failures += 1;
        if self.consecutive_failures >= FAILURE_THRESHOLD || self.is_half_open {
            self.retry_at = Some(now + OPEN_FOR);
            self.is_half_open = false;
            self.outage = Some(match failure.http_status {
                Some(http_status) => Outage::Down { http_status },
                None => Outage::Unreachable,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: DateTime<Utc> = DateTime::from_timestamp(1_800_000_000, 0).unwrap();

    fn retry_later(class: FailureClass, pause: Option<u64>) -> SendOutcome {
        let failure = Failure::with_status(class, 503, None);
        SendOutcome::RetryLater {
            failure,
            retry_after: pause.map(Duration::from_secs),
            maybe_delivered: false,
        }
    }

    #[test]
    fn five_consecutive_failures_open_the_breaker_until_a_probe_succeeds() {
        let mut breaker = CircuitBreaker::new(8, None);
        for _ in 0..4 {
            breaker.on_response(&retry_later(FailureClass::Down, None), NOW);
        }
        breaker.on_response(&SendOutcome::PerEvent(Vec::new()), NOW);
        for _ in 0..4 {
            breaker.on_response(&retry_later(FailureClass::Down, None), NOW);
            assert_eq!(breaker.open_until(NOW), None);
        }
        breaker.on_response(&retry_later(FailureClass::Down, None), NOW);
        assert_eq!(breaker.open_until(NOW), Some(NOW + OPEN_FOR));
        assert_eq!(breaker.outage(), Some(&Outage::Down { http_status: 503 }));
        breaker.half_open();
        assert_eq!((breaker.concurrency_limit(), breaker.open_until(NOW)), (1, None));
        breaker.on_response(&SendOutcome::PerEvent(Vec::new()), NOW);
        assert_eq!((breaker.concurrency_limit(), breaker.outage()), (8, None));
    }

    #[test]
    fn a_failed_probe_opens_the_breaker_again() {
        let mut breaker = CircuitBreaker::new(8, Some(NOW));
        breaker.half_open();
        breaker.on_response(&retry_later(FailureClass::Down, None), NOW);
        assert!(breaker.open_until(NOW).is_some());
    }

    #[test]
    fn throttling_halves_the_concurrency_limit_which_then_recovers() {
        let mut breaker = CircuitBreaker::new(8, None);
        breaker.on_response(&retry_later(FailureClass::Throttled, Some(30)), NOW);
        assert_eq!(
            (breaker.concurrency_limit(), breaker.open_until(NOW)),
            (4, Some(NOW + TimeDelta::seconds(30)))
        );
        breaker.on_response(&SendOutcome::PerEvent(Vec::new()), NOW + TimeDelta::seconds(59));
        assert_eq!(breaker.concurrency_limit(), 4);
        breaker.on_response(&SendOutcome::PerEvent(Vec::new()), NOW + TimeDelta::seconds(60));
        assert_eq!(breaker.concurrency_limit(), 5);
    }
}
