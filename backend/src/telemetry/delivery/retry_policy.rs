//! The retry policy: turns the outcome of an attempt into an update of the event's delivery.

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use domain::Driver;
use rand::Rng;

use crate::backoff;
use crate::models::telemetry_delivery::{DeliveryState, DeliveryUpdate, PendingEvent};
use crate::telemetry::driver::{DeliveryPolicy, EventOutcome, Failure, FailureClass, Unanswered};

/// Unanswered attempts after which an event is dead, for a driver that does not deduplicate.
const MAX_UNANSWERED: i32 = 2;

/// An attempt to send the events of a request.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    pub driver: Driver,
    pub policy: DeliveryPolicy,
    /// The path of the request.
    pub endpoint: &'static str,
    /// When the attempt ended.
    pub now: DateTime<Utc>,
}

impl Attempt {
    /// The event has a final outcome.
    pub fn finish(&self, event: &PendingEvent, outcome: EventOutcome) -> DeliveryUpdate {
        match outcome {
            EventOutcome::Delivered => self.attempted(event, DeliveryState::Delivered, None),
            EventOutcome::Dead(failure) => self.attempted(event, DeliveryState::Dead, Some(failure)),
            EventOutcome::Expired => expired(self.driver, event),
        }
    }

    /// The driver did not accept the event now. It is retried unless the policy's attempts and period are
    /// exhausted. An attempt does not count if the driver asked for a pause, or if nothing could be sent.
    pub fn retry_later(
        &self,
        event: &PendingEvent,
        failure: Failure,
        retry_after: Option<TimeDelta>,
        rng: &mut impl Rng,
    ) -> DeliveryUpdate {
        let was_sent = failure.class != FailureClass::Unreachable;
        let counts = was_sent && retry_after.is_none();
        let attempts = event.attempts + i32::from(counts);
        if counts && self.is_exhausted(attempts, event.first_attempt_at) {
            let failure = Failure { class: FailureClass::Exhausted, ..failure };
            return self.attempted(event, DeliveryState::Dead, Some(failure));
        }
        let wait = retry_after.unwrap_or_else(|| retry_delay(attempts.max(1), rng));
        let update = if was_sent {
            self.attempted(event, DeliveryState::Retry, Some(failure))
        } else {
            let unsent = unchanged(self.driver, event, DeliveryState::Retry, Some(failure));
            DeliveryUpdate { endpoint: Some(self.endpoint), ..unsent }
        };
        DeliveryUpdate {
            attempts,
            // In the precision of the database, so that the run and the database agree on when it is due.
            next_attempt_at: Some((self.now + wait).trunc_subsecs(6)),
            ..update
        }
    }

    /// The driver responded with an error, but may have stored the event before.
    ///
    /// A driver that deduplicates gets the event again. Any other driver gets it once more, marked as a
    /// possible duplicate, as after a request without a response. Whatever the setting for such requests, the
    /// event does not count as delivered, because an error is no sign of success.
    pub fn maybe_delivered(
        &self,
        event: &PendingEvent,
        failure: Failure,
        retry_after: Option<TimeDelta>,
        rng: &mut impl Rng,
    ) -> DeliveryUpdate {
        match self.policy.unanswered {
            Unanswered::Retry => self.retry_later(event, failure, retry_after, rng),
            Unanswered::RetryOnce | Unanswered::AssumeDelivered => {
                self.retry_once(event, failure, retry_after, rng)
            }
        }
    }

    /// The event was sent and got no response.
    pub fn unanswered(&self, event: &PendingEvent, failure: Failure, rng: &mut impl Rng) -> DeliveryUpdate {
        match self.policy.unanswered {
            Unanswered::Retry => {
                let retry = self.retry_later(event, failure, None, rng);
                DeliveryUpdate { unanswered: event.unanswered + 1, ..retry }
            }
            Unanswered::RetryOnce => self.retry_once(event, failure, None, rng),
            Unanswered::AssumeDelivered => {
                let delivered = self.attempted(event, DeliveryState::Delivered, Some(failure));
                DeliveryUpdate { unanswered: event.unanswered + 1, ..delivered }
            }
        }
    }

    /// The event may have been delivered. It is sent once more, marked as a possible duplicate, but not a
    /// third time.
    fn retry_once(
        &self,
        event: &PendingEvent,
        failure: Failure,
        retry_after: Option<TimeDelta>,
        rng: &mut impl Rng,
    ) -> DeliveryUpdate {
        let unanswered = event.unanswered + 1;
        let update = if unanswered < MAX_UNANSWERED {
            self.retry_later(event, failure, retry_after, rng)
        } else {
            let failure = Failure { class: FailureClass::Unanswered, ..failure };
            self.attempted(event, DeliveryState::Dead, Some(failure))
        };
        DeliveryUpdate { unanswered, maybe_duplicate: true, ..update }
    }

    /// A run that died may have sent the event. It does not count as delivered, whatever the policy.
    pub fn reclaimed(&self, event: &PendingEvent, rng: &mut impl Rng) -> DeliveryUpdate {
        let unanswered = match self.policy.unanswered {
            Unanswered::Retry => Unanswered::Retry,
            Unanswered::RetryOnce | Unanswered::AssumeDelivered => Unanswered::RetryOnce,
        };
        let attempt = Self { policy: DeliveryPolicy { unanswered, ..self.policy }, ..*self };
        let update = attempt.unanswered(event, Failure::of(FailureClass::Unanswered), rng);
        let next_attempt_at = update.next_attempt_at.map(|_| self.now.trunc_subsecs(6));
        DeliveryUpdate { next_attempt_at, endpoint: None, ..update }
    }

    /// The driver refused all of the few events that it got, so the driver may be the cause. A refused event
    /// becomes dead only once the policy's attempts and period are exhausted.
    pub fn refused_with_all_others(&self, refusal: DeliveryUpdate, rng: &mut impl Rng) -> DeliveryUpdate {
        if self.is_exhausted(refusal.attempts, refusal.first_attempt_at) {
            return refusal;
        }
        let next_attempt_at = Some((self.now + retry_delay(refusal.attempts, rng)).trunc_subsecs(6));
        DeliveryUpdate { state: DeliveryState::Retry, next_attempt_at, ..refusal }
    }

    /// Whether an event was retried often and long enough to be dead.
    fn is_exhausted(&self, attempts: i32, first_attempt_at: Option<DateTime<Utc>>) -> bool {
        let period = first_attempt_at.map_or(TimeDelta::zero(), |first| self.now - first);
        attempts >= self.policy.max_attempts && period >= self.policy.min_retry_period
    }

    /// The event was sent in this attempt.
    fn attempted(
        &self,
        event: &PendingEvent,
        state: DeliveryState,
        failure: Option<Failure>,
    ) -> DeliveryUpdate {
        let update = unchanged(self.driver, event, state, failure);
        DeliveryUpdate {
            attempts: update.attempts + 1,
            first_attempt_at: update.first_attempt_at.or(Some(self.now)),
            last_attempt_at: Some(self.now),
            endpoint: Some(self.endpoint),
            ..update
        }
    }
}

/// The refusal is not final yet. The event stays pending, and the attempt does not count.
pub fn undecided(refusal: &DeliveryUpdate) -> DeliveryUpdate {
    let attempts = refusal.attempts.saturating_sub(1);
    DeliveryUpdate { state: DeliveryState::Retry, attempts, next_attempt_at: None, ..refusal.clone() }
}

/// The event was not sent, because it is too old for the driver.
pub fn expired(driver: Driver, event: &PendingEvent) -> DeliveryUpdate {
    unchanged(driver, event, DeliveryState::Expired, Some(Failure::of(FailureClass::TooOld)))
}

/// The event was not sent, because the driver would refuse it.
pub fn unsendable(driver: Driver, event: &PendingEvent, failure: Failure) -> DeliveryUpdate {
    unchanged(driver, event, DeliveryState::Dead, Some(failure))
}

/// The event was fetched for the first time, but not sent.
pub fn unsent(driver: Driver, event: &PendingEvent) -> DeliveryUpdate {
    unchanged(driver, event, DeliveryState::Pending, None)
}

fn unchanged(
    driver: Driver,
    event: &PendingEvent,
    state: DeliveryState,
    failure: Option<Failure>,
) -> DeliveryUpdate {
    let error_class = failure.as_ref().map(|failure| failure.class.key());
    let (http_status, error_code, error_message) =
        failure.map_or((None, None, None), |failure| (failure.http_status, failure.code, failure.message));
    DeliveryUpdate {
        driver,
        event_id: event.id,
        recorded_at: event.recorded_at,
        arrived_at: event.arrived_at,
        is_on_record: event.is_on_record,
        is_last: event.is_last,
        state,
        attempts: event.attempts,
        unanswered: event.unanswered,
        maybe_duplicate: event.maybe_duplicate,
        first_attempt_at: event.first_attempt_at,
        refused_before: event.refused_at,
        last_attempt_at: None,
        next_attempt_at: None,
        http_status: http_status.map(i32::from),
        endpoint: None,
        error_class,
        error_code,
        error_message,
    }
}

/// The time until the next attempt after this many attempts. After each of the first two it is a few seconds,
/// for which the run waits. Then it grows from a minute to an hour. Jitter spreads the retries.
fn retry_delay(attempts: i32, rng: &mut impl Rng) -> TimeDelta {
    match attempts {
        ..=1 => TimeDelta::milliseconds(2_000 + rng.random_range(1_000..=5_000)),
        2 => TimeDelta::milliseconds(4_000 + rng.random_range(1_000..=5_000)),
        3.. => backoff::pause(attempts - 2) / 100 * rng.random_range(80..=120),
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn the_backoff_grows_from_seconds_to_an_hour() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for (attempts, min, max) in [
            (1, 3, 7),
            (2, 5, 9),
            (3, 48, 72),
            (4, 240, 360),
            (5, 720, 1080),
            (6, 2880, 4320),
            (50, 2880, 4320),
        ] {
            for _ in 0..100 {
                let delay = retry_delay(attempts, &mut rng);
                let limits = TimeDelta::seconds(min)..=TimeDelta::seconds(max);
                assert!(limits.contains(&delay), "{attempts}: {delay}");
            }
        }
    }
}
