//! Exports.

use std::path::PathBuf;
use std::time::Duration;

use super::kind::{self, Kind};
use super::reader::Reader;

/// The limits of exports.
#[derive(Debug)]
pub struct Exports {
    /// How many exports one server reads from the database at once.
    pub concurrency: usize,
    /// The most that one export keeps on disk for its reader, in bytes.
    pub spool_max_bytes: u64,
    /// The most that all exports of one process keep on disk, in bytes.
    pub spool_total_bytes: u64,
    /// Where they keep it.
    pub spool_directory: Option<PathBuf>,
    /// How long a reader may take nothing.
    pub reader_timeout: Duration,
}

impl Exports {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            concurrency: reader.setting(
                "EXPORT_CONCURRENCY",
                "4",
                kind::number(1..=64),
                "How many exports one server reads from the database at once; each holds a connection or two meanwhile, further ones wait.",
            ),
            spool_max_bytes: reader.setting(
                "EXPORT_SPOOL_MAX_BYTES",
                "2147483648",
                kind::number(0..=1_099_511_627_776),
                "The most that one export keeps on disk for a reader who is slower than the database, in bytes; past it the query waits for the reader.",
            ),
            spool_total_bytes: reader.setting(
                "EXPORT_SPOOL_TOTAL_BYTES",
                "8589934592",
                kind::number(0..=1_099_511_627_776),
                "The most that all exports of one server together keep on disk, in bytes.",
            ),
            spool_directory: reader.optional(
                "EXPORT_SPOOL_DIR",
                Kind::new("the path of a directory that exists", |text| {
                    Some(PathBuf::from(text)).filter(|path| path.is_dir())
                }),
                "Where exports keep it, in temporary files without a name; it should be on a disk, not in memory. Unset, it is /var/tmp.",
            ),
            reader_timeout: reader.setting(
                "EXPORT_READER_TIMEOUT_SECONDS",
                "60",
                kind::seconds(5..=86_400),
                "A reader who takes nothing for this many seconds, or on average less than 16 KiB a second, is cut off.",
            ),
        }
    }
}
