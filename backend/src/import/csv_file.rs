//! Small CSV files for people: rejected rows and templates.

use bytes::Bytes;
use csv::{Terminator, Writer, WriterBuilder};
use domain::Locale;
use domain::format::Delimiter;

use crate::spreadsheet;

/// The end of such a file's name.
pub const EXTENSION: &str = "csv";
/// The media type of such a file.
pub const MEDIA_TYPE: &str = "text/csv; charset=utf-8";

/// A part of a CSV file.
pub struct CsvFile {
    mark: &'static [u8],
    rows: Writer<Vec<u8>>,
}

impl CsvFile {
    /// An empty part, in the dialect that spreadsheets in this language expect.
    pub fn new(locale: Locale) -> Self {
        let delimiter = u8::try_from(Delimiter::usual_in(locale).character()).unwrap_or(b',');
        let mut rows = WriterBuilder::new();
        rows.flexible(true).delimiter(delimiter).terminator(Terminator::CRLF);
        Self { mark: b"", rows: rows.from_writer(Vec::new()) }
    }

    /// Puts a byte order mark before the rows.
    pub const fn push_mark(&mut self) {
        self.mark = b"\xef\xbb\xbf";
    }

    /// Adds a row. Texts that a spreadsheet would take for formulas get a guard.
    pub fn push_row<'a>(&mut self, cells: impl Iterator<Item = &'a str>) {
        for cell in cells {
            // Writing to memory does not fail.
            let _ = self.rows.write_field(&*spreadsheet::neutralise_any(cell));
        }
        let _ = self.rows.write_record(None::<&[u8]>);
    }

    /// The bytes of the part.
    pub fn into_bytes(self) -> Bytes {
        let rows = self.rows.into_inner().unwrap_or_default();
        if self.mark.is_empty() { rows.into() } else { [self.mark, &rows].concat().into() }
    }
}
