//! CSV as RFC 4180 has it: CRLF, quotes where a cell needs them, and no cell that a spreadsheet would run.

use domain::Locale;
use domain::dataset::ColumnKind;
use domain::format::{Bom, CsvLayout, Decimal, Headers};

use super::cell::{Cell, write_decimal, write_integer};
use super::columns::FileColumn;
use super::composed;
use super::moment::Moments;
use crate::spreadsheet;

/// Writes rows as CSV.
pub struct CsvRows {
    layout: CsvLayout,
    delimiter: u8,
    moments: Moments,
    /// Whether a byte makes quotes necessary.
    quoted: Box<[bool; 256]>,
}

impl CsvRows {
    /// Writes in this layout.
    pub fn new(layout: CsvLayout, moments: Moments) -> Self {
        let delimiter = u8::try_from(layout.delimiter.character()).unwrap_or(b',');
        let mut quoted = Box::new([false; 256]);
        for byte in [delimiter, b'"', b'\r', b'\n'] {
            quoted[usize::from(byte)] = true;
        }
        Self { layout, delimiter, moments, quoted }
    }

    /// Appends the byte order mark, if there is to be one, and the header.
    pub fn begin(&self, out: &mut Vec<u8>, columns: &[FileColumn], locale: Locale) {
        if self.layout.bom == Bom::With {
            out.extend_from_slice("\u{feff}".as_bytes());
        }
        for (index, FileColumn { column, .. }) in columns.iter().enumerate() {
            if index > 0 {
                out.push(self.delimiter);
            }
            match self.layout.headers {
                Headers::Labels => self.text(out, column.title.in_locale(locale).as_bytes()),
                Headers::Keys => self.text(out, column.key.as_bytes()),
            }
        }
        out.extend_from_slice(b"\r\n");
    }

    /// Appends what stands before a cell.
    pub fn before_cell(&self, out: &mut Vec<u8>, index: usize) {
        if index > 0 {
            out.push(self.delimiter);
        }
    }

    /// Appends a cell.
    pub fn cell(&mut self, out: &mut Vec<u8>, kind: ColumnKind, cell: Cell<'_>) {
        match cell {
            Cell::Null => {}
            Cell::Integer(number) => write_integer(out, number),
            Cell::Decimal(number) => self.decimal(out, number),
            Cell::Boolean(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
            Cell::Text(text) if kind == ColumnKind::Text => self.text(out, text),
            Cell::Text(text) | Cell::Json(text) => self.raw(out, text),
            Cell::Composed(json) => {
                let mut text = Vec::with_capacity(json.len());
                composed::write(&mut text, json, &mut self.moments);
                self.raw(out, &text);
            }
            Cell::Moment(micros) => self.moments.write(out, micros),
        }
    }

    /// Ends a row.
    pub fn end_row(out: &mut Vec<u8>) {
        out.extend_from_slice(b"\r\n");
    }

    fn decimal(&self, out: &mut Vec<u8>, number: f64) {
        match self.layout.decimal {
            Decimal::Point => write_decimal(out, number),
            Decimal::Comma => {
                let mut text = Vec::with_capacity(24);
                write_decimal(&mut text, number);
                if let Some(point) = text.iter().position(|byte| *byte == b'.') {
                    text[point] = b',';
                }
                self.raw(out, &text);
            }
        }
    }

    fn text(&self, out: &mut Vec<u8>, text: &[u8]) {
        if spreadsheet::is_dangerous(text) {
            self.put(out, b"'", text);
        } else {
            self.raw(out, text);
        }
    }

    fn raw(&self, out: &mut Vec<u8>, text: &[u8]) {
        self.put(out, b"", text);
    }

    fn put(&self, out: &mut Vec<u8>, prefix: &[u8], text: &[u8]) {
        if !text.iter().any(|byte| self.quoted[usize::from(*byte)]) {
            out.extend_from_slice(prefix);
            out.extend_from_slice(text);
            return;
        }
        out.push(b'"');
        out.extend_from_slice(prefix);
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
