//! Reads the rows of an Excel workbook (XLSX, ECMA-376): those of its first visible sheet.
//!
//! The sheet is read as a stream. The workbook's other parts are small, except for its strings, which go to a temporary
//! file if they are long. No part can use more memory than its limit, however well it is compressed.

mod number_format;
mod package;
mod serial_date;
mod sheet;
mod strings;
mod xml;

use std::io::{Read, Seek, Write};

use chrono_tz::Tz;

use super::cell_problem::CellProblem;
use super::file_problem::FileProblem;
use super::read_error::ReadError;
use super::record::Record;
use package::Package;
use sheet::SheetReader;

/// The maximum number of files in a workbook. Excel writes a few per sheet.
const MAX_FILES: usize = 10_000;

/// The start of a file's entry in the directory of a ZIP archive.
const ENTRY_SIGNATURE: &[u8] = b"PK\x01\x02";

/// The limits of a workbook.
#[derive(Clone, Copy, Debug)]
pub struct WorkbookOptions {
    /// The time zone of dates with a time, which have none in a workbook.
    pub zone: Tz,
    /// The maximum size of all parts that are read, uncompressed.
    pub max_bytes: u64,
    /// The maximum length of a row.
    pub max_row_bytes: usize,
}

/// Reads the workbook and passes each row that is not blank to `on_record`, until the end or until that fails. The
/// other arguments are the value of a cell that cannot be used, with the problem, and the share of the sheet that was
/// read, from 0 to 1.
pub fn read(
    file: impl Read + Seek,
    options: &WorkbookOptions,
    mut on_record: impl FnMut(&Record<'_>, Option<(String, CellProblem)>, f64) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut package = Package::open(file, options)?;
    let contents = package.contents()?;
    let mut sheet = SheetReader::new(package.part(&contents.sheet_path)?, &contents, options);
    while sheet.read_row()? {
        let (share, problem) = (sheet.share(), sheet.take_problem());
        on_record(&sheet.record(), problem, share)?;
    }
    sheet.finish()
}

/// Counts the files of a ZIP archive that is written to it.
#[derive(Debug, Default)]
pub struct FileCounter {
    files: usize,
    /// How many bytes of a signature the last bytes are.
    matched: usize,
}

impl FileCounter {
    /// Checks that the number of files is within the limit.
    pub const fn check(&self) -> Result<(), FileProblem> {
        if self.files > MAX_FILES { Err(FileProblem::BrokenWorkbook) } else { Ok(()) }
    }
}

impl Write for FileCounter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        for byte in bytes {
            // No byte of the signature but the first is a `P`.
            self.matched = match (*byte == ENTRY_SIGNATURE[self.matched], *byte == ENTRY_SIGNATURE[0]) {
                (true, _) => self.matched + 1,
                (false, true) => 1,
                (false, false) => 0,
            };
            if self.matched == ENTRY_SIGNATURE.len() {
                self.files += 1;
                self.matched = 0;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
