//! Reads a JSON array of objects, or NDJSON, one object at a time and in constant memory.
//!
//! An element that is not valid makes the end of the elements of an array uncertain, so the file is rejected with the
//! line. In NDJSON (<https://github.com/ndjson/ndjson-spec>) the line break ends each object, so only the row is.

use std::io::Read;

use super::cell_problem::CellProblem;
use super::content::{JsonLayout, count_lines};
use super::file_problem::FileProblem;
use super::json_object::{ObjectProblem, ObjectReader};
use super::read_error::ReadError;
use super::record::Record;
use super::row::Rejection;
use super::window::Window;
use crate::models::snapshot_table::SnapshotTable;

/// Reads the objects of a JSON file as rows.
pub struct JsonRows<R> {
    window: Window<R>,
    layout: JsonLayout,
    /// Whether the brackets of the array were read.
    array: ArrayPosition,
    /// The line of the next byte to parse.
    line: i64,
    /// Whether the last parsed byte is CR. A line break after it belongs to the same line.
    is_after_cr: bool,
    objects: ObjectReader,
}

/// What comes next in an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ArrayPosition {
    /// The opening bracket.
    Start,
    /// The first element, or the end.
    FirstElement,
    /// A comma, or the end.
    AfterElement,
    /// Nothing.
    End,
}

/// A row of a JSON file: its cells in the order of the columns, and its problem if it is no object.
pub type JsonRow<'a> = (Record<'a>, Option<Rejection>);

impl<R: Read> JsonRows<R> {
    /// Reads the objects in a window at the start of the file.
    pub fn new(window: Window<R>, layout: JsonLayout, table: SnapshotTable) -> Self {
        Self {
            window,
            layout,
            array: ArrayPosition::Start,
            line: 1,
            is_after_cr: false,
            objects: ObjectReader::new(table),
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

    /// The next row.
    pub fn next(&mut self) -> Result<Option<JsonRow<'_>>, ReadError> {
        let has_element = match self.layout {
            JsonLayout::Array => self.find_element()?,
            JsonLayout::Lines => self.find_line()?,
        };
        if !has_element {
            return Ok(None);
        }
        let line = self.window.record_line;
        let text = self.window.text(self.window.record_len())?;
        let problem = match (self.objects.read(text), self.layout) {
            (Ok(()), _) => None,
            (Err(ObjectProblem::Row(rejection)), _) => Some(rejection),
            (Err(ObjectProblem::UnknownNames(names, accepted)), _) => {
                return Err(FileProblem::UnknownNames { line, names, accepted }.into());
            }
            (Err(ObjectProblem::NotJson), JsonLayout::Lines) => {
                let problem = CellProblem::NotAnObject;
                Some(Rejection { column: None, value: text.trim().to_owned(), problem })
            }
            (Err(ObjectProblem::NotJson), JsonLayout::Array) => {
                return Err(FileProblem::InvalidJson(line).into());
            }
        };
        Ok(Some((self.objects.record(line), problem)))
    }

    /// Parses the next line that is not blank. Returns whether there is one.
    fn find_line(&mut self) -> Result<bool, ReadError> {
        loop {
            if !self.skip_space()? {
                return Ok(false);
            }
            self.begin_record();
            self.window.skip_marks()?;
            while self.window.has_more()? {
                let rest = self.window.rest();
                let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
                let length = end.unwrap_or(rest.len());
                self.window.advance(length);
                if end.is_some() {
                    break;
                }
            }
            // A byte order mark may stand alone on the last line.
            if self.window.record_len() > 0 {
                return Ok(true);
            }
        }
    }

    /// Parses the next element of the array. Returns whether there is one.
    fn find_element(&mut self) -> Result<bool, ReadError> {
        loop {
            self.begin_record();
            self.window.skip_marks()?;
            let more = self.skip_space()?;
            match (self.array, more.then(|| self.window.next_byte())) {
                (ArrayPosition::End, None) => return Ok(false),
                (ArrayPosition::End, Some(_)) => return Err(FileProblem::TextAfterArray(self.line).into()),
                (_, None) => return Err(FileProblem::UnfinishedJson.into()),
                (ArrayPosition::Start, Some(b'[')) => {
                    self.window.advance(1);
                    self.array = ArrayPosition::FirstElement;
                }
                (ArrayPosition::FirstElement | ArrayPosition::AfterElement, Some(b']')) => {
                    self.window.advance(1);
                    self.array = ArrayPosition::End;
                }
                (ArrayPosition::AfterElement, Some(b',')) => {
                    self.window.advance(1);
                    if !self.skip_space()? {
                        return Err(FileProblem::UnfinishedJson.into());
                    }
                    break;
                }
                (ArrayPosition::FirstElement, Some(_)) => break,
                (ArrayPosition::Start | ArrayPosition::AfterElement, Some(_)) => {
                    return Err(FileProblem::InvalidJson(self.line).into());
                }
            }
        }
        self.array = ArrayPosition::AfterElement;
        self.begin_record();
        self.parse_element()?;
        Ok(true)
    }

    /// Parses to the end of an element, which is where its brackets are closed, or before the next comma or bracket.
    fn parse_element(&mut self) -> Result<(), ReadError> {
        let (mut depth, mut is_in_string, mut is_escaped) = (0_usize, false, false);
        while self.window.has_more()? {
            let rest = self.window.rest();
            let mut length = 0;
            let mut has_ended = false;
            for byte in rest {
                let is_inside = is_in_string || depth > 0;
                if !is_inside && matches!(byte, b',' | b']' | b'}') {
                    has_ended = true;
                    break;
                }
                length += 1;
                match byte {
                    _ if is_escaped => is_escaped = false,
                    b'\\' if is_in_string => is_escaped = true,
                    b'"' => is_in_string = !is_in_string,
                    _ if is_in_string => {}
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth = depth.saturating_sub(1);
                        if depth == 0 {
                            has_ended = true;
                            break;
                        }
                    }
                    _ => {}
                }
            }
            self.line += count_lines(&rest[..length], &mut self.is_after_cr);
            self.window.advance(length);
            if has_ended {
                // An element that is empty, such as between two commas, is not valid.
                return if self.window.record_len() > 0 {
                    Ok(())
                } else {
                    Err(FileProblem::InvalidJson(self.line).into())
                };
            }
        }
        Err(FileProblem::UnfinishedJson.into())
    }

    /// Parses white space. Returns whether there is anything after it.
    fn skip_space(&mut self) -> Result<bool, ReadError> {
        while self.window.has_more()? {
            let rest = self.window.rest();
            let length = rest.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(rest.len());
            let is_at_text = length < rest.len();
            self.line += count_lines(&rest[..length], &mut self.is_after_cr);
            self.window.advance(length);
            self.window.begin_record();
            if is_at_text {
                self.is_after_cr = false;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn begin_record(&mut self) {
        self.window.begin_record();
        self.window.record_line = self.line;
    }
}

#[cfg(test)]
mod tests;
