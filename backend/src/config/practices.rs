//! Attendance and late cancellations of practices.

use std::time::Duration;

use super::kind;
use super::reader::Reader;

/// When attendance is taken, and which cancellation counts as late.
#[derive(Debug)]
pub struct Practices {
    /// How long after its end a practice's attendance is taken.
    pub attendance_grace: Duration,
    /// A cancellation this shortly before the start is late.
    pub late_cancel: Duration,
}

impl Practices {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            attendance_grace: reader.setting(
                "DISCORD_PRACTICES_ATTENDANCE_GRACE_MINUTES",
                "45",
                kind::minutes(0..=10_080),
                "How many minutes after its end the attendance of a practice is taken.",
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
