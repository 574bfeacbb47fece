//! Reads a file on a separate thread, a few thousand rows at a time.

use std::io::{self, Read, Seek};
use std::ops::Range;

use bytes::Bytes;
use tokio::sync::mpsc::Sender;

use super::read_error::ReadError;
use super::record::Record;
use super::row::{self, Rejection, RowRules};
use super::rows::{self, FileRow, ReadOptions, WholeFile};
use crate::models::copy_rows::CopyRows;
use crate::models::reference::ReferencedTable;
use crate::models::staged_snapshot::StagedSnapshot;

/// The number of rows at which a chunk is full.
const MAX_ROWS: usize = 4_096;
/// The number of bytes at which a chunk is full.
const MAX_BYTES: usize = 256 << 10;

/// Consecutive rows of a file.
#[derive(Debug, Default)]
pub struct Chunk {
    cells: Cells,
    /// The rows that passed all checks so far.
    pub good: Vec<GoodRow>,
    /// The rows in `good`, ready to be staged, with those that were rejected since.
    encoded: CopyRows,
    /// The rejected rows.
    pub rejected: Vec<RejectedRow>,
    /// The number of bytes of the file that were read.
    pub bytes_read: u64,
    /// Whether text cells may have a guard.
    pub has_guards: bool,
}

/// A row that passed all checks so far.
#[derive(Clone, Debug)]
pub struct GoodRow {
    pub line: i64,
    person_id: i64,
    course_id: Option<i64>,
    lesson_id: Option<i64>,
    practice_package_id: Option<i64>,
    cells: CellRange,
    encoded: Range<usize>,
}

/// A rejected row.
#[derive(Clone, Debug)]
pub struct RejectedRow {
    pub line: i64,
    pub rejection: Rejection,
    cells: CellRange,
}

/// The cells of all rows.
#[derive(Debug, Default)]
struct Cells {
    text: String,
    /// The end of each cell in its row's text.
    ends: Vec<usize>,
}

/// The cells of one row.
#[derive(Clone, Debug)]
struct CellRange {
    text: Range<usize>,
    ends: Range<usize>,
}

impl GoodRow {
    /// The id in this table that the row refers to.
    pub fn id(&self, table: ReferencedTable) -> Option<i64> {
        match table {
            ReferencedTable::User => Some(self.person_id),
            ReferencedTable::Course => self.course_id,
            ReferencedTable::Lesson => self.lesson_id,
            ReferencedTable::Package => self.practice_package_id,
        }
    }
}

impl Cells {
    fn push(&mut self, record: &Record<'_>) -> CellRange {
        let (text, ends) = (self.text.len(), self.ends.len());
        self.text.push_str(record.text());
        self.ends.extend_from_slice(record.ends());
        CellRange { text: text..self.text.len(), ends: ends..self.ends.len() }
    }

    fn get(&self, line: i64, cells: &CellRange) -> Record<'_> {
        Record::new(line, &self.text[cells.text.clone()], &self.ends[cells.ends.clone()])
    }
}

impl Chunk {
    /// The original cells of a rejected row.
    pub fn record(&self, row: &RejectedRow) -> Record<'_> {
        self.cells.get(row.line, &row.cells)
    }

    /// Rejects the good rows for which `problem` finds one.
    pub fn reject(&mut self, problem: impl Fn(&GoodRow) -> Option<Rejection>) {
        let Self { good, rejected, .. } = self;
        good.retain(|row| match problem(row) {
            Some(rejection) => {
                rejected.push(RejectedRow { line: row.line, rejection, cells: row.cells.clone() });
                false
            }
            None => true,
        });
        // In the order of the file, also within a line.
        rejected.sort_by_key(|row| row.cells.ends.start);
    }

    /// The good rows, ready to be staged.
    pub fn take_staged(&mut self) -> Bytes {
        let encoded: usize = self.good.iter().map(|row| row.encoded.len()).sum();
        if encoded == self.encoded.len() {
            std::mem::take(&mut self.encoded).into_bytes()
        } else {
            self.encoded.select(self.good.iter().map(|row| row.encoded.clone()))
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.good.is_empty() && self.rejected.is_empty()
    }

    fn is_full(&self) -> bool {
        // A blank cell has no text, but an end.
        let ends = self.cells.ends.len() * size_of::<usize>();
        let bytes = self.cells.text.len().max(self.encoded.len()).max(ends);
        self.good.len() + self.rejected.len() >= MAX_ROWS || bytes >= MAX_BYTES
    }

    fn push(&mut self, record: &Record<'_>, row: Result<StagedSnapshot<'_>, Rejection>) {
        let (line, cells) = (record.line, self.cells.push(record));
        match row {
            Ok(row) => {
                let start = self.encoded.len();
                row.encode(&mut self.encoded);
                self.good.push(GoodRow {
                    line,
                    person_id: row.person_id,
                    course_id: row.course_id,
                    lesson_id: row.lesson_id,
                    practice_package_id: row.practice_package_id,
                    cells,
                    encoded: start..self.encoded.len(),
                });
            }
            Err(rejection) => self.rejected.push(RejectedRow { line, rejection, cells }),
        }
    }
}

/// Reads the file and sends its rows, until the end of the file or until the receiver is closed.
pub fn read(
    file: impl Read + Seek,
    options: &ReadOptions,
    rules: &RowRules,
    chunks: &Sender<Chunk>,
) -> Result<WholeFile, ReadError> {
    let send = |chunk: &mut Chunk| {
        let sent = chunks.blocking_send(std::mem::take(chunk));
        sent.map_err(|_| ReadError::from(io::Error::from(io::ErrorKind::BrokenPipe)))
    };
    let mut chunk = Chunk::default();
    let whole = rows::read(file, options, |FileRow { header, record, problem, bytes_read }| {
        let row = match problem {
            Some(problem) => Err(problem),
            None => row::validate(&record, header, rules),
        };
        chunk.push(&record, row);
        chunk.bytes_read = bytes_read;
        chunk.has_guards = header.has_guards;
        if chunk.is_full() { send(&mut chunk) } else { Ok(()) }
    })?;
    if !chunk.is_empty() {
        send(&mut chunk)?;
    }
    Ok(whole)
}

#[cfg(test)]
mod tests;
