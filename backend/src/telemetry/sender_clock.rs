//! The clock of whoever sends events, compared with ours.
//!
//! A sender says what their clock showed when they sent (`sentAt`). What it is ahead or behind ours, their events are
//! too, so that each is recorded as long before its arrival as it happened before it was sent. Where an event ends up is
//! for the limits of [`super::player_event`] to allow, as if nothing had been corrected.

use chrono::{DateTime, TimeDelta, Utc};

/// Differences up to here are left alone: a request takes time too.
const MIN_CORRECTION: TimeDelta = TimeDelta::seconds(5);

/// Clocks that are further off are not believed, and their events are taken as they are.
///
/// Below a day, so that a player's own ids are kept for longer than a retry is taken, even if its clock was put right
/// in between: [`super::ingest`] ties the two.
pub(super) const MAX_CORRECTION: TimeDelta = TimeDelta::hours(23);

/// What is to be added to a time of the sender's: negative where their clock is fast.
pub(super) fn correction(sent_at: DateTime<Utc>, received_at: DateTime<Utc>) -> TimeDelta {
    let behind = received_at - sent_at;
    if (MIN_CORRECTION..=MAX_CORRECTION).contains(&behind.abs()) { behind } else { TimeDelta::zero() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_corrected_within_limits() {
        let received = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let day = 24 * 3600;
        for (behind, corrected) in [
            (0, 0),
            (4, 0),
            (-4, 0),
            (5, 5),
            (-5, -5),
            (7200, 7200),
            (-120, -120),
            (day - 3600, day - 3600),
            (day, 0),
            (-day, 0),
        ] {
            let sent = received - TimeDelta::seconds(behind);
            assert_eq!(correction(sent, received), TimeDelta::seconds(corrected), "{behind} s behind");
        }
    }
}
