//! When a mail that could not be sent is retried.

use chrono::{DateTime, TimeDelta, Utc};

use crate::backoff;

/// The age at which a mail is no longer sent, because its content is out of date.
const MAX_AGE: TimeDelta = TimeDelta::hours(24);

/// Whether a mail is too old to be sent.
pub fn is_stale(created_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now - created_at >= MAX_AGE
}

/// When a mail is retried after this number of attempts, or `None` if it would be too old by then.
pub fn next_attempt(created_at: DateTime<Utc>, attempts: i32, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    Some(now + backoff::pause(attempts)).filter(|next| !is_stale(created_at, *next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_become_less_frequent_and_stop_after_a_day() {
        let created_at = DateTime::UNIX_EPOCH;
        let (mut at, mut attempts, mut delays) = (created_at, 1, Vec::new());
        while let Some(next) = next_attempt(created_at, attempts, at) {
            delays.push((next - at).num_minutes());
            (at, attempts) = (next, attempts + 1);
        }
        assert_eq!(delays[..5], [1, 5, 15, 60, 60]);
        assert!(created_at + MAX_AGE - at <= TimeDelta::hours(1), "the last attempt is within the last hour");
        assert!(!is_stale(created_at, at) && is_stale(created_at, created_at + MAX_AGE));
    }
}
