//! The limits of exports.

use std::path::PathBuf;
use std::time::Duration;

use super::kind::{self, Kind};
use super::reader::Reader;

/// The limits of exports.
#[derive(Debug)]
pub struct Exports {
    /// How many exports per server read from the database at the same time.
    pub concurrency: usize,
    /// Maximum disk space of one export, in bytes.
    pub spool_max_bytes: u64,
    /// Maximum disk space of all exports of one process, in bytes.
    pub spool_total_bytes: u64,
    /// The directory of their temporary files.
    pub spool_directory: Option<PathBuf>,
    /// How long a reader may read nothing.
    pub reader_timeout: Duration,
}

impl Exports {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            concurrency: reader.setting(
                "EXPORT_CONCURRENCY",
                "4",
                kind::number(1..=64),
                "How many exports per server read from the database at the same time. Each uses one or two connections; further exports wait.",
            ),
            spool_max_bytes: reader.setting(
                "EXPORT_SPOOL_MAX_BYTES",
                "2147483648",
                kind::number(0..=1_099_511_627_776),
                "Maximum disk space of one export, in bytes, for a reader that is slower than the database. Beyond it the query waits for the reader.",
            ),
            spool_total_bytes: reader.setting(
                "EXPORT_SPOOL_TOTAL_BYTES",
                "8589934592",
                kind::number(0..=1_099_511_627_776),
                "Maximum disk space of all exports of one server, in bytes.",
            ),
            spool_directory: reader.optional(
                "EXPORT_SPOOL_DIR",
                Kind::new("the path of an existing directory", |text| {
                    Some(PathBuf::from(text)).filter(|path| path.is_dir())
                }),
                "The directory for the unnamed temporary files of exports. It should be on a disk, not in memory. If unset, /var/tmp is used.",
            ),
            reader_timeout: reader.setting(
                "EXPORT_READER_TIMEOUT_SECONDS",
                "60",
                kind::seconds(5..=86_400),
                "A reader that reads nothing for this many seconds, or less than 16 KiB per second on average, is disconnected.",
            ),
        }
    }
}
