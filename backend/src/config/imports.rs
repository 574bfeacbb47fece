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
    /// The maximum number of columns in a file.
    pub max_columns: usize,
    /// The maximum length of a row, in bytes.
    pub max_row_bytes: usize,
    /// The maximum length of a cell, in bytes.
    pub max_cell_bytes: usize,
    /// The maximum nesting depth of JSON in a cell.
    pub max_nesting: usize,
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
            max_columns: reader.setting(
                "IMPORT_MAX_COLUMNS",
                "1000",
                kind::number(1..=100_000),
                "Maximum number of columns in an imported file.",
            ),
            max_row_bytes: reader.setting(
                "IMPORT_MAX_ROW_BYTES",
                "8388608",
                kind::number(1024..=67_108_864),
                "Maximum length of a row of an imported file, in bytes. Some rows at a time are in memory.",
            ),
            max_cell_bytes: reader.setting(
                "IMPORT_MAX_CELL_BYTES",
                "1048576",
                kind::number(64..=67_108_864),
                "Maximum length of a cell of an imported file, in bytes. Rows with a longer one are rejected.",
            ),
            max_nesting: reader.setting(
                "IMPORT_MAX_NESTING",
                "64",
                kind::number(1..=100),
                "Maximum nesting depth of JSON in an imported file.",
            ),
        }
    }
}
