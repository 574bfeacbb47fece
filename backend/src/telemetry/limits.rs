//! A rate limit on the events of each user.
//!
//! Events are counted in this process. Several servers on one database each apply the limit separately.

use std::num::NonZeroUsize;

use chrono::{DateTime, TimeDelta, Utc};
use lru::LruCache;
use parking_lot::Mutex;

/// The length of a window.
const WINDOW_LENGTH: TimeDelta = TimeDelta::minutes(1);

/// Maximum users whose events are counted. The least recently seen users are evicted first.
const MAX_TRACKED_USERS: NonZeroUsize = NonZeroUsize::new(100_000).expect("100,000 is not zero");

/// The recent events of each user.
pub struct EventLimits {
    per_minute: u32,
    users: Mutex<LruCache<i64, Window>>,
}

#[derive(Clone, Copy)]
struct Window {
    since: DateTime<Utc>,
    events: u32,
}

impl EventLimits {
    /// Allows each user `per_minute` events per minute. A minute starts with a user's first event.
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute, users: Mutex::new(LruCache::new(MAX_TRACKED_USERS)) }
    }

    /// Counts an event of this user. Returns whether it is within the limit.
    pub fn admit(&self, user_id: i64, now: DateTime<Utc>) -> bool {
        let mut users = self.users.lock();
        let window = users.get_or_insert_mut(user_id, || Window { since: now, events: 0 });
        if now - window.since >= WINDOW_LENGTH {
            *window = Window { since: now, events: 0 };
        }
        window.events = window.events.saturating_add(1);
        window.events <= self.per_minute
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_has_a_limit_per_minute() {
        let limits = EventLimits::new(2);
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let admitted = [(7, 0), (7, 59), (7, 59), (8, 59), (7, 60), (7, 119), (7, 119), (7, 120)]
            .map(|(user, second)| limits.admit(user, at(second)));
        assert_eq!(admitted, [true, true, false, true, true, true, false, true]);
    }
}
