//! Reads a file on a separate thread, a few thousand rows at a time.

use std::io::{self, Read};
use std::ops::Range;

use chrono_tz::Tz;
use tokio::sync::mpsc::Sender;

use super::file_problem::FileProblem;
use super::hashing::{FileDigest, HashingReader};
use super::header::Header;
use super::records::{ReadError, RecordReader};
use super::row::{self, Rejection};
use crate::models::snapshot_table::SnapshotTable;
use crate::models::staged_snapshot::StagedSnapshot;

/// The number of rows at which a chunk is full.
const MAX_ROWS: usize = 4096;
/// The number of bytes at which a chunk is full.
const MAX_BYTES: usize = 1 << 20;

/// Consecutive rows of a file.
#[derive(Debug, Default)]
pub struct Chunk {
    /// The original text of the records, concatenated.
    text: String,
    /// The rows that passed all checks so far.
    pub good: Vec<(StagedSnapshot, TextRange)>,
    /// The rejected rows, with their line numbers.
    pub rejected: Vec<(i64, Rejection, TextRange)>,
}

/// The range of a record in the text of its chunk.
#[derive(Clone, Debug)]
pub struct TextRange(Range<usize>);

impl Chunk {
    /// The original text of a record.
    pub fn text(&self, text: &TextRange) -> &str {
        &self.text[text.0.clone()]
    }

    /// The number of rows, including rejected ones.
    pub fn len(&self) -> usize {
        self.good.len() + self.rejected.len()
    }

    fn is_full(&self) -> bool {
        self.len() >= MAX_ROWS || self.text.len() >= MAX_BYTES
    }
}

/// How to read a file.
#[derive(Clone, Copy, Debug)]
pub struct ReadOptions {
    pub table: SnapshotTable,
    /// The time zone of dates.
    pub zone: Tz,
    pub max_rows: u64,
    /// The size of the received file.
    pub size_bytes: u64,
    /// The number of bytes to read at a time.
    pub read_bytes: usize,
}

/// Reads the file and sends its rows, until the end of the file or until the receiver is closed.
///
/// It is an error if the number of bytes read differs from the size of the received file.
pub fn read(
    mut file: HashingReader<impl Read>,
    options: ReadOptions,
    chunks: &Sender<Chunk>,
) -> Result<FileDigest, ReadError> {
    let mut records = RecordReader::open(&mut file, options.read_bytes)?;
    let header = match records.next()? {
        Some(record) => Header::read(&record, options.table)?,
        None => return Err(FileProblem::Empty.into()),
    };
    let mut rows = 0;
    let mut chunk = Chunk::default();
    while let Some(record) = records.next()? {
        rows += 1;
        if rows > options.max_rows {
            return Err(FileProblem::TooManyRows(options.max_rows).into());
        }
        let text = TextRange(chunk.text.len()..chunk.text.len() + record.text.len());
        chunk.text.push_str(record.text);
        match row::validate(&record, &header, options.zone) {
            Ok(row) => chunk.good.push((row, text)),
            Err(rejection) => chunk.rejected.push((record.line, rejection, text)),
        }
        if chunk.is_full() && chunks.blocking_send(std::mem::take(&mut chunk)).is_err() {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
        }
    }
    if chunk.len() > 0 && chunks.blocking_send(chunk).is_err() {
        return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
    }
    let digest = file.finish();
    if digest.bytes_read != options.size_bytes {
        let (read, size) = (digest.bytes_read, options.size_bytes);
        let message = format!("read {read} bytes of a file of {size} bytes");
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message).into());
    }
    Ok(digest)
}

#[cfg(test)]
mod dialects;
#[cfg(test)]
mod tests;
