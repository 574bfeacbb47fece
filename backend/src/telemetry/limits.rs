//! How many events of one user are taken in a minute.
//!
//! The counts live in this process: several servers on one database each allow their own number.

use std::num::NonZeroUsize;
use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};
use lru::LruCache;

use crate::unpoisoned;

const WINDOW: TimeDelta = TimeDelta::minutes(1);

/// So many users are kept in mind; the ones not seen for longest are forgotten first.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(100_000).expect("not zero");

/// The events of late.
pub struct EventLimits {
    per_minute: u32,
    users: Mutex<LruCache<i64, Count>>,
}

#[derive(Clone, Copy)]
struct Count {
    since: DateTime<Utc>,
    events: u32,
}

impl EventLimits {
    /// So many events a minute for each user, counted from the first one on.
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute, users: Mutex::new(LruCache::new(REMEMBERED)) }
    }

    /// Whether one event more of this user is taken now.
    pub fn admit(&self, user_id: i64, now: DateTime<Utc>) -> bool {
        let mut users = unpoisoned::lock(&self.users);
        let count = users.get_or_insert_mut(user_id, || Count { since: now, events: 0 });
        if now - count.since >= WINDOW {
            *count = Count { since: now, events: 0 };
        }
        count.events = count.events.saturating_add(1);
        count.events <= self.per_minute
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_has_their_number_a_minute() {
        let limits = EventLimits::new(2);
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let admitted = [(7, 0), (7, 59), (7, 59), (8, 59), (7, 60), (7, 119), (7, 119), (7, 120)]
            .map(|(user, second)| limits.admit(user, at(second)));
        assert_eq!(admitted, [true, true, false, true, true, true, false, true]);
    }
}
