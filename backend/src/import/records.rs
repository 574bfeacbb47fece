//! Reads the records of a CSV file one by one, each with its line number and text, in constant memory.
//!
//! The rules are those of RFC 4180, strictly: a quote may only open a cell, close it or be doubled in it. After
//! a wrong quote, programs disagree on where cells and rows end, so the file is rejected with the line.
//!
//! Line numbers are those of the file: blank lines and line breaks inside quotes count. A line ends with LF, CR
//! or both.

use std::io::{self, Read};
use std::str;

use super::content::{self, BYTE_ORDER_MARK, count_lines};
use super::decode::Utf8Reader;
use super::file_problem::{FileProblem, LikelyEncoding};

/// The maximum size of a record.
pub const MAX_RECORD_BYTES: usize = 8 << 20;

/// The number of bytes to read at a time.
pub const READ_BYTES: usize = 64 << 10;

/// Reads the records of a CSV file.
pub struct RecordReader<R> {
    source: Utf8Reader<R>,
    /// The number of bytes to read at a time.
    read_bytes: usize,
    delimiter: u8,
    /// Whether a byte may end an unquoted cell.
    ends_cell: [bool; 256],
    /// A part of the file: the current record, and the bytes after it that were already read.
    window: Vec<u8>,
    /// The start of the current record in the window.
    record_start: usize,
    /// The end of the parsed part of the window.
    parsed: usize,
    /// The line on which the current record starts.
    record_line: i64,
    /// The line of the next byte to parse.
    line: i64,
    /// Whether the last parsed byte is CR. A line break after it belongs to the same line.
    is_after_cr: bool,
    is_at_end: bool,
    /// The cells of the current record, concatenated.
    cells: Vec<u8>,
    /// The end of each cell in `cells`.
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

/// Where in a record the next byte is.
#[derive(Clone, Copy, Debug)]
enum State {
    CellStart,
    Unquoted,
    /// In quotes that were opened on this line.
    Quoted(i64),
    /// After a quote in a quoted cell. It closes the cell unless it is doubled.
    AfterQuote(i64),
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
            source: Utf8Reader::new(source),
            read_bytes,
            delimiter: b',',
            ends_cell: [false; 256],
            window: Vec::new(),
            record_start: 0,
            parsed: 0,
            record_line: 1,
            line: 1,
            is_after_cr: false,
            is_at_end: false,
            cells: Vec::new(),
            ends: Vec::new(),
        };
        while !records.is_at_end && !content::is_long_enough(&records.window) {
            records.read_more()?;
        }
        let csv = content::detect(&records.window)?;
        records.delimiter = csv.delimiter;
        for byte in [csv.delimiter, b'\n', b'\r', b'"'] {
            records.ends_cell[usize::from(byte)] = true;
        }
        records.parsed = csv.text_start;
        records.line = csv.first_line;
        Ok(records)
    }

    /// The next record that is not blank.
    pub fn next(&mut self) -> Result<Option<Record<'_>>, ReadError> {
        let text_end = loop {
            match self.parse()? {
                Some(text_end) if !self.cells.trim_ascii().is_empty() => break text_end,
                Some(_) => {}
                None => return Ok(None),
            }
        };
        let line = self.record_line;
        let text = check_text(&self.window[self.record_start..text_end], line)?;
        // The cells are the text without quotes and delimiters, all of which are ASCII.
        let cells = str::from_utf8(&self.cells).unwrap_or_default();
        Ok(Some(Record { line, text, cells, ends: &self.ends }))
    }

    /// Parses one record into `cells` and `ends`. Returns the end of its text in the window.
    fn parse(&mut self) -> Result<Option<usize>, ReadError> {
        self.cells.clear();
        self.ends.clear();
        self.record_start = self.parsed;
        if !self.has_more()? {
            return Ok(None);
        }
        if self.is_after_cr && self.window[self.parsed] == b'\n' {
            self.parsed += 1;
            self.record_start = self.parsed;
        }
        self.is_after_cr = false;
        self.record_line = self.line;
        self.skip_marks()?;
        let mut state = State::CellStart;
        while self.has_more()? {
            match state {
                State::CellStart if self.window[self.parsed] == b'"' => {
                    self.parsed += 1;
                    state = State::Quoted(self.line);
                }
                State::CellStart => state = State::Unquoted,
                State::Unquoted => {
                    let rest = &self.window[self.parsed..];
                    let length = rest.iter().position(|byte| self.ends_cell[usize::from(*byte)]);
                    let length = length.unwrap_or(rest.len());
                    self.cells.extend_from_slice(&rest[..length]);
                    self.parsed += length;
                    match self.window.get(self.parsed) {
                        None => {}
                        Some(b'"') => return Err(self.wrong_quote(FileProblem::StrayQuote(self.line))),
                        Some(_) => match self.end_cell() {
                            Some(text_end) => return Ok(Some(text_end)),
                            None => state = State::CellStart,
                        },
                    }
                }
                State::Quoted(opened) => {
                    let rest = &self.window[self.parsed..];
                    let quote = rest.iter().position(|byte| *byte == b'"');
                    let length = quote.unwrap_or(rest.len());
                    self.cells.extend_from_slice(&rest[..length]);
                    self.line += count_lines(&rest[..length], &mut self.is_after_cr);
                    self.parsed += length;
                    if quote.is_some() {
                        self.parsed += 1;
                        self.is_after_cr = false;
                        state = State::AfterQuote(opened);
                    }
                }
                State::AfterQuote(opened) => match self.window[self.parsed] {
                    b'"' => {
                        self.cells.push(b'"');
                        self.parsed += 1;
                        state = State::Quoted(opened);
                    }
                    byte if self.ends_cell[usize::from(byte)] => match self.end_cell() {
                        Some(text_end) => return Ok(Some(text_end)),
                        None => state = State::CellStart,
                    },
                    _ => return Err(self.wrong_quote(FileProblem::TextAfterQuote(self.line))),
                },
            }
        }
        match state {
            State::Quoted(opened) => Err(self.wrong_quote(FileProblem::UnclosedQuote(opened))),
            State::CellStart if self.parsed == self.record_start => Ok(None),
            State::CellStart | State::Unquoted | State::AfterQuote(_) => {
                self.ends.push(self.cells.len());
                Ok(Some(self.parsed))
            }
        }
    }

    /// The problem with a quote, unless the record is no text before it. Other programs do not see a quote then.
    fn wrong_quote(&self, problem: FileProblem) -> ReadError {
        let before = &self.window[self.record_start..self.parsed];
        check_text(before, self.record_line).err().unwrap_or(problem).into()
    }

    /// Skips byte order marks. In joined files, one stands before each part.
    fn skip_marks(&mut self) -> Result<(), ReadError> {
        loop {
            let rest = &self.window[self.parsed..];
            if rest.starts_with(BYTE_ORDER_MARK) {
                self.parsed += BYTE_ORDER_MARK.len();
                self.record_start = self.parsed;
            } else if BYTE_ORDER_MARK.starts_with(rest) && !self.is_at_end {
                self.read_more()?;
            } else {
                return Ok(());
            }
        }
    }

    /// Ends a cell at a delimiter or line break. Returns the end of the record's text if the record ends too.
    fn end_cell(&mut self) -> Option<usize> {
        self.ends.push(self.cells.len());
        let text_end = self.parsed;
        let byte = self.window[self.parsed];
        self.parsed += 1;
        if byte == self.delimiter {
            return None;
        }
        self.line += 1;
        self.is_after_cr = byte == b'\r';
        Some(text_end)
    }

    /// Reads more of the file if all of the window is parsed. Returns whether there is a byte to parse.
    fn has_more(&mut self) -> Result<bool, ReadError> {
        while self.parsed == self.window.len() {
            if self.is_at_end {
                return Ok(false);
            }
            self.read_more()?;
        }
        Ok(true)
    }

    fn read_more(&mut self) -> Result<(), ReadError> {
        self.window.drain(..self.record_start);
        self.parsed -= self.record_start;
        self.record_start = 0;
        if self.window.len() > MAX_RECORD_BYTES {
            return Err(FileProblem::RowTooLong(self.record_line, MAX_RECORD_BYTES).into());
        }
        let mut more = self.source.by_ref().take(self.read_bytes as u64);
        self.is_at_end = more.read_to_end(&mut self.window)? == 0;
        Ok(())
    }
}

/// Checks that a record that starts on this line is text: UTF-8 without null characters.
fn check_text(bytes: &[u8], line: i64) -> Result<&str, FileProblem> {
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        return Err(FileProblem::NullCharacter(line + count_lines(&bytes[..at], &mut false)));
    }
    str::from_utf8(bytes).map_err(|error| {
        let (valid, rest) = bytes.split_at(error.valid_up_to());
        FileProblem::NotUtf8(line + count_lines(valid, &mut false), LikelyEncoding::of(rest))
    })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod windows;
