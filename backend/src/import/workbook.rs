//! Reads the rows of an Excel workbook (XLSX, ECMA-376): those of its first visible sheet, and of all sheets that the rows
//! of one of our exports are on.
//!
//! A sheet is read as a stream. The workbook's other parts are small, except for its strings, which go to a temporary
//! file if they are long. No part can use more memory than its limit, however well it is compressed.

mod number_format;
mod package;
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

/// The maximum size of the directory of a ZIP archive, which is in memory.
const MAX_DIRECTORY_BYTES: usize = 4 << 20;

/// The start of a file's entry in the directory of a ZIP archive (APPNOTE.TXT §4.3.12).
const ENTRY_SIGNATURE: &[u8] = b"PK\x01\x02";

/// The length of an entry without the name, the extra field and the comment of the file.
const ENTRY_BYTES: usize = 46;

/// Where an entry states the lengths of these three.
const ENTRY_LENGTHS: [usize; 3] = [28, 30, 32];

/// The limits of a workbook.
#[derive(Clone, Copy, Debug)]
pub struct WorkbookOptions {
    /// The time zone of dates with a time, which have none in a workbook.
    pub zone: Tz,
    /// The maximum size of all parts that are read, uncompressed, with the strings that rows repeat.
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
    let mut header: Option<Vec<String>> = None;
    for (index, path) in contents.sheet_paths.iter().enumerate() {
        let mut sheet = SheetReader::new(package.part(path)?, &contents, options, index);
        let mut is_first = true;
        while sheet.read_row()? {
            let (share, problem) = (sheet.share(), sheet.take_problem());
            let record = sheet.record();
            if std::mem::take(&mut is_first) {
                let names = record.cells().map(str::to_owned);
                match &header {
                    None => header = Some(names.collect()),
                    Some(header) if names.eq(header.iter().cloned()) => continue,
                    Some(_) => return Err(FileProblem::OtherHeader(index + 1).into()),
                }
            }
            on_record(&record, problem, share)?;
        }
        sheet.finish()?;
    }
    Ok(())
}

/// Finds the directory of a ZIP archive that is written to it, and measures it.
#[derive(Debug, Default)]
pub struct DirectoryMeter {
    files: usize,
    /// The size of the directory.
    bytes: usize,
    /// The last bytes of what was written, in which an entry may begin.
    tail: Vec<u8>,
}

impl DirectoryMeter {
    /// Checks that the directory is within the limits.
    pub const fn check(&self) -> Result<(), FileProblem> {
        if self.files > MAX_FILES || self.bytes > MAX_DIRECTORY_BYTES {
            Err(FileProblem::BrokenWorkbook)
        } else {
            Ok(())
        }
    }
}

impl Write for DirectoryMeter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.tail.extend_from_slice(bytes);
        for entry in self.tail.windows(ENTRY_BYTES).filter(|entry| entry.starts_with(ENTRY_SIGNATURE)) {
            let length = |at: usize| usize::from(u16::from_le_bytes([entry[at], entry[at + 1]]));
            self.files += 1;
            self.bytes += ENTRY_BYTES + ENTRY_LENGTHS.into_iter().map(length).sum::<usize>();
        }
        let begun = self.tail.len().saturating_sub(ENTRY_BYTES - 1);
        self.tail.drain(..begun);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
