//! The directory where exports are spooled, and the limits on the disk space they use.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::quota::Quota;
use crate::config::exports::Exports;

/// The maximum size of a temporary file, in bytes: space is freed in steps of this size as the reader reads.
const MAX_SEGMENT_BYTES: u64 = 64 << 20;

/// The disk space that the exports of a process share.
#[derive(Debug)]
pub struct SpoolDisk {
    directory: PathBuf,
    /// The maximum number of bytes for one export.
    max_per_export: u64,
    total: Arc<Quota>,
}

impl SpoolDisk {
    /// Applies the settings. The default directory is `/var/tmp` if it exists, since `/tmp` may be in memory,
    /// and otherwise the system's directory for temporary files.
    pub fn new(settings: &Exports) -> Self {
        let directory = settings.spool_directory.clone().unwrap_or_else(|| {
            let usual = PathBuf::from("/var/tmp");
            if usual.is_dir() { usual } else { std::env::temp_dir() }
        });
        let total = Arc::new(Quota::new(settings.spool_total_bytes));
        Self { directory, max_per_export: settings.spool_max_bytes, total }
    }

    /// Where temporary files are created.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The number of bytes that all exports use.
    pub fn used(&self) -> u64 {
        self.total.used()
    }

    /// The limits for one more export: its own and the shared one.
    pub(super) fn quotas(&self) -> [Arc<Quota>; 2] {
        [Arc::new(Quota::new(self.max_per_export)), Arc::clone(&self.total)]
    }

    /// The size in bytes at which a temporary file is full: an eighth of an export's limit, since space is
    /// freed one file at a time.
    pub(super) fn segment_bytes(&self) -> u64 {
        (self.max_per_export / 8).min(MAX_SEGMENT_BYTES)
    }
}
