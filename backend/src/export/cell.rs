//! Decodes a field of a row from PostgreSQL's binary format.

use std::ops::RangeInclusive;

use anyhow::{Context as _, Result, bail};

/// The type of a field, which decides how its bytes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireType {
    Int2,
    Int4,
    Int8,
    Float8,
    Bool,
    Text,
    Timestamptz,
    Json,
    Jsonb,
}

impl WireType {
    /// The type with this OID in `pg_type`. The OIDs of built-in types are fixed.
    #[inline]
    pub fn from_oid(oid: u32) -> Result<Self> {
        Ok(match oid {
            21 => Self::Int2,
            23 => Self::Int4,
            20 => Self::Int8,
            701 => Self::Float8,
            16 => Self::Bool,
            25 | 1043 => Self::Text,
            1184 => Self::Timestamptz,
            114 => Self::Json,
            3802 => Self::Jsonb,
            other => bail!("An export has a column of the unsupported type {other}"),
        })
    }

    /// Reads the field's value.
    #[inline]
    pub fn read(self, bytes: &[u8]) -> Result<Cell<'_>> {
        Ok(match self {
            Self::Int2 => Cell::Integer(i64::from(i16::from_be_bytes(to_array(bytes)?))),
            Self::Int4 => Cell::Integer(i64::from(i32::from_be_bytes(to_array(bytes)?))),
            Self::Int8 => Cell::Integer(i64::from_be_bytes(to_array(bytes)?)),
            Self::Float8 => Cell::Decimal(f64::from_be_bytes(to_array(bytes)?)),
            Self::Bool => Cell::Boolean(bytes == [1]),
            Self::Text => Cell::Text(bytes),
            Self::Timestamptz => Cell::Timestamp(check_timestamp(i64::from_be_bytes(to_array(bytes)?))?),
            // Stored JSON is `jsonb`, and the dataset's queries build `json`.
            Self::Json => Cell::BuiltJson(bytes),
            // A version number precedes the text.
            Self::Jsonb => Cell::Json(bytes.get(1..).context("A jsonb field is empty")?),
        })
    }
}

fn to_array<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().context("A field has the wrong length")
}

/// The years 1 to 9999 without the last day: a timestamp outside cannot be written as RFC 3339 in every zone.
const SUPPORTED_RANGE: RangeInclusive<i64> = -63_082_281_600_000_000..=252_455_529_599_999_999;

/// Returns the timestamp, or an error if RFC 3339 cannot represent it in every zone.
pub fn check_timestamp(micros: i64) -> Result<i64> {
    if SUPPORTED_RANGE.contains(&micros) {
        Ok(micros)
    } else {
        bail!("A timestamp is outside the years 1 to 9999")
    }
}

/// A value to be written to a file. Text and JSON are UTF-8, which the connection's encoding guarantees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    Null,
    Integer(i64),
    Decimal(f64),
    Boolean(bool),
    Text(&'a [u8]),
    /// Microseconds since 2000.
    Timestamp(i64),
    Json(&'a [u8]),
    /// JSON that the dataset's query built, with timestamps in UTC.
    BuiltJson(&'a [u8]),
}

/// Appends an integer.
pub fn write_integer(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends a decimal number with `.` as its separator, in the shortest form that reads back equal.
pub fn write_decimal(out: &mut Vec<u8>, number: f64) {
    // Most values, such as playback rates, are whole.
    #[expect(clippy::cast_possible_truncation, reason = "a lossy conversion is detected below")]
    let whole = number as i64;
    #[expect(
        clippy::cast_precision_loss,
        clippy::float_cmp,
        reason = "the comparison detects a lossy conversion"
    )]
    let is_whole = whole as f64 == number && whole.abs() < 1 << 53;
    if is_whole {
        write_integer(out, whole);
    } else {
        out.extend_from_slice(number.to_string().as_bytes());
    }
}
