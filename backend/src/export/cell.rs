//! One field of a row, from PostgreSQL's binary format.

use std::ops::RangeInclusive;

use anyhow::{Context as _, Result, bail};

/// How a field's bytes are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
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

impl Wire {
    /// The way to read a type, by its object id in `pg_type`, which is fixed for the built-in ones.
    #[inline]
    pub fn of(oid: u32) -> Result<Self> {
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
            other => bail!("No column of an export has the type {other}"),
        })
    }

    /// The field's value.
    #[inline]
    pub fn read(self, bytes: &[u8]) -> Result<Cell<'_>> {
        Ok(match self {
            Self::Int2 => Cell::Integer(i64::from(i16::from_be_bytes(exactly(bytes)?))),
            Self::Int4 => Cell::Integer(i64::from(i32::from_be_bytes(exactly(bytes)?))),
            Self::Int8 => Cell::Integer(i64::from_be_bytes(exactly(bytes)?)),
            Self::Float8 => Cell::Decimal(f64::from_be_bytes(exactly(bytes)?)),
            Self::Bool => Cell::Boolean(bytes == [1]),
            Self::Text => Cell::Text(bytes),
            Self::Timestamptz => Cell::Moment(moment(i64::from_be_bytes(exactly(bytes)?))?),
            // What is stored is `jsonb`; `json` is what the dataset's query composes.
            Self::Json => Cell::Composed(bytes),
            // A version number, then the text.
            Self::Jsonb => Cell::Json(bytes.get(1..).context("An empty jsonb")?),
        })
    }
}

fn exactly<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().context("A field of the wrong length")
}

/// The years 1 to 9999, but for the last day: beyond them a moment has no RFC 3339 text in every zone.
const MOMENTS: RangeInclusive<i64> = -63_082_281_600_000_000..=252_455_529_599_999_999;

/// The moment, if it has a text in every zone.
pub fn moment(micros: i64) -> Result<i64> {
    if MOMENTS.contains(&micros) { Ok(micros) } else { bail!("A moment outside of the years 1 to 9999") }
}

/// A value on its way into a file. Text and JSON are UTF-8, as the connection's encoding promises.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    Null,
    Integer(i64),
    Decimal(f64),
    Boolean(bool),
    Text(&'a [u8]),
    /// Microseconds since 2000.
    Moment(i64),
    Json(&'a [u8]),
    /// JSON that the dataset's query composed, with moments in UTC.
    Composed(&'a [u8]),
}

/// Appends a whole number.
pub fn write_integer(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends a number with `.` before its fraction, as short as it can be read back.
pub fn write_decimal(out: &mut Vec<u8>, number: f64) {
    // Most rates are 1, and the like.
    #[expect(clippy::cast_possible_truncation, reason = "it is checked that nothing is lost")]
    let whole = number as i64;
    #[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "the comparison is the check")]
    let is_whole = whole as f64 == number && whole.abs() < 1 << 53;
    if is_whole {
        write_integer(out, whole);
    } else {
        out.extend_from_slice(number.to_string().as_bytes());
    }
}
