//! Writes JSON: one array, or one object per line. Values keep their types, and JSON columns are unchanged.

use super::cell::{Cell, write_decimal, write_integer};
use super::columns::FileColumn;
use super::json_columns;
use super::timestamp::TimestampWriter;

/// How the objects are separated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// One array.
    Array,
    /// One object per line (NDJSON).
    Lines,
}

/// Writes rows as JSON objects.
pub struct JsonRows {
    framing: Framing,
    timestamps: TimestampWriter,
    /// The text before each value: `{"key":` or `,"key":`.
    key_prefixes: Vec<Vec<u8>>,
    rows: u64,
}

impl JsonRows {
    /// Creates a writer for these columns.
    pub fn new(framing: Framing, columns: &[FileColumn], timestamps: TimestampWriter) -> Self {
        let key_prefixes = columns.iter().enumerate().map(|(index, FileColumn { column, .. })| {
            let bracket = if index == 0 { '{' } else { ',' };
            format!("{bracket}\"{}\":", column.key).into_bytes()
        });
        Self { framing, timestamps, key_prefixes: key_prefixes.collect(), rows: 0 }
    }

    /// Appends the text before the first object.
    pub fn begin(&self, out: &mut Vec<u8>) {
        match self.framing {
            Framing::Array => out.push(b'['),
            Framing::Lines => {}
        }
    }

    /// Appends the separator and key before a value.
    pub fn before_cell(&mut self, out: &mut Vec<u8>, index: usize) {
        if index == 0 {
            if self.framing == Framing::Array {
                out.extend_from_slice(if self.rows == 0 { b"\n" } else { b",\n" });
            }
            self.rows += 1;
        }
        out.extend_from_slice(&self.key_prefixes[index]);
    }

    /// Appends a value.
    pub fn cell(&mut self, out: &mut Vec<u8>, cell: Cell<'_>) {
        match cell {
            Cell::Integer(number) => write_integer(out, number),
            Cell::Decimal(number) if number.is_finite() => write_decimal(out, number),
            Cell::Null | Cell::Decimal(_) => out.extend_from_slice(b"null"),
            Cell::Boolean(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
            Cell::Text(text) => write_string(out, text),
            Cell::Timestamp(micros) => {
                out.push(b'"');
                self.timestamps.write(out, micros);
                out.push(b'"');
            }
            Cell::Json(text) => out.extend_from_slice(text),
            Cell::BuiltJson(text) => json_columns::write(out, text, &mut self.timestamps),
        }
    }

    /// Ends a row.
    pub fn end_row(&self, out: &mut Vec<u8>) {
        out.push(b'}');
        if self.framing == Framing::Lines {
            out.push(b'\n');
        }
    }

    /// Appends the text after the last object.
    pub fn end(&self, out: &mut Vec<u8>) {
        match self.framing {
            Framing::Array => out.extend_from_slice(b"\n]\n"),
            Framing::Lines => {}
        }
    }
}

/// Appends a JSON string (RFC 8259 §7). Only quotes, backslashes and control characters are escaped.
fn write_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let mut rest = text;
    while let Some(position) = rest.iter().position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\')) {
        out.extend_from_slice(&rest[..position]);
        match rest[position] {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
        }
        rest = &rest[position + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}
