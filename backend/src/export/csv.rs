//! Writes CSV according to RFC 4180: CRLF line breaks, and quotes where needed. Text that a spreadsheet would
//! take for a formula is neutralised.

use domain::Locale;
use domain::dataset::ColumnKind;
use domain::format::{Bom, CsvLayout, Decimal, Headers};

use super::cell::{Cell, write_decimal, write_integer};
use super::columns::FileColumn;
use super::json_columns;
use super::timestamp::TimestampWriter;
use crate::spreadsheet;

/// Writes rows as CSV.
pub struct CsvRows {
    layout: CsvLayout,
    delimiter: u8,
    timestamps: TimestampWriter,
    /// Whether a row without a value would be a blank line, which readers skip.
    is_single_column: bool,
    /// For each byte, whether a cell that contains it must be quoted.
    needs_quotes: Box<[bool; 256]>,
}

impl CsvRows {
    /// Creates a writer for this layout.
    pub fn new(layout: CsvLayout, timestamps: TimestampWriter, columns: usize) -> Self {
        let delimiter = u8::try_from(layout.delimiter.character()).unwrap_or(b',');
        let mut needs_quotes = Box::new([false; 256]);
        for byte in [delimiter, b'"', b'\r', b'\n'] {
            needs_quotes[usize::from(byte)] = true;
        }
        Self { layout, delimiter, timestamps, is_single_column: columns == 1, needs_quotes }
    }

    /// Appends the byte order mark, if the layout has one, and the header.
    pub fn begin(&self, out: &mut Vec<u8>, columns: &[FileColumn], locale: Locale) {
        if self.layout.bom == Bom::With {
            out.extend_from_slice("\u{feff}".as_bytes());
        }
        for (index, FileColumn { column, .. }) in columns.iter().enumerate() {
            if index > 0 {
                out.push(self.delimiter);
            }
            match self.layout.headers {
                Headers::Labels => self.write_text(out, column.title.in_locale(locale).as_bytes()),
                Headers::Keys => self.write_text(out, column.key.as_bytes()),
            }
        }
        out.extend_from_slice(b"\r\n");
    }

    /// Appends the delimiter before a cell, unless it is the first.
    pub fn before_cell(&self, out: &mut Vec<u8>, index: usize) {
        if index > 0 {
            out.push(self.delimiter);
        }
    }

    /// Appends a cell.
    pub fn cell(&mut self, out: &mut Vec<u8>, kind: ColumnKind, cell: Cell<'_>) {
        match cell {
            Cell::Null | Cell::Text(b"") if self.is_single_column => out.extend_from_slice(b"\"\""),
            Cell::Null => {}
            Cell::Integer(number) => write_integer(out, number),
            Cell::Decimal(number) => self.write_decimal(out, number),
            Cell::Boolean(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
            Cell::Text(text) if kind == ColumnKind::Text => self.write_text(out, text),
            Cell::Text(text) => self.write_raw(out, text),
            Cell::Json(json) => self.write_raw(out, &spreadsheet::neutralise_json(json)),
            Cell::BuiltJson(json) => {
                let text = json_columns::converted(json, &mut self.timestamps);
                self.write_raw(out, &spreadsheet::neutralise_json(&text));
            }
            Cell::Timestamp(micros) => self.timestamps.write(out, micros),
        }
    }

    /// Ends a row.
    pub fn end_row(out: &mut Vec<u8>) {
        out.extend_from_slice(b"\r\n");
    }

    fn write_decimal(&self, out: &mut Vec<u8>, number: f64) {
        match self.layout.decimal {
            Decimal::Point => write_decimal(out, number),
            Decimal::Comma => {
                let mut text = Vec::with_capacity(24);
                write_decimal(&mut text, number);
                if let Some(point) = text.iter().position(|byte| *byte == b'.') {
                    text[point] = b',';
                }
                self.write_raw(out, &text);
            }
        }
    }

    fn write_text(&self, out: &mut Vec<u8>, text: &[u8]) {
        self.write_raw(out, &spreadsheet::neutralise(text));
    }

    fn write_raw(&self, out: &mut Vec<u8>, text: &[u8]) {
        // At the start of a line, a byte order mark would be skipped as one of a joined file.
        let has_mark = text.starts_with("\u{feff}".as_bytes());
        if !has_mark && !text.iter().any(|byte| self.needs_quotes[usize::from(*byte)]) {
            out.extend_from_slice(text);
            return;
        }
        out.push(b'"');
        let mut rest = text;
        while let Some(quote) = rest.iter().position(|byte| *byte == b'"') {
            out.extend_from_slice(&rest[..=quote]);
            out.push(b'"');
            rest = &rest[quote + 1..];
        }
        out.extend_from_slice(rest);
        out.push(b'"');
    }
}
