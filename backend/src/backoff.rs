//! How long to wait before a retry.

use chrono::TimeDelta;

/// The pause after this number of failed attempts, counted from 1: a minute, five, fifteen, and then an hour each time.
pub fn pause(failed_attempts: i32) -> TimeDelta {
    TimeDelta::minutes(match failed_attempts {
        ..=1 => 1,
        2 => 5,
        3 => 15,
        4.. => 60,
    })
}
