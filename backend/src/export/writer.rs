//! A common interface for the three text formats.

use domain::dataset::ColumnKind;
use domain::{ExportFormat, Locale};

use super::cell::Cell;
use super::columns::FileColumn;
use super::csv::CsvRows;
use super::json::{Framing, JsonRows};
use super::request::ExportRequest;
use super::timestamp::TimestampWriter;

/// Writes rows in the requested format.
pub struct Writer {
    rows: Rows,
    columns: Vec<FileColumn>,
    locale: Locale,
}

enum Rows {
    Csv(CsvRows),
    Json(JsonRows),
}

impl Writer {
    /// Creates a writer for a request.
    pub fn new(request: &ExportRequest, columns: &[FileColumn]) -> Self {
        let timestamps = TimestampWriter::new(request.timezone);
        let rows = match request.format {
            ExportFormat::Ndjson => Rows::Json(JsonRows::new(Framing::Lines, columns, timestamps)),
            ExportFormat::Json => Rows::Json(JsonRows::new(Framing::Array, columns, timestamps)),
            // Parsing the request rejects formats that are not implemented yet.
            ExportFormat::Csv | ExportFormat::Xlsx | ExportFormat::Parquet => {
                Rows::Csv(CsvRows::new(request.layout, timestamps))
            }
        };
        Self { rows, columns: columns.to_vec(), locale: request.locale }
    }

    /// Appends the text before the first row.
    pub fn begin(&self, out: &mut Vec<u8>) {
        match &self.rows {
            Rows::Csv(rows) => rows.begin(out, &self.columns, self.locale),
            Rows::Json(rows) => rows.begin(out),
        }
    }

    /// Appends a row's value for the column with this index.
    pub fn cell(&mut self, out: &mut Vec<u8>, index: usize, kind: ColumnKind, cell: Cell<'_>) {
        match &mut self.rows {
            Rows::Csv(rows) => {
                rows.before_cell(out, index);
                rows.cell(out, kind, cell);
            }
            Rows::Json(rows) => {
                rows.before_cell(out, index);
                rows.cell(out, cell);
            }
        }
    }

    /// Ends a row.
    pub fn end_row(&self, out: &mut Vec<u8>) {
        match &self.rows {
            Rows::Csv(_) => CsvRows::end_row(out),
            Rows::Json(rows) => rows.end_row(out),
        }
    }

    /// Appends the text after the last row.
    pub fn end(&self, out: &mut Vec<u8>) {
        match &self.rows {
            Rows::Csv(_) => {}
            Rows::Json(rows) => rows.end(out),
        }
    }
}
