//! How far an import is, and its record in the database.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::import::ImportState;
use parking_lot::Mutex;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;
use tracing::debug;

use crate::app::App;
use crate::db::outage;
use crate::models::import::{Import, ImportProgress};

/// The part of an import's time that reading its file takes, about. The rest is recording its rows.
const READING_SHARE: f64 = 0.25;

/// How fast an import is, and how long it will still take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    pub rows_per_second: i64,
    /// `None` while it is too early to tell.
    pub seconds_left: Option<i64>,
}

/// Estimates how long an import in progress will take. `None` if it has ended.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "an estimate")]
pub fn estimate(import: &Import, now: DateTime<Utc>) -> Option<Estimate> {
    if import.state != ImportState::Running {
        return None;
    }
    let share = |done: i64, all: i64| (done as f64 / all.max(1) as f64).clamp(0.0, 1.0);
    let seconds = (now - import.started_at).as_seconds_f64().max(0.001);
    let is_recording = import.bytes_read >= import.size_bytes;
    let recorded = import.rows_inserted + import.rows_duplicate;
    let done = if is_recording {
        READING_SHARE + (1.0 - READING_SHARE) * share(recorded, import.rows_read - import.rows_rejected)
    } else {
        READING_SHARE * share(import.bytes_read, import.size_bytes)
    };
    Some(Estimate {
        rows_per_second: (import.rows_read as f64 / seconds) as i64,
        seconds_left: (done > 0.0).then(|| (seconds / done * (1.0 - done)).ceil() as i64),
    })
}

/// How often the progress is recorded.
const INTERVAL: Duration = Duration::from_secs(1);

/// The progress of one import, shared by the tasks that work on it.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<ImportProgress>>);

impl Progress {
    /// Changes the progress.
    pub fn update(&self, change: impl FnOnce(&mut ImportProgress)) {
        change(&mut self.0.lock());
    }

    /// The progress at this moment.
    pub fn now(&self) -> ImportProgress {
        *self.0.lock()
    }

    /// Records the progress of this import from time to time, until the handle is dropped.
    pub fn record(&self, app: &App, import_id: i64) -> AbortOnDropHandle<()> {
        let (progress, app) = (self.clone(), app.clone());
        AbortOnDropHandle::new(tokio::spawn(async move {
            let mut recorded = ImportProgress::default();
            loop {
                sleep(INTERVAL).await;
                let now = progress.now();
                if now == recorded {
                    continue;
                }
                let storing = async { anyhow::Ok(now.store(&mut *app.pool.get().await?, import_id).await?) };
                match storing.await {
                    Ok(()) => recorded = now,
                    Err(cause) => {
                        if let Some(cause) = outage::loggable_cause(cause) {
                            debug!(import = import_id, cause, "Failed to record the progress of an import");
                        }
                    }
                }
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use domain::import::ImportMode;

    use super::*;
    use crate::models::snapshot_table::SnapshotTable;

    #[test]
    fn the_time_left_counts_reading_and_recording() {
        let started_at = DateTime::UNIX_EPOCH;
        let import = Import {
            id: 1,
            table: SnapshotTable::Student,
            state: ImportState::Running,
            mode: ImportMode::AllOrNothing,
            dry_run: false,
            filename: String::new(),
            size_bytes: 1_000,
            bytes_read: 500,
            rows_read: 100,
            rows_inserted: 0,
            rows_duplicate: 0,
            rows_rejected: 0,
            message: None,
            imported_by: 1,
            started_at,
            finished_at: None,
        };
        let after = |import: &Import, seconds| estimate(import, started_at + TimeDelta::seconds(seconds));
        let half_read = Estimate { rows_per_second: 50, seconds_left: Some(14) };
        assert_eq!(after(&import, 2), Some(half_read));
        let recording = Import {
            bytes_read: 1_000,
            rows_read: 400,
            rows_rejected: 100,
            rows_inserted: 50,
            rows_duplicate: 50,
            ..import.clone()
        };
        assert_eq!(after(&recording, 10), Some(Estimate { rows_per_second: 40, seconds_left: Some(10) }));
        let unread = Import { bytes_read: 0, rows_read: 0, ..import.clone() };
        assert_eq!(after(&unread, 0), Some(Estimate { rows_per_second: 0, seconds_left: None }));
        assert_eq!(after(&Import { state: ImportState::Done, ..import }, 1), None);
    }
}
