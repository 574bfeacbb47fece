//! From what a driver answered to what is written down of an event.

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use rand::Rng;

use crate::models::driver::Driver;
use crate::models::telemetry_delivery::{Judged, Judgement, OwedEvent};
use crate::telemetry::driver::{Failure, FailureClass, Manners, Unanswered, Verdict};

/// After so many requests in doubt an event is not sent again where the driver cannot tell a repetition.
const UNANSWERED_AT_MOST: i32 = 2;

/// What is the same for all events of a request.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// The driver.
    pub driver: Driver,
    /// How it is treated.
    pub manners: Manners,
    /// Where it was sent.
    pub endpoint: &'static str,
    /// When the answer came.
    pub now: DateTime<Utc>,
}

impl Sent {
    /// The event has its last verdict.
    pub fn ended(&self, event: &OwedEvent, verdict: Verdict) -> Judgement {
        match verdict {
            Verdict::Delivered => self.noted(event, Judged::Delivered, None),
            Verdict::Dead(failure) => self.noted(event, Judged::Dead, Some(failure)),
            Verdict::Expired => expired(self.driver, event),
        }
    }

    /// The driver did not take it now: it is tried again later, unless that was done often and long enough. Where the
    /// driver said when, it does not count as a try; nor where nothing could be sent.
    pub fn put_off(
        &self,
        event: &OwedEvent,
        failure: Failure,
        pause: Option<TimeDelta>,
        rng: &mut impl Rng,
    ) -> Judgement {
        let sent = failure.class != FailureClass::Unreachable;
        let counts = sent && pause.is_none();
        let attempts = event.attempts + i32::from(counts);
        let tried_for = event.first_attempt_at.map_or(TimeDelta::zero(), |first| self.now - first);
        if counts && attempts >= self.manners.tries && tried_for >= self.manners.tried_for {
            let failure = Failure { class: FailureClass::Exhausted, ..failure };
            return self.noted(event, Judged::Dead, Some(failure));
        }
        let wait = pause.unwrap_or_else(|| wait(attempts.max(1), rng));
        let noted = if sent {
            self.noted(event, Judged::Retry, Some(failure))
        } else {
            let unsent = as_it_was(self.driver, event, Judged::Retry, Some(failure));
            Judgement { endpoint: Some(self.endpoint), ..unsent }
        };
        Judgement {
            attempts,
            // As the database keeps it, so that it is due when the run thinks that it is.
            next_attempt_at: Some((self.now + wait).trunc_subsecs(6)),
            ..noted
        }
    }

    /// The driver answered that something went wrong, which may have been after it had taken the event.
    ///
    /// A driver that knows repetitions simply gets it again. One that does not gets it once more, marked, as it would if
    /// it had not answered: of the two, an answer says no more about what was stored. Nor is it taken for delivered,
    /// whatever the settings say of answers that never come: an error is no sign of success.
    pub fn doubtful(
        &self,
        event: &OwedEvent,
        failure: Failure,
        pause: Option<TimeDelta>,
        rng: &mut impl Rng,
    ) -> Judgement {
        match self.manners.unanswered {
            Unanswered::SendAgain => self.put_off(event, failure, pause, rng),
            Unanswered::SendOnceMore | Unanswered::Delivered => self.once_more(event, failure, pause, rng),
        }
    }

    /// It was sent, and whether it arrived nobody knows.
    pub fn unanswered(&self, event: &OwedEvent, failure: Failure, rng: &mut impl Rng) -> Judgement {
        match self.manners.unanswered {
            Unanswered::SendAgain => {
                let put_off = self.put_off(event, failure, None, rng);
                Judgement { unanswered: event.unanswered + 1, ..put_off }
            }
            Unanswered::SendOnceMore => self.once_more(event, failure, None, rng),
            Unanswered::Delivered => {
                let delivered = self.noted(event, Judged::Delivered, Some(failure));
                Judgement { unanswered: event.unanswered + 1, ..delivered }
            }
        }
    }

    /// It may be there already: it is sent once more, marked, and not a third time.
    fn once_more(
        &self,
        event: &OwedEvent,
        failure: Failure,
        pause: Option<TimeDelta>,
        rng: &mut impl Rng,
    ) -> Judgement {
        let unanswered = event.unanswered + 1;
        let judged = if unanswered < UNANSWERED_AT_MOST {
            self.put_off(event, failure, pause, rng)
        } else {
            let failure = Failure { class: FailureClass::Unanswered, ..failure };
            self.noted(event, Judged::Dead, Some(failure))
        };
        Judgement { unanswered, maybe_duplicate: true, ..judged }
    }

    /// A run that died may have sent it, or may not: it is never taken for delivered.
    pub fn taken_over(&self, event: &OwedEvent, rng: &mut impl Rng) -> Judgement {
        let unanswered = match self.manners.unanswered {
            Unanswered::SendAgain => Unanswered::SendAgain,
            Unanswered::SendOnceMore | Unanswered::Delivered => Unanswered::SendOnceMore,
        };
        let sent = Self { manners: Manners { unanswered, ..self.manners }, ..*self };
        let judged = sent.unanswered(event, Failure::of(FailureClass::Unanswered), rng);
        let next_attempt_at = judged.next_attempt_at.map(|_| self.now.trunc_subsecs(6));
        Judgement { next_attempt_at, endpoint: None, ..judged }
    }

    /// The driver refused it, as it did all of the few events that it was sent: that may be its own fault. It is given
    /// up when that was so often and long enough.
    pub fn refused_alone(&self, refusal: Judgement, rng: &mut impl Rng) -> Judgement {
        let tried_for = refusal.first_attempt_at.map_or(TimeDelta::zero(), |first| self.now - first);
        if refusal.attempts >= self.manners.tries && tried_for >= self.manners.tried_for {
            return refusal;
        }
        let next_attempt_at = Some((self.now + wait(refusal.attempts, rng)).trunc_subsecs(6));
        Judgement { state: Judged::Retry, next_attempt_at, ..refusal }
    }

    /// It was sent just now.
    fn noted(&self, event: &OwedEvent, state: Judged, failure: Option<Failure>) -> Judgement {
        let was = as_it_was(self.driver, event, state, failure);
        Judgement {
            attempts: was.attempts + 1,
            first_attempt_at: was.first_attempt_at.or(Some(self.now)),
            last_attempt_at: Some(self.now),
            endpoint: Some(self.endpoint),
            ..was
        }
    }
}

/// A refusal that is not final yet: the event stays owed, and no try of it is used up.
pub fn held_back(refusal: &Judgement) -> Judgement {
    let attempts = refusal.attempts.saturating_sub(1);
    Judgement { state: Judged::Retry, attempts, next_attempt_at: None, ..refusal.clone() }
}

/// It is too old for the driver and was not sent.
pub fn expired(driver: Driver, event: &OwedEvent) -> Judgement {
    as_it_was(driver, event, Judged::Expired, Some(Failure::of(FailureClass::TooOld)))
}

/// The driver could not take it, so it was not sent.
pub fn impossible(driver: Driver, event: &OwedEvent, failure: Failure) -> Judgement {
    as_it_was(driver, event, Judged::Dead, Some(failure))
}

/// It was taken up for the first time and not sent.
pub fn untouched(driver: Driver, event: &OwedEvent) -> Judgement {
    as_it_was(driver, event, Judged::Pending, None)
}

fn as_it_was(driver: Driver, event: &OwedEvent, state: Judged, failure: Option<Failure>) -> Judgement {
    let error_class = failure.as_ref().map(|failure| failure.class.key());
    let (http_status, error_code, error_message) =
        failure.map_or((None, None, None), |failure| (failure.http_status, failure.code, failure.message));
    Judgement {
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

/// How long to wait after so many tries: a few seconds twice, which a run waits for itself, and then from a minute to an
/// hour; a little more or less each time, so that not all come back at once.
fn wait(tries: i32, rng: &mut impl Rng) -> TimeDelta {
    let minutes = match tries {
        ..=2 => {
            let doubled = if tries <= 1 { 2_000 } else { 4_000 };
            return TimeDelta::milliseconds(doubled + rng.random_range(1_000..=5_000));
        }
        3 => 1,
        4 => 5,
        5 => 15,
        6.. => 60,
    };
    TimeDelta::milliseconds(minutes * 60_000 * rng.random_range(80..=120) / 100)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn waits_grow_from_seconds_to_an_hour() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for (tries, least, most) in [
            (1, 3, 7),
            (2, 5, 9),
            (3, 48, 72),
            (4, 240, 360),
            (5, 720, 1080),
            (6, 2880, 4320),
            (50, 2880, 4320),
        ] {
            for _ in 0..100 {
                let waited = wait(tries, &mut rng);
                let limits = TimeDelta::seconds(least)..=TimeDelta::seconds(most);
                assert!(limits.contains(&waited), "{tries}: {waited}");
            }
        }
    }
}
