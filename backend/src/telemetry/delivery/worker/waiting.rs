//! Waits for a pause to end or for events to become retryable.

use chrono::{DateTime, TimeDelta, Utc};

use super::RunningWorker;

impl RunningWorker {
    /// When the next event of this run becomes retryable.
    pub(super) fn next_retry(&self) -> Option<DateTime<Utc>> {
        if self.worker.retries && self.remaining != Some(0) {
            self.retry_times.first().copied()
        } else {
            None
        }
    }

    /// Waits until `until`, unless that exceeds the maximum wait. Returns whether to continue.
    pub(super) async fn wait(&mut self, until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
        let Some(until) = until else { return false };
        let wait = (until - now).max(TimeDelta::zero());
        if self.waited + wait > self.worker.max_wait {
            return false;
        }
        self.waited += wait;
        // A retryable event is found only once its last outcome is written. If that fails, this worker is
        // stopped.
        if let Some(written) = self.written.take() {
            written.await.ok();
        }
        let (clock, stop) = (self.worker.clock.clone(), self.worker.stop.clone());
        stop.run_until_cancelled(clock.sleep(wait)).await;
        let now = self.worker.clock.now();
        self.retry_times.retain(|at| *at > now);
        self.start_over();
        true
    }

    /// Fetches from the oldest event again.
    pub(super) fn start_over(&mut self) {
        self.is_exhausted = false;
        if let Some(fetcher) = &mut self.fetcher {
            fetcher.start_over();
        }
    }
}
