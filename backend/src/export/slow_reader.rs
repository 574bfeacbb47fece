//! Limits how long an export waits for its reader, both for a single chunk and on average.
//!
//! While it waits, an export occupies disk space. Past its spool limit it also occupies a slot, connections
//! and a database snapshot that keeps PostgreSQL from vacuuming. Without the limit on the average, a reader
//! that takes a few bytes every minute could occupy all of that forever.

use std::time::Duration;

use tokio::time::{Instant, timeout};

/// The minimum average speed of a reader, in bytes before compression.
const MIN_BYTES_PER_SECOND: u64 = 16 << 10;

/// Decides when a reader is too slow, from how long the export has waited for it.
#[derive(Debug)]
pub struct ReaderTimeout {
    /// The timeout of a single wait, and how far a reader may lag behind the minimum speed.
    max_wait: Duration,
    waited: Duration,
}

impl ReaderTimeout {
    /// Starts with no time waited, for a reader that may take nothing for `max_wait`.
    pub const fn new(max_wait: Duration) -> Self {
        Self { max_wait, waited: Duration::ZERO }
    }

    /// Waits for the reader to take more, and returns `None` if that takes too long. `taken` is the number of
    /// bytes that the reader has taken so far.
    pub async fn wait<F: Future>(&mut self, taken: u64, taking: F) -> Option<F::Output> {
        let started = Instant::now();
        let output = timeout(self.remaining(taken), taking).await.ok();
        self.waited += started.elapsed();
        output
    }

    /// How much longer the export may wait for its reader.
    fn remaining(&self, taken: u64) -> Duration {
        let allowed_for_taken = Duration::from_millis(taken.saturating_mul(1000) / MIN_BYTES_PER_SECOND);
        (self.max_wait + allowed_for_taken).saturating_sub(self.waited).min(self.max_wait)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    const MAX_WAIT: Duration = Duration::from_mins(1);
    const HOUR: Duration = Duration::from_hours(1);

    fn remaining(waited: Duration, taken: u64) -> Duration {
        ReaderTimeout { max_wait: MAX_WAIT, waited }.remaining(taken)
    }

    #[test]
    fn a_reader_below_the_minimum_speed_times_out_and_no_other_does() {
        let taken = |rate: u64| rate * HOUR.as_secs();
        assert_eq!(remaining(Duration::ZERO, 0), MAX_WAIT);
        assert_eq!(remaining(HOUR, taken(MIN_BYTES_PER_SECOND)), MAX_WAIT);
        assert_eq!(remaining(HOUR, taken(MIN_BYTES_PER_SECOND * 100)), MAX_WAIT);
        assert_eq!(
            remaining(HOUR, taken(MIN_BYTES_PER_SECOND) - 30 * MIN_BYTES_PER_SECOND),
            Duration::from_secs(30)
        );
        assert_eq!(remaining(HOUR, taken(MIN_BYTES_PER_SECOND / 2)), Duration::ZERO);
        // One chunk of 64 KiB at the end of each minute.
        assert_eq!(remaining(HOUR, 60 * (64 << 10)), Duration::ZERO);
    }

    #[tokio::test]
    async fn only_a_reader_that_makes_the_export_wait_times_out() {
        let mut timeout = ReaderTimeout { max_wait: MAX_WAIT, waited: HOUR };
        assert_eq!(timeout.wait(0, ready("taken")).await, Some("taken"));
        assert_eq!(timeout.wait(0, pending::<()>()).await, None);
    }
}
