//! Rows in the binary format of COPY.
//!
//! See <https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4>. Each value is its length and the
//! bytes of its type's binary representation.

use std::ops::Range;

use bytes::{BufMut as _, Bytes, BytesMut};
use chrono::{DateTime, Utc};

/// The length of a null.
const NULL: i32 = -1;
/// PostgreSQL's type id of `text`, which arrays state.
const TEXT_OID: u32 = 25;
/// The version of the binary representation of `jsonb`: text.
const JSONB_VERSION: u8 = 1;
/// The time from 1970 to 2000, from which PostgreSQL counts, in microseconds.
const EPOCH_OFFSET_MICROS: i64 = 946_684_800_000_000;

/// Encoded rows.
#[derive(Clone, Debug, Default)]
pub struct CopyRows(BytesMut);

impl CopyRows {
    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All rows.
    pub fn into_bytes(self) -> Bytes {
        self.0.freeze()
    }

    /// The rows in these ranges of bytes.
    pub fn select(&self, ranges: impl Iterator<Item = Range<usize>>) -> Bytes {
        let mut selected = BytesMut::with_capacity(self.len());
        for range in ranges {
            selected.extend_from_slice(&self.0[range]);
        }
        selected.freeze()
    }

    /// Begins a row with this number of columns.
    pub fn begin_row(&mut self, columns: i16) {
        self.0.put_i16(columns);
    }

    /// Adds a `bigint`.
    pub fn bigint(&mut self, value: Option<i64>) {
        self.value(value, BytesMut::put_i64);
    }

    /// Adds an `integer`.
    pub fn integer(&mut self, value: Option<i32>) {
        self.value(value, BytesMut::put_i32);
    }

    /// Adds a `timestamptz`.
    pub fn timestamp(&mut self, value: Option<DateTime<Utc>>) {
        self.value(value, |rows, value| rows.put_i64(value.timestamp_micros() - EPOCH_OFFSET_MICROS));
    }

    /// Adds a `text`. PostgreSQL stores no null characters, so they become replacement characters.
    pub fn text(&mut self, value: Option<&str>) {
        self.value(value, put_text);
    }

    /// Adds a `jsonb`. The text must be JSON that PostgreSQL accepts.
    pub fn jsonb(&mut self, value: Option<&str>) {
        self.value(value, |rows, value| {
            rows.put_u8(JSONB_VERSION);
            rows.put_slice(value.as_bytes());
        });
    }

    /// Adds a `text[]`. Null characters become replacement characters.
    pub fn text_array<Text: AsRef<str>>(&mut self, values: impl ExactSizeIterator<Item = Text>) {
        let (dimensions, has_nulls, lower_bound) = (1, 0, 1);
        self.value(Some(values), |rows, values| {
            rows.put_i32(dimensions);
            rows.put_i32(has_nulls);
            rows.put_u32(TEXT_OID);
            rows.put_i32(i32::try_from(values.len()).unwrap_or(i32::MAX));
            rows.put_i32(lower_bound);
            for value in values {
                put_with_length(rows, |rows| put_text(rows, value.as_ref()));
            }
        });
    }

    fn value<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut BytesMut, T)) {
        match value {
            Some(value) => put_with_length(&mut self.0, |rows| put(rows, value)),
            None => self.0.put_i32(NULL),
        }
    }
}

fn put_text(rows: &mut BytesMut, text: &str) {
    if text.contains('\0') {
        rows.put_slice(text.replace('\0', "\u{fffd}").as_bytes());
    } else {
        rows.put_slice(text.as_bytes());
    }
}

/// Puts a value after its length.
fn put_with_length(rows: &mut BytesMut, put: impl FnOnce(&mut BytesMut)) {
    let start = rows.len();
    rows.put_i32(0);
    let value = rows.len();
    put(rows);
    let length = u32::try_from(rows.len() - value).expect("a value is shorter than its file's row");
    rows[start..value].copy_from_slice(&length.to_be_bytes());
}
