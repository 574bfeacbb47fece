//! Keyset pagination of a dataset: no row is missed or repeated while rows are written.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike as _, Utc};
use chrono_tz::Tz;
use diesel::QueryResult;
use diesel_async::AsyncPgConnection;
use domain::Grant;
use domain::text::Text;

use super::{ReadQuery, Seek, Source};
use crate::error::Error;

/// A position in the stable order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The row's date column.
    pub at: DateTime<Utc>,
    pub id: i64,
}

impl Cursor {
    /// Encodes the cursor for clients. It is opaque, and valid only for lists of the same order.
    pub fn encode(self) -> String {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.at.timestamp_micros().to_be_bytes());
        bytes[8..].copy_from_slice(&self.id.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Decodes a client's cursor.
    pub fn decode(text: &str) -> Option<Self> {
        let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (at, id) = bytes.split_at(8);
        let at = DateTime::from_timestamp_micros(i64::from_be_bytes(at.try_into().ok()?))?;
        // PostgreSQL cannot store or compare dates far outside these years.
        (1..=9999).contains(&at.year()).then_some(())?;
        Some(Self { at, id: i64::from_be_bytes(id.try_into().ok()?) })
    }
}

/// A request for one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    seek: Seek,
    size: i64,
}

/// The maximum number of rows on a page.
pub const MAX_PAGE_SIZE: i32 = 500;
/// The number of rows on a page if the request does not set it.
const DEFAULT_PAGE_SIZE: i32 = 50;

/// Checks a number of items that a caller asks for in one response.
pub fn page_size(field: &str, size: i32) -> Result<i64, Error> {
    match size {
        0..=MAX_PAGE_SIZE => Ok(i64::from(size)),
        _ => Err(Error::invalid(field, INVALID_SIZE)),
    }
}

impl PageRequest {
    /// Validates the four arguments of a GraphQL connection.
    pub fn new(
        first: Option<i32>,
        after: Option<&str>,
        last: Option<i32>,
        before: Option<&str>,
    ) -> Result<Self, Error> {
        let cursor = |field: &str, text: &str| {
            Cursor::decode(text).ok_or_else(|| Error::invalid(field, INVALID_CURSOR))
        };
        match (first, after, last, before) {
            (Some(_), _, Some(_), _) => Err(Error::invalid("last", MIXED_DIRECTIONS)),
            (_, Some(_), _, Some(_)) | (Some(_), _, _, Some(_)) => {
                Err(Error::invalid("before", MIXED_DIRECTIONS))
            }
            (_, Some(_), Some(_), _) => Err(Error::invalid("after", MIXED_DIRECTIONS)),
            (None, None, last, Some(before)) => Ok(Self {
                seek: Seek::Before(cursor("before", before)?),
                size: page_size("last", last.unwrap_or(DEFAULT_PAGE_SIZE))?,
            }),
            (None, None, Some(last), None) => Ok(Self { seek: Seek::Last, size: page_size("last", last)? }),
            (first, None, None, None) => {
                Ok(Self { seek: Seek::First, size: page_size("first", first.unwrap_or(DEFAULT_PAGE_SIZE))? })
            }
            (first, Some(after), None, None) => Ok(Self {
                seek: Seek::After(cursor("after", after)?),
                size: page_size("first", first.unwrap_or(DEFAULT_PAGE_SIZE))?,
            }),
        }
    }
}

const INVALID_CURSOR: Text = Text::new(
    "Cursor no válido para esta consulta. Se acepta un cursor que ella haya devuelto, sin cambios.",
    "Invalid cursor for this query. Accepted: a cursor that it returned, unchanged.",
);
const INVALID_SIZE: Text = Text::new("Se acepta un número de 0 a 500.", "Accepted: a number from 0 to 500.");
const MIXED_DIRECTIONS: Text = Text::new(
    "Se avanza con first y after, o se retrocede con last y before; no a la vez.",
    "Page forward with first and after, or backward with last and before, but not both.",
);

/// Rows in the stable order, newest first.
#[derive(Debug)]
pub struct Page<S> {
    pub rows: Vec<S>,
    /// Whether there are newer rows before the first.
    pub has_previous: bool,
    /// Whether there are older rows after the last.
    pub has_next: bool,
}

/// The result of [`rows`].
pub type Rows<S> = QueryResult<Page<S>>;

/// Reads one page.
pub async fn rows<S: Source>(
    conn: &mut AsyncPgConnection,
    grant: &Grant,
    zone: Tz,
    request: PageRequest,
) -> Rows<S> {
    let PageRequest { seek, size } = request;
    let mut rows = S::query(grant, zone, seek).load_rows(conn, size + 1).await?;
    let has_more = i64::try_from(rows.len()).is_ok_and(|found| found > size);
    if has_more {
        rows.pop();
    }
    let (has_previous, has_next) = match seek {
        Seek::First | Seek::Unordered => (false, has_more),
        // A cursor belongs to a row, so at least that row is on the other side.
        Seek::After(_) => (true, has_more),
        Seek::Last => (has_more, false),
        Seek::Before(_) => (has_more, true),
    };
    if matches!(seek, Seek::Last | Seek::Before(_)) {
        rows.reverse();
    }
    Ok(Page { rows, has_previous, has_next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_what_it_writes() {
        let cursor = Cursor { at: DateTime::from_timestamp_micros(1_763_286_600_123_456).unwrap(), id: 42 };
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        assert_eq!(Cursor::decode("nonsense"), None);
    }

    #[test]
    fn a_page_goes_in_one_direction() {
        assert!(PageRequest::new(Some(5), None, Some(5), None).is_err());
        assert!(PageRequest::new(Some(-1), None, None, None).is_err());
        assert!(PageRequest::new(Some(501), None, None, None).is_err());
        assert!(PageRequest::new(None, None, None, None).is_ok());
    }
}
