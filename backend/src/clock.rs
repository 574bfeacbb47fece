//! The time of day, for everything that asks for it.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};

use crate::unpoisoned;

/// The years of the moments that the hub keeps: all but the last of those that RFC 3339 can write, so that what begins
/// in one also ends in one, in every time zone.
pub const KEPT_YEARS: RangeInclusive<i32> = 1900..=9998;

/// Where the time comes from. Copies of a fixed clock move together.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The system's clock.
    System,
    /// A clock that stands still until it is moved.
    Fixed(Arc<Mutex<DateTime<Utc>>>),
}

impl Clock {
    /// The system's clock.
    pub const fn system() -> Self {
        Self::System
    }

    /// A clock that stands at this time.
    pub fn fixed(now: DateTime<Utc>) -> Self {
        Self::Fixed(Arc::new(Mutex::new(now)))
    }

    /// The time now.
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system")]
            Self::System => Utc::now(),
            Self::Fixed(now) => *unpoisoned::lock(now),
        }
    }

    /// Moves a fixed clock; the system's clock cannot be moved and stays as it is.
    pub fn advance(&self, by: TimeDelta) {
        match self {
            Self::System => {}
            Self::Fixed(now) => *unpoisoned::lock(now) += by,
        }
    }

    /// Waits until so much time has passed, which a fixed clock makes pass at once.
    pub async fn sleep(&self, time: TimeDelta) {
        match self {
            Self::System => tokio::time::sleep(time.to_std().unwrap_or_default()).await,
            Self::Fixed(_) => self.advance(time),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_a_fixed_clock_move_together() {
        let clock = Clock::fixed(DateTime::UNIX_EPOCH);
        let copy = clock.clone();
        clock.advance(TimeDelta::minutes(5));
        assert_eq!(copy.now(), DateTime::UNIX_EPOCH + TimeDelta::minutes(5));
    }
}
