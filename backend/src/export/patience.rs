//! How long an export waits for its reader: not long for any one piece, and on average at least at a modest pace.
//!
//! Past the limit of its spool, an export holds a slot, connections and a snapshot that keeps PostgreSQL from tidying up,
//! and before it, disk space. A reader who took a little each minute would keep all that for ever.

use std::time::Duration;

use tokio::time::{Instant, timeout};

/// Bytes a second, before compression, that a reader takes at least, on average.
const PACE: u64 = 16 << 10;

/// What an export has waited for its reader so far.
#[derive(Debug)]
pub struct Patience {
    /// A reader who takes nothing for so long has gone away; also what a reader may lag behind the pace.
    at_a_time: Duration,
    waited: Duration,
}

impl Patience {
    /// Of an export that has waited for nothing yet, with a reader who may take nothing for this long.
    pub const fn new(at_a_time: Duration) -> Self {
        Self { at_a_time, waited: Duration::ZERO }
    }

    /// Waits for the reader to take more, and answers with nothing when that takes too long. `taken` is the number of
    /// bytes that the reader took before.
    pub async fn wait<F: Future>(&mut self, taken: u64, taking: F) -> Option<F::Output> {
        let began = Instant::now();
        let answer = timeout(self.left(taken), taking).await.ok();
        self.waited += began.elapsed();
        answer
    }

    /// How much longer a reader may let an export wait.
    fn left(&self, taken: u64) -> Duration {
        let at_that_pace = Duration::from_millis(taken.saturating_mul(1000) / PACE);
        (self.at_a_time + at_that_pace).saturating_sub(self.waited).min(self.at_a_time)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    const AT_A_TIME: Duration = Duration::from_mins(1);
    const HOUR: Duration = Duration::from_hours(1);

    fn left(waited: Duration, taken: u64) -> Duration {
        Patience { at_a_time: AT_A_TIME, waited }.left(taken)
    }

    #[test]
    fn a_reader_at_the_pace_is_never_cut_off_and_one_below_it_is() {
        let taken = |rate: u64| rate * HOUR.as_secs();
        assert_eq!(left(Duration::ZERO, 0), AT_A_TIME);
        assert_eq!(left(HOUR, taken(PACE)), AT_A_TIME);
        assert_eq!(left(HOUR, taken(PACE * 100)), AT_A_TIME);
        assert_eq!(left(HOUR, taken(PACE) - 30 * PACE), Duration::from_secs(30));
        assert_eq!(left(HOUR, taken(PACE / 2)), Duration::ZERO);
        // A piece of 64 KiB just before each minute is up.
        assert_eq!(left(HOUR, 60 * (64 << 10)), Duration::ZERO);
    }

    #[tokio::test]
    async fn only_a_reader_who_lets_wait_is_cut_off() {
        let mut patience = Patience { at_a_time: AT_A_TIME, waited: HOUR };
        assert_eq!(patience.wait(0, ready("taken")).await, Some("taken"));
        assert_eq!(patience.wait(0, pending::<()>()).await, None);
    }
}
