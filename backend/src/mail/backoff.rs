//! When a mail that could not be sent is tried again.

use chrono::{DateTime, TimeDelta, Utc};

/// So long after it was posted a mail is given up: what it says is of yesterday.
const PATIENCE: TimeDelta = TimeDelta::hours(24);

/// Whether a mail that was posted then is too old to be sent.
pub fn is_stale(posted: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now - posted >= PATIENCE
}

/// When a mail that was posted then is tried again after so many attempts; never, when it would be too old by then.
pub fn next_attempt(posted: DateTime<Utc>, attempts: i32, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let pause = TimeDelta::minutes(match attempts {
        ..=1 => 1,
        2 => 5,
        3 => 15,
        4.. => 60,
    });
    Some(now + pause).filter(|next| !is_stale(posted, *next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_grow_rare_and_end_after_a_day() {
        let posted = DateTime::UNIX_EPOCH;
        let (mut at, mut attempts, mut pauses) = (posted, 1, Vec::new());
        while let Some(next) = next_attempt(posted, attempts, at) {
            pauses.push((next - at).num_minutes());
            (at, attempts) = (next, attempts + 1);
        }
        assert_eq!(pauses[..5], [1, 5, 15, 60, 60]);
        assert!(posted + PATIENCE - at <= TimeDelta::hours(1), "the last one is within the last hour");
        assert!(!is_stale(posted, at) && is_stale(posted, posted + PATIENCE));
    }
}
