//! The backlog of pending events, and the limits above which it raises the alarm.

use chrono::{DateTime, TimeDelta, Utc};

use crate::config::telemetry::Alert;
use crate::db::Connection;
use crate::models::QueryResult;
use crate::models::telemetry_delivery::PendingCounts;
use crate::models::telemetry_driver::EnabledDrivers;

/// The events that wait to be synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// How many there are, up to 100,000 or the alarm's threshold, whichever is more.
    pub events_pending: i64,
    /// When the first of them reached the hub, which may be long after it happened.
    pub oldest: Option<DateTime<Utc>>,
}

/// Pending events are counted up to this, so that it costs the same however many there are.
const COUNTED_UP_TO: u64 = 100_000;

/// The most pending events that are counted: as many as the alarm needs at least.
pub fn counted_up_to(limits: &Alert) -> i64 {
    i64::try_from(limits.threshold.max(COUNTED_UP_TO)).unwrap_or(i64::MAX)
}

/// Why a backlog is cause for alarm.
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
    /// The backlog of these drivers as it is now.
    pub async fn read(conn: &mut Connection, enabled: &EnabledDrivers, limits: &Alert) -> QueryResult<Self> {
        Ok(Self::of(&PendingCounts::count(conn, enabled, counted_up_to(limits)).await?))
    }

    /// The events of what is counts.
    pub const fn of(counts: &PendingCounts) -> Self {
        Self { events_pending: counts.events, oldest: counts.oldest }
    }

    /// For how long its oldest event has waited.
    pub fn age(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        self.oldest.map(|oldest| now - oldest)
    }

    /// Whether it is cause for alarm: at the limits, not only beyond them.
    ///
    /// Where no driver is enabled nothing is ever synced, and callers raise no alarm that nobody could end.
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
    /// The settings whose limit is reached.
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
        assert_eq!(alarm(1, -1), None, "the oldest may be of a clock that is fast");
    }
}
