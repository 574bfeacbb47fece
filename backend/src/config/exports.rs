//! Exports.

use super::kind;
use super::reader::Reader;

/// The limits of exports.
#[derive(Debug)]
pub struct Exports {
    /// How many exports one server streams at once.
    pub concurrency: usize,
}

impl Exports {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            concurrency: reader.setting(
                "EXPORT_CONCURRENCY",
                "4",
                kind::number(1..=64),
                "How many exports one server streams at once; each holds a database connection, further ones wait.",
            ),
        }
    }
}
