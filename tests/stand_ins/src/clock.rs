//! The clock of the stand-ins. Tests set it, so that they need not wait 72 hours or five days.

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// The setting of the stand-ins' clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockSetting {
    /// The system's clock.
    #[default]
    System,
    /// This number of seconds ahead of the system's clock.
    OffsetSeconds(i64),
    /// Stopped at this time.
    Fixed(DateTime<Utc>),
}

/// A clock that follows its setting.
#[derive(Debug, Default)]
pub(crate) struct Clock(Mutex<ClockSetting>);

impl Clock {
    pub(crate) fn set(&self, setting: ClockSetting) {
        *self.0.lock() = setting;
    }

    pub(crate) fn setting(&self) -> ClockSetting {
        *self.0.lock()
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        #[expect(clippy::disallowed_methods, reason = "this is the only place that reads the system's clock")]
        let system = Utc::now;
        match self.setting() {
            ClockSetting::System => system(),
            ClockSetting::OffsetSeconds(ahead) => system() + TimeDelta::seconds(ahead),
            ClockSetting::Fixed(now) => now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_is_stopped_and_one_with_an_offset_is_ahead() {
        let clock = Clock::default();
        let system = clock.now();
        clock.set(ClockSetting::OffsetSeconds(3600));
        assert!(clock.now() >= system + TimeDelta::hours(1));
        clock.set(ClockSetting::Fixed(DateTime::UNIX_EPOCH));
        assert_eq!(clock.now(), DateTime::UNIX_EPOCH);
    }
}
