//! The source of the current time.

use std::ops::RangeInclusive;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;

/// The years in which stored timestamps may lie: all that RFC 3339 can represent but the last, so that a
/// period that begins in one of them also ends in a representable year, in every time zone.
pub const SUPPORTED_YEARS: RangeInclusive<i32> = 1900..=9998;

/// The source of the current time. Clones of a fixed clock share their time.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The system's clock.
    System,
    /// A clock that changes only when it is advanced.
    Fixed(Arc<Mutex<DateTime<Utc>>>),
}

impl Clock {
    /// The system's clock.
    pub const fn system() -> Self {
        Self::System
    }

    /// A clock that is fixed at this time.
    pub fn fixed(now: DateTime<Utc>) -> Self {
        Self::Fixed(Arc::new(Mutex::new(now)))
    }

    /// The current time.
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the only place that reads the system clock")]
            Self::System => Utc::now(),
            Self::Fixed(now) => *now.lock(),
        }
    }

    /// Advances a fixed clock. Has no effect on the system's clock.
    pub fn advance(&self, by: TimeDelta) {
        match self {
            Self::System => {}
            Self::Fixed(now) => *now.lock() += by,
        }
    }

    /// Waits for `duration`. A fixed clock advances by it immediately.
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
    fn clones_of_a_fixed_clock_share_their_time() {
        let clock = Clock::fixed(DateTime::UNIX_EPOCH);
        let copy = clock.clone();
        clock.advance(TimeDelta::minutes(5));
        assert_eq!(copy.now(), DateTime::UNIX_EPOCH + TimeDelta::minutes(5));
    }
}
