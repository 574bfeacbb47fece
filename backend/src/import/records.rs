//! Reads the records of a CSV file one by one, each with its line number and text, in constant memory.
//!
//! `csv_core` finds the ends of cells. This module buffers a window of the file around the current record.
//! Line numbers are those of the file: blank lines and line breaks inside quotes count.

use std::io::{self, Read};
use std::str;

use csv_core::{ReadRecordResult, ReaderBuilder};

use super::content;
use super::file_problem::FileProblem;

/// The maximum size of a record.
pub const MAX_RECORD_BYTES: usize = 8 << 20;

/// The number of bytes to read at a time.
pub const READ_BYTES: usize = 64 << 10;

/// Reads the records of a CSV file.
pub struct RecordReader<R> {
    source: R,
    /// The number of bytes to read at a time.
    read_bytes: usize,
    parser: csv_core::Reader,
    /// A part of the file: the current record, and the bytes after it that were already read.
    window: Vec<u8>,
    /// The start of the current record in the window.
    record_start: usize,
    /// The end of the parsed part of the window.
    parsed: usize,
    /// The line on which the current record starts.
    line: i64,
    is_at_end: bool,
    cells: Vec<u8>,
    ends: Vec<usize>,
}

/// One record.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The line on which it starts, from 1.
    pub line: i64,
    /// The record's original text, without its line break.
    pub text: &'a str,
    cells: &'a str,
    ends: &'a [usize],
}

/// Why the next record could not be read.
#[derive(Debug)]
pub enum ReadError {
    /// The file is invalid.
    InvalidFile(FileProblem),
    /// Reading failed.
    Io(io::Error),
}

impl From<FileProblem> for ReadError {
    fn from(problem: FileProblem) -> Self {
        Self::InvalidFile(problem)
    }
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl<'a> Record<'a> {
    /// The number of cells.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cell with this index, if it exists.
    pub fn get(&self, index: usize) -> Option<&'a str> {
        let start = if index == 0 { 0 } else { *self.ends.get(index - 1)? };
        self.cells.get(start..*self.ends.get(index)?)
    }

    /// The cells, in order.
    pub fn cells(&self) -> impl Iterator<Item = &'a str> {
        let record = *self;
        (0..self.len()).filter_map(move |index| record.get(index))
    }
}

impl<R: Read> RecordReader<R> {
    /// Detects the format from the start of the file. Content other than CSV is an error. `read_bytes`, the
    /// number of bytes to read at a time, must be at least 1.
    pub fn open(source: R, read_bytes: usize) -> Result<Self, ReadError> {
        let mut records = Self {
            source,
            read_bytes,
            parser: csv_core::Reader::new(),
            window: Vec::new(),
            record_start: 0,
            parsed: 0,
            line: 1,
            is_at_end: false,
            cells: vec![0; 4 << 10],
            ends: vec![0; 32],
        };
        while !records.is_at_end && !content::is_long_enough(&records.window) {
            records.read_more()?;
        }
        let csv = content::detect(&records.window)?;
        records.parser = ReaderBuilder::new().delimiter(csv.delimiter).build();
        records.record_start = csv.text_start;
        records.parsed = csv.text_start;
        Ok(records)
    }

    /// The next record that is not blank.
    pub fn next(&mut self) -> Result<Option<Record<'_>>, ReadError> {
        while let Some(parsed) = self.parse()? {
            let record = &self.window[self.record_start..self.parsed];
            let leading_breaks = record.iter().take_while(|byte| is_line_break(**byte)).count();
            let trailing_breaks =
                record[leading_breaks..].iter().rev().take_while(|byte| is_line_break(**byte)).count();
            let line = self.line + count_line_breaks(&record[..leading_breaks]);
            let text = self.record_start + leading_breaks..self.parsed - trailing_breaks;
            self.line += count_line_breaks(record);
            self.record_start = self.parsed;
            if self.window[text.clone()].contains(&0) {
                return Err(FileProblem::NullCharacter(line).into());
            }
            if !self.cells[..parsed.bytes].trim_ascii().is_empty() {
                let not_utf8 = |_| FileProblem::NotUtf8(line);
                return Ok(Some(Record {
                    line,
                    text: str::from_utf8(&self.window[text]).map_err(not_utf8)?,
                    cells: str::from_utf8(&self.cells[..parsed.bytes]).map_err(not_utf8)?,
                    ends: &self.ends[..parsed.cells],
                }));
            }
        }
        Ok(None)
    }

    /// Parses one record into `cells` and `ends`.
    fn parse(&mut self) -> Result<Option<Parsed>, ReadError> {
        let mut parsed = Parsed { bytes: 0, cells: 0 };
        loop {
            // An empty input means the end of the file to the parser, so more must be read when the window is
            // used up.
            while self.parsed == self.window.len() && !self.is_at_end {
                self.read_more()?;
            }
            let (result, read, bytes, cells) = self.parser.read_record(
                &self.window[self.parsed..],
                &mut self.cells[parsed.bytes..],
                &mut self.ends[parsed.cells..],
            );
            self.parsed += read;
            parsed.bytes += bytes;
            parsed.cells += cells;
            match result {
                ReadRecordResult::Record => return Ok(Some(parsed)),
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::OutputFull => self.cells.resize(self.cells.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::InputEmpty if self.is_at_end => return self.check_end(),
                ReadRecordResult::InputEmpty => self.read_more()?,
            }
        }
    }

    /// Reads more of the file. At its end, appends a line break: it ends a last record without one, but not a
    /// record with an unclosed quote.
    fn read_more(&mut self) -> Result<(), ReadError> {
        self.window.drain(..self.record_start);
        self.parsed -= self.record_start;
        self.record_start = 0;
        let had = self.window.len();
        if had > MAX_RECORD_BYTES {
            return Err(FileProblem::RowTooLong(self.line, MAX_RECORD_BYTES).into());
        }
        let mut more = self.source.by_ref().take(self.read_bytes as u64);
        if more.read_to_end(&mut self.window)? == 0 {
            self.is_at_end = true;
            self.window.push(b'\n');
        }
        Ok(())
    }

    /// Checks that only blank lines remain at the end of the file.
    fn check_end(&self) -> Result<Option<Parsed>, ReadError> {
        let rest = &self.window[self.record_start..];
        let leading_breaks = rest.iter().take_while(|byte| is_line_break(**byte)).count();
        if leading_breaks == rest.len() {
            return Ok(None);
        }
        Err(FileProblem::UnclosedQuote(self.line + count_line_breaks(&rest[..leading_breaks])).into())
    }
}

/// How much of the buffers a record uses.
struct Parsed {
    bytes: usize,
    cells: usize,
}

fn is_line_break(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

fn count_line_breaks(text: &[u8]) -> i64 {
    text.iter().map(|byte| i64::from(*byte == b'\n')).sum()
}

#[cfg(test)]
mod windows;

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the line and cells of each record.
    fn read(file: &str) -> Result<Vec<(i64, Vec<String>)>, FileProblem> {
        let mut found = Vec::new();
        // Reads one byte at a time, so that every record spans several reads.
        let mut records = RecordReader::open(file.as_bytes(), 1).map_err(problem)?;
        while let Some(record) = records.next().map_err(problem)? {
            found.push((record.line, record.cells().map(str::to_owned).collect()));
        }
        Ok(found)
    }

    fn problem(error: ReadError) -> FileProblem {
        match error {
            ReadError::InvalidFile(problem) => problem,
            ReadError::Io(error) => panic!("{error}"),
        }
    }

    fn record(line: i64, cells: &[&str]) -> (i64, Vec<String>) {
        (line, cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn line_numbers_are_those_of_the_file() {
        let file = "\u{feff}a,b\r\n\r\n1,\"two\nlines\"\r\n,\r\n3,4";
        let expected = [record(1, &["a", "b"]), record(3, &["1", "two\nlines"]), record(6, &["3", "4"])];
        assert_eq!(read(file), Ok(expected.to_vec()));
    }

    #[test]
    fn semicolons_are_delimiters_too() {
        assert_eq!(read("a;b\n\"x;y\";\"say \"\"z\"\"\"\n").unwrap()[1], record(2, &["x;y", "say \"z\""]));
    }

    #[test]
    fn an_unclosed_quote_is_an_error() {
        assert_eq!(read("a,b\n1,2\n\n3,\"4\n5,6\n"), Err(FileProblem::UnclosedQuote(4)));
        assert_eq!(read("a,b\n1,\"2\"").unwrap().len(), 2);
    }

    #[test]
    fn a_record_that_is_too_long_is_an_error() {
        let endless = format!("a\n\"{}", "x".repeat(MAX_RECORD_BYTES + 2 * READ_BYTES));
        let mut records = RecordReader::open(endless.as_bytes(), READ_BYTES).unwrap();
        records.next().unwrap();
        let Err(ReadError::InvalidFile(problem)) = records.next() else {
            panic!("the record must be rejected")
        };
        assert_eq!(problem, FileProblem::RowTooLong(2, MAX_RECORD_BYTES));
    }

    #[test]
    fn text_that_is_not_utf8_is_an_error() {
        let latin1 = b"a\nma\xf1ana\n";
        let mut records = RecordReader::open(&latin1[..], READ_BYTES).unwrap();
        records.next().unwrap();
        let Err(ReadError::InvalidFile(problem)) = records.next() else {
            panic!("the record must be rejected")
        };
        assert_eq!(problem, FileProblem::NotUtf8(2));
    }
}
