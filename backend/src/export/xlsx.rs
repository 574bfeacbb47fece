//! Writes Excel workbooks (XLSX, ECMA-376) as a stream, in constant memory: the rows first, and the parts that describe them
//! at the end.
//!
//! Numbers, booleans and dates are cells of their types, and texts are neutralised as in CSV. What a type cannot hold exactly
//! is a text: a number of more than 15 digits, a timestamp that no other cell would be read back as, and with machine headers
//! every timestamp. Rows that do not fit on a sheet go on another one.

mod parts;
mod text;

use std::io::Write as _;

use anyhow::Result;
use domain::dataset::ColumnKind;
use domain::format::Headers;

use super::cell::{Cell, write_decimal, write_integer};
use super::columns::FileColumn;
use super::json_columns;
use super::request::ExportRequest;
use super::shared_buffer::SharedBuffer;
use super::timestamp::TimestampWriter;
use super::zip_stream::{ZipStream, file_options};
use crate::spreadsheet;
use crate::spreadsheet::serial_date;
pub use text::CellTooLong;

/// The size of XML that is compressed at a time.
const XML_BYTES: usize = 32 << 10;

/// The largest number that spreadsheets show with all digits.
const MAX_EXACT: u64 = 999_999_999_999_999;

/// The limits of a sheet.
#[derive(Clone, Copy, Debug)]
struct SheetLimits {
    /// The number of rows with the header.
    rows: u32,
    /// The size of its XML at which no more rows are added. From 4 GiB on, the archive would need another format (ZIP64),
    /// which some programs do not read.
    bytes: u64,
}

/// The limits of Excel.
const EXCEL: SheetLimits = SheetLimits { rows: 1_048_576, bytes: 3 << 30 };

/// Writes rows as a workbook.
pub struct XlsxRows {
    archive: ZipStream,
    written: SharedBuffer,
    limits: SheetLimits,
    /// The part of the sheet that is not compressed yet.
    xml: Vec<u8>,
    columns: Vec<SheetColumn>,
    title: &'static str,
    timestamps: TimestampWriter,
    /// The name of the time zone of the timestamps.
    timezone: &'static str,
    headers: Headers,
    /// The number of rows of each sheet, with the header.
    sheets: Vec<u32>,
    /// The size of the sheet so far.
    sheet_bytes: u64,
}

/// A column of the sheets.
#[derive(Clone, Copy, Debug)]
struct SheetColumn {
    key: &'static str,
    header: &'static str,
    kind: ColumnKind,
}

impl XlsxRows {
    /// Creates a writer for a request.
    pub fn new(request: &ExportRequest, columns: &[FileColumn]) -> Self {
        let columns = columns.iter().map(|FileColumn { column, .. }| SheetColumn {
            key: column.key,
            header: match request.layout.headers {
                Headers::Labels => column.title.in_locale(request.locale),
                Headers::Keys => column.key,
            },
            kind: column.kind,
        });
        let written = SharedBuffer::default();
        Self {
            archive: ZipStream::new_stream(written.clone()),
            written,
            limits: EXCEL,
            xml: Vec::with_capacity(XML_BYTES + XML_BYTES / 4),
            columns: columns.collect(),
            title: request.dataset.describe().title.in_locale(request.locale),
            timestamps: TimestampWriter::new(request.timezone),
            timezone: request.timezone.name(),
            headers: request.layout.headers,
            sheets: Vec::new(),
            sheet_bytes: 0,
        }
    }

    /// Puts fewer rows on each sheet, with the header, or starts another one at a smaller size.
    #[cfg(test)]
    pub const fn with_sheet_limits(mut self, rows: u32, bytes: u64) -> Self {
        self.limits = SheetLimits { rows, bytes };
        self
    }

    /// Starts the first sheet.
    pub fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.begin_sheet()?;
        self.compress()?;
        self.written.drain_into(out);
        Ok(())
    }

    /// Adds a cell.
    pub fn cell(&mut self, index: usize, kind: ColumnKind, cell: Cell<'_>) -> Result<()> {
        if index == 0 {
            self.begin_row()?;
        }
        match cell {
            Cell::Null => {}
            Cell::Integer(number) if number.unsigned_abs() <= MAX_EXACT => {
                self.typed_cell(index, "", |xml| write_integer(xml, number));
            }
            Cell::Decimal(number) if number.is_finite() => {
                self.typed_cell(index, "", |xml| write_decimal(xml, number));
            }
            Cell::Integer(number) => self.text_cell(index, number.to_string().as_bytes())?,
            Cell::Decimal(number) => self.text_cell(index, number.to_string().as_bytes())?,
            Cell::Boolean(value) => {
                self.typed_cell(index, parts::BOOLEAN_ATTRIBUTES, |xml| {
                    xml.push(if value { b'1' } else { b'0' })
                });
            }
            // Programs that save the sheet as CSV divide it as they like.
            Cell::Text(text) if kind == ColumnKind::Text => {
                self.text_cell(index, &spreadsheet::neutralise(text))?;
            }
            Cell::Text(text) => self.text_cell(index, text)?,
            Cell::Json(json) => self.text_cell(index, &spreadsheet::neutralise_json(json))?,
            Cell::BuiltJson(json) => {
                let text = json_columns::converted(json, &mut self.timestamps);
                self.text_cell(index, &spreadsheet::neutralise_json(&text))?;
            }
            Cell::Timestamp(micros) => self.timestamp_cell(index, micros)?,
        }
        Ok(())
    }

    /// Ends a row.
    pub fn end_row(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.xml.extend_from_slice(b"</row>");
        if self.xml.len() >= XML_BYTES {
            self.compress()?;
            self.written.drain_into(out);
        }
        Ok(())
    }

    /// Ends the workbook.
    pub fn end(mut self, out: &mut Vec<u8>) -> Result<()> {
        self.end_sheet()?;
        for (path, content) in parts::all(self.title, &self.sheets, self.columns.len(), self.timezone) {
            self.begin_part(path)?;
            self.archive.write_all(content.as_bytes())?;
        }
        self.archive.finish()?;
        self.written.drain_into(out);
        Ok(())
    }

    fn begin_part(&mut self, path: impl Into<String>) -> Result<()> {
        Ok(self.archive.start_file(path.into(), file_options())?)
    }

    fn begin_sheet(&mut self) -> Result<()> {
        self.begin_part(parts::sheet_path(self.sheets.len() + 1))?;
        parts::begin_sheet(&mut self.xml, self.columns.iter().map(|column| column.kind));
        self.sheets.push(0);
        self.sheet_bytes = 0;
        self.add_row();
        for index in 0..self.columns.len() {
            let name = spreadsheet::neutralise(self.columns[index].header.as_bytes());
            self.styled_text_cell(index, parts::HEADER_ATTRIBUTES, &name)?;
        }
        self.xml.extend_from_slice(b"</row>");
        Ok(())
    }

    fn end_sheet(&mut self) -> Result<()> {
        let row = self.row();
        parts::end_sheet(&mut self.xml, self.columns.len(), row);
        self.compress()
    }

    /// The number of the current row.
    fn row(&self) -> u32 {
        self.sheets.last().copied().unwrap_or_default()
    }

    fn begin_row(&mut self) -> Result<()> {
        if self.row() >= self.limits.rows || self.sheet_bytes >= self.limits.bytes {
            self.end_sheet()?;
            self.begin_sheet()?;
        }
        self.add_row();
        Ok(())
    }

    fn add_row(&mut self) {
        if let Some(rows) = self.sheets.last_mut() {
            *rows += 1;
        }
        let row = self.row();
        self.xml.extend_from_slice(b"<row r=\"");
        write_integer(&mut self.xml, row.into());
        self.xml.extend_from_slice(b"\">");
    }

    fn compress(&mut self) -> Result<()> {
        self.archive.write_all(&self.xml)?;
        self.sheet_bytes += self.xml.len() as u64;
        self.xml.clear();
        Ok(())
    }

    /// Adds a cell with these attributes and the value that `write` appends.
    fn typed_cell(&mut self, index: usize, attributes: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.begin_cell(index, attributes);
        self.xml.extend_from_slice(b"<v>");
        write(&mut self.xml);
        self.xml.extend_from_slice(b"</v></c>");
    }

    fn text_cell(&mut self, index: usize, text: &[u8]) -> Result<()> {
        self.styled_text_cell(index, parts::TEXT_ATTRIBUTES, text)
    }

    fn styled_text_cell(&mut self, index: usize, attributes: &str, text: &[u8]) -> Result<()> {
        // An empty cell means that there is no value.
        if text.is_empty() {
            return Ok(());
        }
        text::check_length(self.columns[index].key, text)?;
        self.begin_cell(index, attributes);
        text::write(&mut self.xml, text);
        self.xml.extend_from_slice(b"</c>");
        Ok(())
    }

    fn begin_cell(&mut self, index: usize, attributes: &str) {
        let row = self.row();
        self.xml.extend_from_slice(b"<c r=\"");
        parts::write_column(&mut self.xml, index);
        write_integer(&mut self.xml, row.into());
        self.xml.push(b'"');
        self.xml.extend_from_slice(attributes.as_bytes());
        self.xml.push(b'>');
    }

    fn timestamp_cell(&mut self, index: usize, micros: i64) -> Result<()> {
        let days = match self.headers {
            Headers::Labels => {
                self.timestamps.unique_local_micros(micros).and_then(serial_date::from_local_micros)
            }
            Headers::Keys => None,
        };
        if let Some(days) = days {
            self.typed_cell(index, parts::DATE_ATTRIBUTES, |xml| write_decimal(xml, days));
            return Ok(());
        }
        let mut text = Vec::with_capacity(40);
        self.timestamps.write(&mut text, micros);
        self.text_cell(index, &text)
    }
}

#[cfg(test)]
mod tests;
