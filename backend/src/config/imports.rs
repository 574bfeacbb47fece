//! The limits of imports.

use super::kind;
use super::reader::Reader;

/// The limits of imports.
#[derive(Debug)]
pub struct Imports {
    /// The maximum size of a file.
    pub max_bytes: u64,
    /// The maximum number of rows in a file.
    pub max_rows: u64,
}

impl Imports {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            max_bytes: reader.setting(
                "IMPORT_MAX_BYTES",
                "2147483648",
                kind::number(1024..=1_099_511_627_776),
                "Maximum size of an imported file, in bytes.",
            ),
            max_rows: reader.setting(
                "IMPORT_MAX_ROWS",
                "10000000",
                kind::number(1..=1_000_000_000),
                "Maximum number of rows in an imported file.",
            ),
        }
    }
}
