//! Writes Apache Parquet files (<https://parquet.apache.org/docs/file-format/>), one row group at a time.
//!
//! Columns have their types: ids and whole numbers are INT64, timestamps are microseconds in UTC, and JSON columns have the
//! logical type JSON. Texts are unchanged, since no program takes them for formulas.

mod column;

use std::sync::Arc;

use anyhow::Result;
use domain::dataset::ColumnKind;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use self::column::ColumnChunk;
use super::cell::Cell;
use super::columns::FileColumn;
use super::json_columns;
use super::request::ExportRequest;
use super::shared_buffer::SharedBuffer;
use super::timestamp::TimestampWriter;

/// The number of rows at which a row group is full.
const GROUP_ROWS: usize = 50_000;

/// The size of its values at which a row group is full. They are in memory.
const GROUP_BYTES: usize = 4 << 20;

/// The size of a page of a column, and of its dictionary. The allocator keeps a multiple of it.
const PAGE_BYTES: usize = 128 << 10;

/// Writes rows as a Parquet file.
pub struct ParquetRows {
    file: SerializedFileWriter<SharedBuffer>,
    written: SharedBuffer,
    /// The values of the row group.
    columns: Vec<ColumnChunk>,
    timestamps: TimestampWriter,
    rows: usize,
    bytes: usize,
}

impl ParquetRows {
    /// Creates a writer for a request.
    pub fn new(request: &ExportRequest, columns: &[FileColumn]) -> Result<Self> {
        let fields = columns.iter().map(|FileColumn { column, .. }| column::field(column).map(Arc::new));
        let schema = Type::group_type_builder(request.dataset.key())
            .with_fields(fields.collect::<Result<_, _>>()?)
            .build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_data_page_size_limit(PAGE_BYTES)
            .set_dictionary_page_size_limit(PAGE_BYTES)
            .set_created_by(concat!("dataporter ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let written = SharedBuffer::default();
        Ok(Self {
            file: SerializedFileWriter::new(written.clone(), Arc::new(schema), Arc::new(properties))?,
            written,
            columns: columns.iter().map(|FileColumn { column, .. }| ColumnChunk::new(column.kind)).collect(),
            timestamps: TimestampWriter::new(request.timezone),
            rows: 0,
            bytes: 0,
        })
    }

    /// Starts the file.
    pub fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.file.flush()?;
        self.written.drain_into(out);
        Ok(())
    }

    /// Adds a value to the row group.
    pub fn cell(&mut self, index: usize, kind: ColumnKind, cell: Cell<'_>) -> Result<()> {
        let column = &mut self.columns[index];
        self.bytes += match cell {
            Cell::BuiltJson(json) => {
                column.push(kind, Cell::Json(&json_columns::converted(json, &mut self.timestamps)))?
            }
            cell => column.push(kind, cell)?,
        };
        Ok(())
    }

    /// Ends a row.
    pub const fn end_row(&mut self) {
        self.rows += 1;
    }

    /// Whether the row group is full. It must be written then.
    pub const fn is_group_full(&self) -> bool {
        self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES
    }

    /// Writes the row group, with a break for other tasks after each column, which takes some milliseconds.
    ///
    /// On threads for long work, each of them would keep memory for the next group.
    pub async fn write_group(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.rows > 0 {
            let mut group = self.file.next_row_group()?;
            for column in &mut self.columns {
                if let Some(writer) = group.next_column()? {
                    column.write(writer)?;
                }
                tokio::task::yield_now().await;
            }
            group.close()?;
            (self.rows, self.bytes) = (0, 0);
        }
        self.file.flush()?;
        self.written.drain_into(out);
        Ok(())
    }

    /// Ends the file.
    pub async fn end(mut self, out: &mut Vec<u8>) -> Result<()> {
        self.write_group(out).await?;
        let Self { file, written, .. } = self;
        file.close()?;
        written.drain_into(out);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
