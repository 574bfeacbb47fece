//! A common interface for all formats.

use anyhow::Result;
use domain::dataset::ColumnKind;
use domain::{ExportFormat, Locale};

use super::cell::Cell;
use super::columns::FileColumn;
use super::csv::CsvRows;
use super::json::{Framing, JsonRows};
use super::parquet::ParquetRows;
use super::request::ExportRequest;
use super::timestamp::TimestampWriter;
use super::xlsx::XlsxRows;

/// Writes rows in the requested format.
pub struct Writer {
    rows: Rows,
    columns: Vec<FileColumn>,
    locale: Locale,
}

enum Rows {
    Csv(CsvRows),
    Json(JsonRows),
    Xlsx(Box<XlsxRows>),
    Parquet(Box<ParquetRows>),
}

impl Writer {
    /// Creates a writer for a request.
    pub fn new(request: &ExportRequest, columns: &[FileColumn]) -> Result<Self> {
        let timestamps = TimestampWriter::new(request.timezone);
        let rows = match request.format {
            ExportFormat::Csv => Rows::Csv(CsvRows::new(request.layout, timestamps, columns.len())),
            ExportFormat::Ndjson => Rows::Json(JsonRows::new(Framing::Lines, columns, timestamps)),
            ExportFormat::Json => Rows::Json(JsonRows::new(Framing::Array, columns, timestamps)),
            ExportFormat::Xlsx => Rows::Xlsx(Box::new(XlsxRows::new(request, columns))),
            ExportFormat::Parquet => Rows::Parquet(Box::new(ParquetRows::new(request, columns)?)),
        };
        Ok(Self { rows, columns: columns.to_vec(), locale: request.locale })
    }

    /// Appends what comes before the first row.
    pub fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        match &mut self.rows {
            Rows::Csv(rows) => rows.begin(out, &self.columns, self.locale),
            Rows::Json(rows) => rows.begin(out),
            Rows::Xlsx(rows) => rows.begin(out)?,
            Rows::Parquet(rows) => rows.begin(out)?,
        }
        Ok(())
    }

    /// Adds a row's value for the column with this index.
    pub fn cell(&mut self, out: &mut Vec<u8>, index: usize, kind: ColumnKind, cell: Cell<'_>) -> Result<()> {
        match &mut self.rows {
            Rows::Csv(rows) => {
                rows.before_cell(out, index);
                rows.cell(out, kind, cell);
            }
            Rows::Json(rows) => {
                rows.before_cell(out, index);
                rows.cell(out, cell);
            }
            Rows::Xlsx(rows) => rows.cell(index, kind, cell)?,
            Rows::Parquet(rows) => rows.cell(index, kind, cell)?,
        }
        Ok(())
    }

    /// Ends a row.
    pub fn end_row(&mut self, out: &mut Vec<u8>) -> Result<()> {
        match &mut self.rows {
            Rows::Csv(_) => CsvRows::end_row(out),
            Rows::Json(rows) => rows.end_row(out),
            Rows::Xlsx(rows) => rows.end_row(out)?,
            Rows::Parquet(rows) => rows.end_row(),
        }
        Ok(())
    }

    /// Whether rows wait until there are enough of them for [`Self::write_group`].
    pub const fn collects_groups(&self) -> bool {
        match self.rows {
            Rows::Csv(_) | Rows::Json(_) | Rows::Xlsx(_) => false,
            Rows::Parquet(_) => true,
        }
    }

    /// Whether rows are waiting that must be written before the next one, by [`Self::write_group`].
    pub fn is_group_full(&self) -> bool {
        match &self.rows {
            Rows::Csv(_) | Rows::Json(_) | Rows::Xlsx(_) => false,
            Rows::Parquet(rows) => rows.is_group_full(),
        }
    }

    /// Appends the rows that are waiting.
    pub async fn write_group(&mut self, out: &mut Vec<u8>) -> Result<()> {
        match &mut self.rows {
            Rows::Csv(_) | Rows::Json(_) | Rows::Xlsx(_) => Ok(()),
            Rows::Parquet(rows) => rows.write_group(out).await,
        }
    }

    /// Appends what comes after the last row.
    pub async fn end(self, out: &mut Vec<u8>) -> Result<()> {
        match self.rows {
            Rows::Csv(_) => Ok(()),
            Rows::Json(rows) => {
                rows.end(out);
                Ok(())
            }
            Rows::Xlsx(rows) => rows.end(out),
            Rows::Parquet(rows) => rows.end(out).await,
        }
    }
}
