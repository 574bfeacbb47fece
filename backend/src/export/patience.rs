//! How long an export waits for its reader: not long for any one piece, and on average at least at a modest pace.
//!
//! An export holds a slot, connections and a snapshot that keeps PostgreSQL from tidying up. A reader who took a little
//! each minute would keep all that for ever.

use std::time::Duration;

use tokio::time::{Instant, timeout};

/// A reader who takes nothing for so long has gone away; also what a reader may lag behind the pace.
const AT_A_TIME: Duration = Duration::from_mins(1);
/// Bytes a second, before compression, that a reader takes at least, on average.
const PACE: u64 = 16 << 10;

/// What an export has waited for its reader so far.
#[derive(Debug, Default)]
pub struct Patience {
    waited: Duration,
}

impl Patience {
    /// Waits for the reader to take more, and answers with nothing when that takes too long. `sent` is the number of
    /// bytes that the reader was sent before.
    pub async fn wait<F: Future>(&mut self, sent: u64, taking: F) -> Option<F::Output> {
        let began = Instant::now();
        let taken = timeout(left(self.waited, sent), taking).await.ok();
        self.waited += began.elapsed();
        taken
    }
}

/// How much longer a reader may let an export wait.
fn left(waited: Duration, sent: u64) -> Duration {
    let at_that_pace = Duration::from_millis(sent.saturating_mul(1000) / PACE);
    (AT_A_TIME + at_that_pace).saturating_sub(waited).min(AT_A_TIME)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn a_reader_at_the_pace_is_never_cut_off_and_one_below_it_is() {
        let sent = |rate: u64| rate * HOUR.as_secs();
        assert_eq!(left(Duration::ZERO, 0), AT_A_TIME);
        assert_eq!(left(HOUR, sent(PACE)), AT_A_TIME);
        assert_eq!(left(HOUR, sent(PACE * 100)), AT_A_TIME);
        assert_eq!(left(HOUR, sent(PACE) - 30 * PACE), Duration::from_secs(30));
        assert_eq!(left(HOUR, sent(PACE / 2)), Duration::ZERO);
        // A piece of 64 KiB just before each minute is up.
        assert_eq!(left(HOUR, 60 * (64 << 10)), Duration::ZERO);
    }

    #[tokio::test]
    async fn only_a_reader_who_lets_wait_is_cut_off() {
        let mut patience = Patience { waited: HOUR };
        assert_eq!(patience.wait(0, ready("taken")).await, Some("taken"));
        assert_eq!(patience.wait(0, pending::<()>()).await, None);
    }
}
