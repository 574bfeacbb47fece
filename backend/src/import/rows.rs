//! Reads the rows of a file of any accepted format.

use std::io::{self, Read, Seek};

use chrono_tz::Tz;

use super::content::{self, FileFormat};
use super::file_problem::FileProblem;
use super::hashing::{FileDigest, HashingReader};
use super::header::Header;
use super::json_rows::JsonRows;
use super::read_error::ReadError;
use super::record::Record;
use super::records::RecordReader;
use super::row::Rejection;
use super::window::Window;
use super::workbook::{self, DirectoryMeter, WorkbookOptions};
use crate::models::snapshot_table::SnapshotTable;

/// The number of bytes to read at a time.
pub const READ_BYTES: usize = 64 << 10;

/// How to read a file.
#[derive(Clone, Copy, Debug)]
pub struct ReadOptions {
    pub table: SnapshotTable,
    /// The maximum number of rows.
    pub max_rows: u64,
    /// The maximum number of columns with a name.
    pub max_columns: usize,
    /// The maximum length of a row.
    pub max_row_bytes: usize,
    /// The time zone of dates with a time in a workbook.
    pub zone: Tz,
    /// The maximum size of a workbook when it is uncompressed.
    pub max_uncompressed_bytes: u64,
    /// The size of the received file.
    pub size_bytes: u64,
    /// The number of bytes to read at a time.
    pub read_bytes: usize,
}

/// A row of a file.
#[derive(Debug)]
pub struct FileRow<'a> {
    pub header: &'a Header,
    pub record: Record<'a>,
    /// Why it is rejected, if its cells could not be read.
    pub problem: Option<Rejection>,
    /// The number of bytes of the file that were read.
    pub bytes_read: u64,
}

/// What is known after a file was read to its end.
#[derive(Debug)]
pub struct WholeFile {
    pub digest: FileDigest,
    /// The names of its columns.
    pub columns: Vec<String>,
}

/// Reads the file and passes each row to `on_row`, until the end of the file or until that fails.
///
/// It is an error if the number of bytes read differs from the size of the received file.
pub fn read(
    mut file: impl Read + Seek,
    options: &ReadOptions,
    mut on_row: impl FnMut(FileRow<'_>) -> Result<(), ReadError>,
) -> Result<WholeFile, ReadError> {
    let mut rows = 0;
    let on_row = |row: FileRow<'_>| {
        rows += 1;
        if rows > options.max_rows {
            Err(FileProblem::TooManyRows(options.max_rows).into())
        } else {
            on_row(row)
        }
    };
    file.rewind()?;
    let mut window = Window::new(HashingReader::new(file), options.read_bytes, options.max_row_bytes);
    let whole = match content::detect(window.read_start(content::is_long_enough)?)? {
        FileFormat::Csv(format) => {
            read_csv(RecordReader::new(window, format, options.max_columns), options, on_row)
        }
        FileFormat::Json(layout) => read_json(JsonRows::new(window, layout, options.table), options, on_row),
        FileFormat::Zip => read_workbook(window.into_source(), options, on_row),
    }?;
    let (read, size) = (whole.digest.bytes_read, options.size_bytes);
    if read != size {
        let message = format!("read {read} bytes of a file of {size} bytes");
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message).into());
    }
    Ok(whole)
}

fn read_csv(
    mut records: RecordReader<HashingReader<impl Read>>,
    options: &ReadOptions,
    mut on_row: impl FnMut(FileRow<'_>) -> Result<(), ReadError>,
) -> Result<WholeFile, ReadError> {
    let header = match records.next()? {
        Some(record) => Header::read(&record, options.table, options.max_columns)?,
        None => return Err(FileProblem::Empty.into()),
    };
    loop {
        let bytes_read = records.source().bytes_read();
        let Some(record) = records.next()? else { break };
        on_row(FileRow { header: &header, record, problem: None, bytes_read })?;
    }
    Ok(WholeFile { digest: records.into_source().finish(), columns: header.names().to_vec() })
}

fn read_json(
    mut rows: JsonRows<HashingReader<impl Read>>,
    options: &ReadOptions,
    mut on_row: impl FnMut(FileRow<'_>) -> Result<(), ReadError>,
) -> Result<WholeFile, ReadError> {
    let header = Header::of_objects(options.table);
    loop {
        let bytes_read = rows.source().bytes_read();
        let Some((record, problem)) = rows.next()? else { break };
        on_row(FileRow { header: &header, record, problem, bytes_read })?;
    }
    Ok(WholeFile { digest: rows.into_source().finish(), columns: header.names().to_vec() })
}

fn read_workbook(
    file: HashingReader<impl Read + Seek>,
    options: &ReadOptions,
    mut on_row: impl FnMut(FileRow<'_>) -> Result<(), ReadError>,
) -> Result<WholeFile, ReadError> {
    let mut directory = DirectoryMeter::default();
    let (digest, file) = file.rewind(&mut directory)?;
    directory.check()?;
    let workbook = WorkbookOptions {
        zone: options.zone,
        max_bytes: options.max_uncompressed_bytes,
        max_row_bytes: options.max_row_bytes,
    };
    let mut header = None;
    workbook::read(file, &workbook, |record, problem, share| {
        let Some(header) = &header else {
            header = Some(Header::read(record, options.table, options.max_columns)?);
            return Ok(());
        };
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an estimate"
        )]
        let bytes_read = (options.size_bytes as f64 * share) as u64;
        let problem = problem.map(|(value, problem)| Rejection { column: None, value, problem });
        on_row(FileRow { header, record: *record, problem, bytes_read })
    })?;
    let header = header.ok_or(FileProblem::Empty)?;
    Ok(WholeFile { digest, columns: header.names().to_vec() })
}

#[cfg(test)]
mod dialects;
#[cfg(test)]
pub mod tests {
    use std::io::Cursor;

    use chrono_tz::Tz;
    use proptest::prelude::*;

    use super::super::cell_problem::CellProblem;
    use super::super::row::{self, RowRules};
    use super::*;
    use crate::json_scan::MAX_NESTING;
    use crate::models::staged_snapshot::StagedSnapshot;

    /// Accepts everything.
    pub const OPTIONS: ReadOptions = ReadOptions {
        table: SnapshotTable::Student,
        max_rows: u64::MAX,
        max_columns: 1_000,
        max_row_bytes: 8 << 20,
        zone: Tz::UTC,
        max_uncompressed_bytes: 2 << 30,
        size_bytes: 0,
        read_bytes: READ_BYTES,
    };
    /// Accepts everything.
    pub const RULES: RowRules = RowRules { zone: Tz::UTC, max_cell_bytes: 1 << 20, max_nesting: MAX_NESTING };

    /// A row, or the line and reason of a rejected one.
    pub type Validated = Result<StagedSnapshot<'static>, (i64, Rejection)>;

    /// Reads and validates the rows of a file, some bytes at a time.
    pub fn read_file(file: &[u8], read_bytes: usize, zone: Tz) -> Result<Vec<Validated>, FileProblem> {
        let options = ReadOptions { size_bytes: file.len() as u64, read_bytes, zone, ..OPTIONS };
        let rules = RowRules { zone, ..RULES };
        let mut rows = Vec::new();
        let whole = read(Cursor::new(file), &options, |FileRow { header, record, problem, .. }| {
            let row = match problem {
                Some(problem) => Err(problem),
                None => row::validate(&record, header, &rules),
            };
            rows.push(row.map(owned).map_err(|rejection| (record.line, rejection)));
            Ok(())
        });
        match whole {
            Ok(_) => Ok(rows),
            Err(ReadError::InvalidFile(problem)) => Err(problem),
            Err(ReadError::Io(error)) => panic!("{error}"),
        }
    }

    /// Numbers of bytes to read at a time.
    pub fn read_sizes() -> impl Strategy<Value = usize> {
        prop_oneof![1..40_usize, Just(READ_BYTES)]
    }

    /// The rows of a valid file.
    pub fn read_rows(file: &[u8], zone: Tz) -> Vec<Validated> {
        read_file(file, READ_BYTES, zone).unwrap()
    }

    /// The rows of a file, and the lines and problems of the rejected ones.
    pub fn split(rows: Vec<Validated>) -> (Vec<StagedSnapshot<'static>>, Vec<(i64, CellProblem)>) {
        let (mut good, mut rejected) = (Vec::new(), Vec::new());
        for row in rows {
            match row {
                Ok(row) => good.push(row),
                Err((line, rejection)) => rejected.push((line, rejection.problem)),
            }
        }
        (good, rejected)
    }

    fn owned(row: StagedSnapshot<'_>) -> StagedSnapshot<'static> {
        StagedSnapshot {
            category: row.category.into_owned().into(),
            scope: row.scope.map(|scope| scope.into_owned().into()),
            payload: row.payload.map(|payload| payload.into_owned().into()),
            ..row
        }
    }
}
