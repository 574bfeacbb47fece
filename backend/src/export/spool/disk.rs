//! Where exports are spooled, and how much disk they may use.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::quota::Quota;
use crate::config::exports::Exports;

/// The largest temporary file, in bytes: what the reader has taken is given back in steps of this size.
const MAX_SEGMENT_BYTES: u64 = 64 << 20;

/// The disk space of all exports of a process.
#[derive(Debug)]
pub struct SpoolDisk {
    directory: PathBuf,
    /// The most that one export may use, in bytes.
    max_per_export: u64,
    total: Arc<Quota>,
}

impl SpoolDisk {
    /// The space that the settings grant. A directory that is not set is `/var/tmp`, which is on a disk where `/tmp` may
    /// be in memory, else the system's directory for temporary files.
    pub fn new(settings: &Exports) -> Self {
        let directory = settings.spool_directory.clone().unwrap_or_else(|| {
            let usual = PathBuf::from("/var/tmp");
            if usual.is_dir() { usual } else { std::env::temp_dir() }
        });
        let total = Arc::new(Quota::new(settings.spool_total_bytes));
        Self { directory, max_per_export: settings.spool_max_bytes, total }
    }

    /// Where temporary files are made.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Bytes that all exports use.
    pub fn used(&self) -> u64 {
        self.total.used()
    }

    /// The limits of one more export.
    pub(super) fn quotas(&self) -> [Arc<Quota>; 2] {
        [Arc::new(Quota::new(self.max_per_export)), Arc::clone(&self.total)]
    }

    /// The size at which a temporary file is full: an eighth of what an export may use, since space is given back a whole
    /// file at a time.
    pub(super) fn segment_bytes(&self) -> u64 {
        (self.max_per_export / 8).min(MAX_SEGMENT_BYTES)
    }
}
