//! The limits of recording player events.

use super::kind;
use super::reader::Reader;

/// The limits of recording player events.
#[derive(Debug)]
pub struct Recording {
    /// Maximum events per user and minute.
    pub events_per_minute: u32,
    /// Maximum events waiting to be recorded.
    pub queue_capacity: usize,
}

impl Recording {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            events_per_minute: reader.setting(
                "PLAYER_EVENTS_PER_MINUTE",
                "3000",
                kind::number(1..=1_000_000),
                "Maximum player events per user per minute. Callers allowed to record for any user are exempt.",
            ),
            queue_capacity: reader.setting(
                "PLAYER_EVENTS_QUEUE",
                "10000",
                kind::number(500..=1_000_000),
                "Maximum player events waiting to be recorded. When the queue is full, senders are asked to retry later.",
            ),
        }
    }
}
