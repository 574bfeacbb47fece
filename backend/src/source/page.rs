//! Pages of a dataset by keyset cursors: complete and free of doubles while rows are written.

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

/// A place in the stable order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The row's date column.
    pub at: DateTime<Utc>,
    /// The row's id.
    pub id: i64,
}

impl Cursor {
    /// The cursor as clients see it: opaque, and good for this dataset's order only.
    pub fn encode(self) -> String {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.at.timestamp_micros().to_be_bytes());
        bytes[8..].copy_from_slice(&self.id.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place that a client's cursor means.
    pub fn decode(text: &str) -> Option<Self> {
        let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (at, id) = bytes.split_at(8);
        let at = DateTime::from_timestamp_micros(i64::from_be_bytes(at.try_into().ok()?))?;
        // Others than these the database does not hold, or not compare.
        (1..=9999).contains(&at.year()).then_some(())?;
        Some(Self { at, id: i64::from_be_bytes(id.try_into().ok()?) })
    }
}

/// Which page somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    seek: Seek,
    size: i64,
}

/// The most rows on one page.
pub const MAX_PAGE: i32 = 500;
/// The rows on a page when nobody says how many.
const DEFAULT_PAGE: i32 = 50;

impl PageRequest {
    /// Reads the four arguments of a GraphQL connection.
    pub fn new(
        first: Option<i32>,
        after: Option<&str>,
        last: Option<i32>,
        before: Option<&str>,
    ) -> Result<Self, Error> {
        let cursor =
            |field: &str, text: &str| Cursor::decode(text).ok_or_else(|| Error::invalid(field, WRONG_CURSOR));
        let size = |field: &str, size: i32| match size {
            0..=MAX_PAGE => Ok(i64::from(size)),
            _ => Err(Error::invalid(field, WRONG_SIZE)),
        };
        match (first, after, last, before) {
            (Some(_), _, Some(_), _) => Err(Error::invalid("last", TWO_DIRECTIONS)),
            (_, Some(_), _, Some(_)) | (Some(_), _, _, Some(_)) => {
                Err(Error::invalid("before", TWO_DIRECTIONS))
            }
            (_, Some(_), Some(_), _) => Err(Error::invalid("after", TWO_DIRECTIONS)),
            (None, None, last, Some(before)) => Ok(Self {
                seek: Seek::Before(cursor("before", before)?),
                size: size("last", last.unwrap_or(DEFAULT_PAGE))?,
            }),
            (None, None, Some(last), None) => Ok(Self { seek: Seek::Last, size: size("last", last)? }),
            (first, None, None, None) => {
                Ok(Self { seek: Seek::First, size: size("first", first.unwrap_or(DEFAULT_PAGE))? })
            }
            (first, Some(after), None, None) => Ok(Self {
                seek: Seek::After(cursor("after", after)?),
                size: size("first", first.unwrap_or(DEFAULT_PAGE))?,
            }),
        }
    }
}

const WRONG_CURSOR: Text = Text::new(
    "No es un cursor de esta consulta. Se acepta un cursor que ella dio, sin cambios.",
    "Not a cursor of this query. Accepted: a cursor that it gave, unchanged.",
);
const WRONG_SIZE: Text = Text::new("Se acepta un número de 0 a 500.", "Accepted: a number from 0 to 500.");
const TWO_DIRECTIONS: Text = Text::new(
    "Se avanza con first y after, o se retrocede con last y before; no a la vez.",
    "Go forwards by first and after, or backwards by last and before; not both.",
);

/// Rows in the stable order, newest first.
#[derive(Debug)]
pub struct Page<S> {
    /// The rows.
    pub rows: Vec<S>,
    /// Whether there are newer rows ahead of the first.
    pub has_previous: bool,
    /// Whether there are older rows behind the last.
    pub has_next: bool,
}

/// What [`rows`] gives.
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
    let more = i64::try_from(rows.len()).is_ok_and(|found| found > size);
    if more {
        rows.pop();
    }
    let (has_previous, has_next) = match seek {
        Seek::First | Seek::Anywhere => (false, more),
        // A cursor is a row's own, so at least that row is on its other side.
        Seek::After(_) => (true, more),
        Seek::Last => (more, false),
        Seek::Before(_) => (more, true),
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
    fn one_page_goes_in_one_direction() {
        assert!(PageRequest::new(Some(5), None, Some(5), None).is_err());
        assert!(PageRequest::new(Some(-1), None, None, None).is_err());
        assert!(PageRequest::new(Some(501), None, None, None).is_err());
        assert!(PageRequest::new(None, None, None, None).is_ok());
    }
}
