//! The three text formats behind one face.

use domain::dataset::ColumnKind;
use domain::{ExportFormat, Locale};

use super::cell::Cell;
use super::columns::FileColumn;
use super::csv::CsvRows;
use super::json::{Framing, JsonRows};
use super::moment::Moments;
use super::request::ExportRequest;

/// Writes rows in the format that somebody asked for.
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
    /// A writer for a request.
    pub fn new(request: &ExportRequest, columns: &[FileColumn]) -> Self {
        let moments = Moments::new(request.timezone);
        let rows = match request.format {
            ExportFormat::Ndjson => Rows::Json(JsonRows::new(Framing::Lines, columns, moments)),
            ExportFormat::Json => Rows::Json(JsonRows::new(Framing::Array, columns, moments)),
            // A request with a format that cannot be written yet is refused when it is read.
            ExportFormat::Csv | ExportFormat::Xlsx | ExportFormat::Parquet => {
                Rows::Csv(CsvRows::new(request.layout, moments))
            }
        };
        Self { rows, columns: columns.to_vec(), locale: request.locale }
    }

    /// Appends what stands before the first row.
    pub fn begin(&self, out: &mut Vec<u8>) {
        match &self.rows {
            Rows::Csv(rows) => rows.begin(out, &self.columns, self.locale),
            Rows::Json(rows) => rows.begin(out),
        }
    }

    /// Appends the value of a row's next column.
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

    /// Appends what stands behind the last row.
    pub fn end(&self, out: &mut Vec<u8>) {
        match &self.rows {
            Rows::Csv(_) => {}
            Rows::Json(rows) => rows.end(out),
        }
    }
}
