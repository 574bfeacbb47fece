//! Attendance and late cancellations of practices.

use std::time::Duration;

use super::kind;
use super::reader::Reader;

/// When attendance is recorded, and which cancellations are late.
#[derive(Debug)]
pub struct Practices {
    /// How long after the end of a practice its attendance is recorded.
    pub attendance_grace: Duration,
    /// A cancellation less than this long before the start is late.
    pub late_cancel: Duration,
}

impl Practices {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            attendance_grace: reader.setting(
                "DISCORD_PRACTICES_ATTENDANCE_GRACE_MINUTES",
                "45",
                kind::minutes(0..=10_080),
                "How many minutes after the end of a practice its attendance is recorded.",
            ),
            late_cancel: reader.setting(
                "DISCORD_PRACTICES_LATE_CANCEL_MINUTES",
                "180",
                kind::minutes(0..=10_080),
                "A cancellation less than this many minutes before the start is late.",
            ),
        }
    }
}
