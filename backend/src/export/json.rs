//! JSON: one array, or one object a line. Values keep their types, and JSON columns stand as they are.

use super::cell::{Cell, write_decimal, write_integer};
use super::columns::FileColumn;
use super::composed;
use super::moment::Moments;

/// What stands around the objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// `[`, then objects with commas between, then `]`.
    Array,
    /// A line each.
    Lines,
}

/// Writes rows as JSON objects.
pub struct JsonRows {
    framing: Framing,
    moments: Moments,
    /// What stands before each value: `{"key":` or `,"key":`.
    openings: Vec<Vec<u8>>,
    rows: u64,
}

impl JsonRows {
    /// Writes these columns.
    pub fn new(framing: Framing, columns: &[FileColumn], moments: Moments) -> Self {
        let openings = columns.iter().enumerate().map(|(index, FileColumn { column, .. })| {
            let bracket = if index == 0 { '{' } else { ',' };
            format!("{bracket}\"{}\":", column.key).into_bytes()
        });
        Self { framing, moments, openings: openings.collect(), rows: 0 }
    }

    /// Appends what stands before the first object.
    pub fn begin(&self, out: &mut Vec<u8>) {
        match self.framing {
            Framing::Array => out.push(b'['),
            Framing::Lines => {}
        }
    }

    /// Appends what stands before a value.
    pub fn before_cell(&mut self, out: &mut Vec<u8>, index: usize) {
        if index == 0 {
            if self.framing == Framing::Array {
                out.extend_from_slice(if self.rows == 0 { b"\n" } else { b",\n" });
            }
            self.rows += 1;
        }
        out.extend_from_slice(&self.openings[index]);
    }

    /// Appends a value.
    pub fn cell(&mut self, out: &mut Vec<u8>, cell: Cell<'_>) {
        match cell {
            Cell::Integer(number) => write_integer(out, number),
            Cell::Decimal(number) if number.is_finite() => write_decimal(out, number),
            Cell::Null | Cell::Decimal(_) => out.extend_from_slice(b"null"),
            Cell::Boolean(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
            Cell::Text(text) => string(out, text),
            Cell::Moment(micros) => {
                out.push(b'"');
                self.moments.write(out, micros);
                out.push(b'"');
            }
            Cell::Json(text) => out.extend_from_slice(text),
            Cell::Composed(text) => composed::write(out, text, &mut self.moments),
        }
    }

    /// Ends a row.
    pub fn end_row(&self, out: &mut Vec<u8>) {
        out.push(b'}');
        if self.framing == Framing::Lines {
            out.push(b'\n');
        }
    }

    /// Appends what stands behind the last object.
    pub fn end(&self, out: &mut Vec<u8>) {
        match self.framing {
            Framing::Array => out.extend_from_slice(b"\n]\n"),
            Framing::Lines => {}
        }
    }
}

/// Appends a JSON string (RFC 8259 §7): only quotes, backslashes and control characters are escaped.
fn string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let mut rest = text;
    while let Some(place) = rest.iter().position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\')) {
        out.extend_from_slice(&rest[..place]);
        match rest[place] {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
        }
        rest = &rest[place + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}
