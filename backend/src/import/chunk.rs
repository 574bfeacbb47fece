//! Reading a file on a thread of its own, some thousand rows at a time.

use std::io::{self, Read};
use std::ops::Range;

use chrono_tz::Tz;
use tokio::sync::mpsc::Sender;

use super::file_problem::FileProblem;
use super::hashing::{Hashing, WholeFile};
use super::header::Header;
use super::records::{Broken, Records};
use super::row::{self, Refusal};
use crate::models::snapshot_table::SnapshotTable;
use crate::models::staged_snapshot::StagedSnapshot;

/// A chunk is full when it has so many rows…
const ROWS: usize = 4096;
/// …or so many bytes.
const BYTES: usize = 1 << 20;

/// Some rows of a file, in its order.
#[derive(Debug, Default)]
pub struct Chunk {
    /// The records as they stand in the file, one behind the other.
    text: String,
    /// The rows that are good so far.
    pub good: Vec<(StagedSnapshot, Text)>,
    /// The rows that are refused.
    pub refused: Vec<(i64, Refusal, Text)>,
}

/// A record's place in the text of its chunk.
#[derive(Clone, Debug)]
pub struct Text(Range<usize>);

impl Chunk {
    /// A record as it stands in the file.
    pub fn text(&self, text: &Text) -> &str {
        &self.text[text.0.clone()]
    }

    /// The number of rows, good or not.
    pub fn len(&self) -> usize {
        self.good.len() + self.refused.len()
    }

    fn is_full(&self) -> bool {
        self.len() >= ROWS || self.text.len() >= BYTES
    }
}

/// What a file is read for.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Where its rows are to go.
    pub table: SnapshotTable,
    /// Whose days are meant by dates.
    pub zone: Tz,
    /// The most rows that are taken.
    pub max_rows: u64,
    /// The size of the file as it was received, in bytes.
    pub size_bytes: u64,
    /// So much is read at once, in bytes.
    pub read_bytes: usize,
}

/// Reads the file and sends its rows, until its end or until nobody wants more.
///
/// A file of which not all that was received could be read is an error.
pub fn read(
    mut file: Hashing<impl Read>,
    reading: Reading,
    chunks: &Sender<Chunk>,
) -> Result<WholeFile, Broken> {
    let mut records = Records::open(&mut file, reading.read_bytes)?;
    let header = match records.next()? {
        Some(record) => Header::read(&record, reading.table)?,
        None => return Err(FileProblem::Empty.into()),
    };
    let mut rows = 0;
    let mut chunk = Chunk::default();
    while let Some(record) = records.next()? {
        rows += 1;
        if rows > reading.max_rows {
            return Err(FileProblem::TooManyRows(reading.max_rows).into());
        }
        let text = Text(chunk.text.len()..chunk.text.len() + record.text.len());
        chunk.text.push_str(record.text);
        match row::check(&record, &header, reading.zone) {
            Ok(row) => chunk.good.push((row, text)),
            Err(refusal) => chunk.refused.push((record.line, refusal, text)),
        }
        if chunk.is_full() && chunks.blocking_send(std::mem::take(&mut chunk)).is_err() {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
        }
    }
    if chunk.len() > 0 && chunks.blocking_send(chunk).is_err() {
        return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
    }
    let whole = file.finish();
    if whole.bytes_read != reading.size_bytes {
        let (read, size) = (whole.bytes_read, reading.size_bytes);
        let why = format!("{read} bytes of a file of {size} bytes could be read");
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why).into());
    }
    Ok(whole)
}

#[cfg(test)]
mod tests;
