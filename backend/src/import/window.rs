//! A part of a file in memory: the record being parsed, and the bytes after it that were already read.

use std::io::Read;
use std::str;

use super::content::{BYTE_ORDER_MARK, count_lines};
use super::content_kind::LikelyEncoding;
use super::decode::Utf8Reader;
use super::file_problem::FileProblem;
use super::read_error::ReadError;

/// The window over a file.
pub struct Window<R> {
    source: Utf8Reader<R>,
    /// The number of bytes to read at a time.
    read_bytes: usize,
    /// The maximum length of a record.
    max_record_bytes: usize,
    bytes: Vec<u8>,
    /// The start of the current record.
    record_start: usize,
    /// The end of the parsed part.
    parsed: usize,
    is_at_end: bool,
    /// The line on which the current record starts, from 1.
    pub record_line: i64,
}

impl<R: Read> Window<R> {
    /// Starts at the beginning of a file. `read_bytes`, the number of bytes to read at a time, must be at least 1.
    pub fn new(source: R, read_bytes: usize, max_record_bytes: usize) -> Self {
        Self {
            source: Utf8Reader::new(source),
            read_bytes,
            max_record_bytes,
            bytes: Vec::new(),
            record_start: 0,
            parsed: 0,
            is_at_end: false,
            record_line: 1,
        }
    }

    /// Reads from the beginning until `is_enough` or the end of the file, and returns what was read.
    pub fn read_start(&mut self, is_enough: impl Fn(&[u8]) -> bool) -> Result<&[u8], ReadError> {
        while !self.is_at_end && !is_enough(&self.bytes) {
            self.read_more()?;
        }
        Ok(&self.bytes)
    }

    /// The bytes after the parsed part that were already read.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.parsed..]
    }

    /// The next byte. There must be one.
    pub fn next_byte(&self) -> u8 {
        self.bytes[self.parsed]
    }

    /// Adds this many bytes to the parsed part.
    pub fn advance(&mut self, bytes: usize) {
        self.parsed += bytes;
    }

    /// Starts a record after the parsed part.
    pub fn begin_record(&mut self) {
        self.record_start = self.parsed;
    }

    /// The length of the parsed part of the record.
    pub fn record_len(&self) -> usize {
        self.parsed - self.record_start
    }

    /// The first `length` bytes of the record, which must be text: UTF-8 without null characters.
    pub fn text(&self, length: usize) -> Result<&str, FileProblem> {
        if length > self.max_record_bytes {
            return Err(FileProblem::RowTooLong(self.record_line, self.max_record_bytes));
        }
        check_text(&self.bytes[self.record_start..self.record_start + length], self.record_line)
    }

    /// Reads more of the file if there is no byte after the parsed part. Returns whether there is one then.
    pub fn has_more(&mut self) -> Result<bool, ReadError> {
        while self.parsed == self.bytes.len() {
            if self.is_at_end {
                return Ok(false);
            }
            self.read_more()?;
        }
        Ok(true)
    }

    /// Skips byte order marks, and starts the record after them. In joined files, one stands before each part.
    pub fn skip_marks(&mut self) -> Result<(), ReadError> {
        loop {
            let rest = self.rest();
            if rest.starts_with(BYTE_ORDER_MARK) {
                self.advance(BYTE_ORDER_MARK.len());
                self.begin_record();
            } else if BYTE_ORDER_MARK.starts_with(rest) && !self.is_at_end {
                self.read_more()?;
            } else {
                return Ok(());
            }
        }
    }

    /// The file.
    pub fn source(&self) -> &R {
        self.source.source()
    }

    /// The file.
    pub fn into_source(self) -> R {
        self.source.into_source()
    }

    fn read_more(&mut self) -> Result<(), ReadError> {
        self.bytes.drain(..self.record_start);
        self.parsed -= self.record_start;
        self.record_start = 0;
        if self.bytes.len() > self.max_record_bytes {
            return Err(FileProblem::RowTooLong(self.record_line, self.max_record_bytes).into());
        }
        let mut more = self.source.by_ref().take(self.read_bytes as u64);
        self.is_at_end = more.read_to_end(&mut self.bytes)? == 0;
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
