//! Reads the records of a CSV file one by one, each with its line number, in constant memory.
//!
//! The rules are those of RFC 4180, strictly: a quote may only open a cell, close it or be doubled in it. After
//! a wrong quote, programs disagree on where cells and rows end, so the file is rejected with the line.
//!
//! Line numbers are those of the file: blank lines and line breaks inside quotes count. A line ends with LF, CR
//! or both.

use std::io::Read;
use std::str;

use super::content::{CsvFormat, count_lines};
use super::file_problem::FileProblem;
use super::read_error::ReadError;
use super::record::Record;
use super::window::Window;

/// Reads the records of a CSV file.
pub struct RecordReader<R> {
    window: Window<R>,
    delimiter: u8,
    /// The maximum number of cells of a record.
    max_cells: usize,
    /// Whether a byte may end an unquoted cell.
    ends_cell: [bool; 256],
    /// The line of the next byte to parse.
    line: i64,
    /// Whether the last parsed byte is CR. A line break after it belongs to the same line.
    is_after_cr: bool,
    /// The cells of the current record, concatenated.
    cells: Vec<u8>,
    /// The end of each cell in `cells`.
    ends: Vec<usize>,
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

impl<R: Read> RecordReader<R> {
    /// Reads the records in a window at the start of the file.
    pub fn new(mut window: Window<R>, format: CsvFormat, max_cells: usize) -> Self {
        window.advance(format.text_start);
        window.begin_record();
        let mut ends_cell = [false; 256];
        for byte in [format.delimiter, b'\n', b'\r', b'"'] {
            ends_cell[usize::from(byte)] = true;
        }
        Self {
            window,
            delimiter: format.delimiter,
            max_cells,
            ends_cell,
            line: format.first_line,
            is_after_cr: false,
            cells: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// The file.
    pub fn source(&self) -> &R {
        self.window.source()
    }

    /// The file.
    pub fn into_source(self) -> R {
        self.window.into_source()
    }

    /// The next record that is not blank.
    pub fn next(&mut self) -> Result<Option<Record<'_>>, ReadError> {
        let text_length = loop {
            match self.parse()? {
                Some(length) if !self.cells.trim_ascii().is_empty() => break length,
                Some(_) => {}
                None => return Ok(None),
            }
        };
        self.window.text(text_length)?;
        // The cells are the text without quotes and delimiters, all of which are ASCII.
        let cells = str::from_utf8(&self.cells).unwrap_or_default();
        Ok(Some(Record::new(self.window.record_line, cells, &self.ends)))
    }

    /// Parses one record into `cells` and `ends`. Returns the length of its text.
    fn parse(&mut self) -> Result<Option<usize>, ReadError> {
        self.cells.clear();
        self.ends.clear();
        self.window.begin_record();
        if !self.window.has_more()? {
            return Ok(None);
        }
        if self.is_after_cr && self.window.next_byte() == b'\n' {
            self.window.advance(1);
            self.window.begin_record();
        }
        self.is_after_cr = false;
        self.window.record_line = self.line;
        self.window.skip_marks()?;
        let mut state = State::CellStart;
        while self.window.has_more()? {
            match state {
                State::CellStart if self.window.next_byte() == b'"' => {
                    self.window.advance(1);
                    state = State::Quoted(self.line);
                }
                State::CellStart => state = State::Unquoted,
                State::Unquoted => {
                    let rest = self.window.rest();
                    let length = rest.iter().position(|byte| self.ends_cell[usize::from(*byte)]);
                    let length = length.unwrap_or(rest.len());
                    let end = rest.get(length).copied();
                    self.cells.extend_from_slice(&rest[..length]);
                    self.window.advance(length);
                    match end {
                        None => {}
                        Some(b'"') => return Err(self.wrong_quote(FileProblem::StrayQuote(self.line))),
                        Some(byte) => match self.end_cell(byte)? {
                            Some(length) => return Ok(Some(length)),
                            None => state = State::CellStart,
                        },
                    }
                }
                State::Quoted(opened) => {
                    let rest = self.window.rest();
                    let quote = rest.iter().position(|byte| *byte == b'"');
                    let length = quote.unwrap_or(rest.len());
                    self.cells.extend_from_slice(&rest[..length]);
                    self.line += count_lines(&rest[..length], &mut self.is_after_cr);
                    self.window.advance(length);
                    if quote.is_some() {
                        self.window.advance(1);
                        self.is_after_cr = false;
                        state = State::AfterQuote(opened);
                    }
                }
                State::AfterQuote(opened) => match self.window.next_byte() {
                    b'"' => {
                        self.cells.push(b'"');
                        self.window.advance(1);
                        state = State::Quoted(opened);
                    }
                    byte if self.ends_cell[usize::from(byte)] => match self.end_cell(byte)? {
                        Some(length) => return Ok(Some(length)),
                        None => state = State::CellStart,
                    },
                    _ => return Err(self.wrong_quote(FileProblem::TextAfterQuote(self.line))),
                },
            }
        }
        match state {
            State::Quoted(opened) => Err(self.wrong_quote(FileProblem::UnclosedQuote(opened))),
            State::CellStart if self.window.record_len() == 0 => Ok(None),
            State::CellStart | State::Unquoted | State::AfterQuote(_) => {
                self.ends.push(self.cells.len());
                Ok(Some(self.window.record_len()))
            }
        }
    }

    /// The problem with a quote, unless the record is no text before it. Other programs do not see a quote then.
    fn wrong_quote(&self, problem: FileProblem) -> ReadError {
        self.window.text(self.window.record_len()).err().unwrap_or(problem).into()
    }

    /// Ends a cell at this delimiter or line break. Returns the length of the record's text if the record ends too.
    fn end_cell(&mut self, byte: u8) -> Result<Option<usize>, FileProblem> {
        self.ends.push(self.cells.len());
        let length = self.window.record_len();
        self.window.advance(1);
        if byte == self.delimiter {
            let has_room = self.ends.len() < self.max_cells;
            let problem = FileProblem::TooManyColumns(self.window.record_line, self.max_cells);
            return if has_room { Ok(None) } else { Err(problem) };
        }
        self.line += 1;
        self.is_after_cr = byte == b'\r';
        Ok(Some(length))
    }
}

#[cfg(test)]
pub mod tests;
#[cfg(test)]
mod windows;
