//! Corrects timestamps from a sender whose clock is wrong.
//!
//! `sentAt` is the time on the sender's clock when a request was sent. Its difference to the server's clock
//! is added to the timestamps of the events in the request. The limits of [`super::player_event`] apply to
//! the corrected time.

use chrono::{DateTime, TimeDelta, Utc};

/// Smaller differences are ignored, because sending a request takes time too.
const MIN_CORRECTION: TimeDelta = TimeDelta::seconds(5);

/// Larger differences are ignored, and the timestamps are used as they are.
///
/// Less than a day, so that clients' event ids are kept for longer than retries are accepted, even if a
/// client's clock was set right in between. [`super::ingest`] asserts this.
pub(super) const MAX_CORRECTION: TimeDelta = TimeDelta::hours(23);

/// The difference to add to the sender's timestamps. Negative if the sender's clock is fast.
pub(super) fn correction(sent_at: DateTime<Utc>, received_at: DateTime<Utc>) -> TimeDelta {
    let difference = received_at - sent_at;
    if (MIN_CORRECTION..=MAX_CORRECTION).contains(&difference.abs()) { difference } else { TimeDelta::zero() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_corrected_within_limits() {
        let received = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let day = 24 * 3600;
        for (difference, corrected) in [
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
            let sent = received - TimeDelta::seconds(difference);
            assert_eq!(correction(sent, received), TimeDelta::seconds(corrected), "{difference} s");
        }
    }
}
