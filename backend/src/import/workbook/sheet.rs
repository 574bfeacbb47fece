//! Reads the cells of a sheet, row by row.

use std::fmt::Write as _;
use std::io::Read;

use quick_xml::events::{BytesStart, Event};
use zip::read::ZipFile;

use super::WorkbookOptions;
use super::package::Contents;
use super::strings::{push_unescaped, read_text};
use super::xml::{Xml, XmlError, attribute, push_text};
use crate::import::cell_problem::CellProblem;
use crate::import::file_problem::FileProblem;
use crate::import::read_error::ReadError;
use crate::import::record::{Record, RecordBuffer};

/// The maximum number of rows of a sheet.
const MAX_ROWS: i64 = 1_048_576;

/// The number of columns of a sheet.
const MAX_COLUMNS: usize = 16_384;

/// The largest whole number that all programs store exactly.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads the rows of a sheet.
pub struct SheetReader<'a, R: Read> {
    xml: Xml<R>,
    buffer: Vec<u8>,
    contents: &'a Contents,
    /// The index of the sheet.
    index: usize,
    max_row_bytes: usize,
    /// The size of the sheet, as the archive states it.
    size_bytes: u64,
    /// The number of the current row.
    row: i64,
    cells: RecordBuffer,
    /// The length of the current row.
    row_bytes: usize,
    /// The cells of the first row, which is the header. Blank cells at the end of a row are not in the file.
    columns: Option<usize>,
    /// The first cell of the current row that has no usable value, and what is wrong with it.
    problem: Option<(String, CellProblem)>,
}

/// What the value of a cell means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CellKind {
    /// A number, with a format that may show a date.
    Number { is_date: bool },
    /// The number of a string.
    SharedString,
    /// A truth value.
    Boolean,
    /// A text or a date.
    Text,
    /// An error, such as `#N/A`.
    Error,
}

impl<'a, R: Read> SheetReader<'a, ZipFile<'_, R>> {
    /// Reads a sheet from its beginning.
    pub fn new(
        part: ZipFile<'a, R>,
        contents: &'a Contents,
        options: &WorkbookOptions,
        index: usize,
    ) -> SheetReader<'a, ZipFile<'a, R>> {
        let size_bytes = part.size();
        let max_token_bytes = u64::try_from(options.max_row_bytes).unwrap_or(u64::MAX);
        SheetReader {
            xml: Xml::new(part, &contents.budget, u64::MAX, max_token_bytes),
            buffer: Vec::new(),
            contents,
            index,
            max_row_bytes: options.max_row_bytes,
            size_bytes,
            row: 0,
            cells: RecordBuffer::default(),
            row_bytes: 0,
            columns: None,
            problem: None,
        }
    }
}

impl<R: Read> SheetReader<'_, R> {
    /// Reads the next row that is not blank. Returns whether there is one.
    pub fn read_row(&mut self) -> Result<bool, ReadError> {
        loop {
            match self.next()? {
                Event::Start(element) if element.local_name().as_ref() == "row" => {
                    let number = attribute(&element, "r")?;
                    self.start_row(number.as_deref())?;
                    if self.read_cells()? {
                        return Ok(true);
                    }
                }
                Event::End(element) if element.local_name().as_ref() == "sheetData" => return Ok(false),
                Event::Eof => return Err(FileProblem::BrokenWorkbook.into()),
                _ => {}
            }
        }
    }

    /// The row that was read. The rows of further sheets have the numbers after those that the first one can have.
    pub fn record(&self) -> Record<'_> {
        let before = i64::try_from(self.index).unwrap_or_default().saturating_mul(MAX_ROWS);
        self.cells.record(self.row.saturating_add(before))
    }

    /// The share of the sheets that was read, from 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub fn share(&self) -> f64 {
        let of_sheet = (self.xml.bytes_read() as f64 / self.size_bytes.max(1) as f64).min(1.0);
        (self.index as f64 + of_sheet) / self.contents.sheet_paths.len() as f64
    }

    /// What is wrong with a cell of the row that was read, and its value.
    pub fn take_problem(&mut self) -> Option<(String, CellProblem)> {
        self.problem.take()
    }

    /// Reads the sheet to its end, where its checksum is compared.
    pub fn finish(mut self) -> Result<(), ReadError> {
        while !matches!(self.next()?, Event::Eof) {}
        Ok(())
    }

    fn next(&mut self) -> Result<Event<'static>, ReadError> {
        let token = self.xml.next(&mut self.buffer);
        token.map(Event::into_owned).map_err(|error| self.explain(error))
    }

    fn explain(&self, error: XmlError) -> ReadError {
        match error {
            XmlError::TokenTooLong => self.row_too_long().into(),
            XmlError::Broken | XmlError::TooLarge | XmlError::System(_) => error.into(),
        }
    }

    fn row_too_long(&self) -> FileProblem {
        FileProblem::SheetRowTooLong(self.row.max(1), self.max_row_bytes)
    }

    fn start_row(&mut self, number: Option<&str>) -> Result<(), ReadError> {
        let number = match number {
            Some(number) => number.parse().map_err(|_| FileProblem::BrokenWorkbook)?,
            None => self.row.saturating_add(1),
        };
        if number <= self.row {
            return Err(FileProblem::BrokenWorkbook.into());
        }
        self.row = number;
        self.row_bytes = 0;
        self.problem = None;
        self.cells.clear();
        Ok(())
    }

    /// Reads the cells up to the end of the row. Returns whether one is not blank.
    fn read_cells(&mut self) -> Result<bool, ReadError> {
        let (mut text, mut is_blank) = (String::new(), true);
        loop {
            match self.next()? {
                Event::Start(element) if element.local_name().as_ref() == "c" => {
                    let column = match attribute(&element, "r")? {
                        Some(reference) => column_of(&reference).ok_or(FileProblem::BrokenWorkbook)?,
                        None => self.cells.len(),
                    };
                    if column < self.cells.len() || column >= MAX_COLUMNS {
                        return Err(FileProblem::BrokenWorkbook.into());
                    }
                    let kind = self.kind_of(&element)?;
                    text.clear();
                    self.read_cell(kind, &mut text)?;
                    self.row_bytes += text.len();
                    if self.row_bytes > self.max_row_bytes {
                        return Err(self.row_too_long().into());
                    }
                    // Cells that only have a format are blank.
                    if !text.is_empty() {
                        self.cells.fill_to(column);
                        self.cells.push(&text);
                        is_blank &= text.trim().is_empty();
                    }
                }
                Event::End(element) if element.local_name().as_ref() == "row" => break,
                Event::Eof => return Err(FileProblem::BrokenWorkbook.into()),
                _ => {}
            }
        }
        is_blank &= self.problem.is_none();
        if !is_blank {
            let columns = *self.columns.get_or_insert(self.cells.len());
            self.cells.fill_to(columns);
        }
        Ok(!is_blank)
    }

    fn kind_of(&self, cell: &BytesStart<'_>) -> Result<CellKind, ReadError> {
        Ok(match attribute(cell, "t")?.as_deref() {
            None | Some("n") => {
                let format = attribute(cell, "s")?.and_then(|format| format.parse::<usize>().ok());
                let is_date = format.and_then(|format| self.contents.date_formats.get(format));
                CellKind::Number { is_date: is_date.copied().unwrap_or_default() }
            }
            Some("s") => CellKind::SharedString,
            Some("b") => CellKind::Boolean,
            Some("str" | "inlineStr" | "d") => CellKind::Text,
            Some("e") => CellKind::Error,
            Some(_) => return Err(FileProblem::BrokenWorkbook.into()),
        })
    }

    /// Reads the value of a cell up to the end of the cell. Formulas are ignored, since their results are stored too.
    fn read_cell(&mut self, kind: CellKind, text: &mut String) -> Result<(), ReadError> {
        let (mut value, mut is_in_value, mut has_formula) = (String::new(), false, false);
        loop {
            let token = self.next()?;
            match &token {
                Event::Start(element) => match element.local_name().as_ref() {
                    "v" => is_in_value = true,
                    "f" => has_formula = true,
                    "is" => {
                        let read = read_text(&mut self.xml, &mut self.buffer, "is", text);
                        read.map_err(|error| self.explain(error))?;
                    }
                    _ => {}
                },
                Event::End(element) => match element.local_name().as_ref() {
                    "v" => is_in_value = false,
                    "c" => break,
                    _ => {}
                },
                Event::Eof => return Err(FileProblem::BrokenWorkbook.into()),
                token if is_in_value => {
                    let pushed = push_text(&mut value, token, self.xml.max_token_bytes());
                    pushed.map_err(|error| self.explain(error))?;
                }
                _ => {}
            }
        }
        if has_formula && value.is_empty() && text.is_empty() && kind != CellKind::Text {
            self.problem.get_or_insert((String::new(), CellProblem::NoResult));
        }
        match kind {
            _ if value.is_empty() => {}
            CellKind::SharedString => {
                let number = value.trim().parse().map_err(|_| FileProblem::BrokenWorkbook)?;
                self.contents.strings.append(number, text)?;
                self.contents.budget.take(text.len())?;
            }
            CellKind::Number { is_date } => self.push_number(value.trim(), is_date, text),
            CellKind::Boolean => text.push_str(if value.trim() == "1" { "TRUE" } else { "FALSE" }),
            CellKind::Text => push_unescaped(&value, text),
            CellKind::Error => {
                self.problem.get_or_insert((value.clone(), CellProblem::ErrorValue));
                text.push_str(&value);
            }
        }
        Ok(())
    }

    /// Adds a number as people write it: whole numbers without decimals or exponent.
    fn push_number(&self, value: &str, is_date: bool, text: &mut String) {
        let number: Option<f64> = value.parse().ok();
        let date = number.filter(|_| is_date);
        if let Some(date) = date.and_then(|days| self.contents.dates.to_text(days)) {
            text.push_str(&date);
            return;
        }
        match number {
            Some(number) if number.fract() == 0.0 && number.abs() < MAX_EXACT => {
                // Writing to a string does not fail.
                let _ = write!(text, "{number:.0}");
            }
            Some(_) | None => text.push_str(value),
        }
    }
}

/// The index of the column in a reference such as `B7`, from 0.
fn column_of(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic);
    let number = letters.fold(0_usize, |number, letter| {
        number.saturating_mul(26).saturating_add(usize::from(letter.to_ascii_uppercase() - b'A' + 1))
    });
    number.checked_sub(1)
}
