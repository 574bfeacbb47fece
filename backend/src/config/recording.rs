//! Player events on their way in.

use super::kind;
use super::reader::Reader;

/// What is taken of player events.
#[derive(Debug)]
pub struct Recording {
    /// The most events of one user in a minute.
    pub events_per_minute: u32,
    /// The most events that wait to be recorded.
    pub queue: usize,
}

impl Recording {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            events_per_minute: reader.setting(
                "PLAYER_EVENTS_PER_MINUTE",
                "3000",
                kind::number(1..=1_000_000),
                "The most player events that one user may record in a minute; who records for anybody has no limit.",
            ),
            queue: reader.setting(
                "PLAYER_EVENTS_QUEUE",
                "10000",
                kind::number(500..=1_000_000),
                "The most player events that wait to be recorded; then senders are told to come back.",
            ),
        }
    }
}
