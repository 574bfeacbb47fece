//! The backlog of pending events, and the limits at which it raises the alarm.

use chrono::{DateTime, TimeDelta, Utc};

use crate::config::telemetry::Alert;
use crate::db::Connection;
use crate::models::QueryResult;
use crate::models::telemetry_delivery::PendingCounts;
use crate::models::telemetry_driver::EnabledDrivers;

/// The number and age of the pending events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Counted up to [`count_limit`].
    pub events_pending: i64,
    /// When the oldest pending event reached the hub, which may be long after it happened.
    pub oldest: Option<DateTime<Utc>>,
}

/// The limit for counting pending events, unless the alarm's threshold is higher. It bounds the cost of
/// counting.
const MIN_COUNT_LIMIT: u64 = 100_000;

/// The number up to which pending events are counted. At least the alarm's threshold.
pub fn count_limit(limits: &Alert) -> i64 {
    i64::try_from(limits.threshold.max(MIN_COUNT_LIMIT)).unwrap_or(i64::MAX)
}

/// Why a backlog raises the alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// There are too many events.
    Number,
    /// The oldest is too old.
    Age,
    /// Both.
    NumberAndAge,
}

impl Backlog {
    /// Reads the current backlog of these drivers.
    pub async fn read(conn: &mut Connection, enabled: &EnabledDrivers, limits: &Alert) -> QueryResult<Self> {
        Ok(Self::of(&PendingCounts::count(conn, enabled, count_limit(limits)).await?))
    }

    /// The backlog with these counts.
    pub const fn of(counts: &PendingCounts) -> Self {
        Self { events_pending: counts.events, oldest: counts.oldest }
    }

    /// How long the oldest event has been pending.
    pub fn age(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        self.oldest.map(|oldest| now - oldest)
    }

    /// Which limits the backlog has reached, if any.
    ///
    /// If no driver is enabled, callers must ignore the result: nothing is synced then, so the alarm would
    /// never end.
    pub fn alarm(&self, limits: &Alert, now: DateTime<Utc>) -> Option<Alarm> {
        let too_many = u64::try_from(self.events_pending).is_ok_and(|events| events >= limits.threshold);
        let age = self.age(now).and_then(|age| age.to_std().ok());
        let too_old = age.is_some_and(|age| age >= limits.max_age);
        match (too_many, too_old) {
            (true, true) => Some(Alarm::NumberAndAge),
            (true, false) => Some(Alarm::Number),
            (false, true) => Some(Alarm::Age),
            (false, false) => None,
        }
    }
}

impl Alarm {
    /// The settings whose limits are reached.
    pub const fn limits_reached(self) -> &'static [&'static str] {
        const NUMBER: &str = "TELEMETRY_ALERT_THRESHOLD";
        const AGE: &str = "TELEMETRY_ALERT_AGE_MINUTES";
        match self {
            Self::Number => &[NUMBER],
            Self::Age => &[AGE],
            Self::NumberAndAge => &[NUMBER, AGE],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LIMITS: Alert =
        Alert { threshold: 10, max_age: Duration::from_hours(3), cooldown: Duration::from_hours(1) };

    fn alarm(events_pending: i64, seconds_old: i64) -> Option<Alarm> {
        let now = DateTime::UNIX_EPOCH;
        let oldest = (events_pending > 0).then_some(now - TimeDelta::seconds(seconds_old));
        Backlog { events_pending, oldest }.alarm(&LIMITS, now)
    }

    #[test]
    fn the_alarm_is_raised_at_the_limits_and_not_before() {
        assert_eq!(alarm(0, 0), None);
        assert_eq!(alarm(9, 180 * 60 - 1), None);
        assert_eq!(alarm(10, 180 * 60 - 1), Some(Alarm::Number));
        assert_eq!(alarm(9, 180 * 60), Some(Alarm::Age));
        assert_eq!(alarm(10, 180 * 60), Some(Alarm::NumberAndAge));
        assert_eq!(alarm(1, -1), None, "a fast clock does not raise the alarm");
    }
}
