//! The columns of a Parquet file.

use anyhow::{Context as _, Result, bail};
use bytes::{Bytes, BytesMut};
use domain::dataset::{Column, ColumnKind};
use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedColumnWriter;
use parquet::schema::types::Type;

use crate::export::cell::Cell;
use crate::export::timestamp::unix_micros;

/// The definition level of a value, and of a null.
const VALUE: i16 = 1;
const NULL: i16 = 0;

/// The values of a column in one row group.
#[derive(Debug)]
pub struct ColumnChunk {
    values: Values,
    /// For each row, whether it has a value.
    levels: Vec<i16>,
}

#[derive(Debug)]
enum Values {
    Integers(Vec<i64>),
    Decimals(Vec<f64>),
    Booleans(Vec<bool>),
    /// All texts, concatenated, and the end of each.
    Texts(BytesMut, Vec<usize>),
}

/// The type of a column. Every column may have nulls.
pub fn field(column: &Column) -> Result<Type, ParquetError> {
    let utc_micros = LogicalType::timestamp(true, TimeUnit::MICROS);
    let (physical, logical) = match column.kind {
        ColumnKind::Id | ColumnKind::Integer => (PhysicalType::INT64, None),
        ColumnKind::Decimal => (PhysicalType::DOUBLE, None),
        ColumnKind::Boolean => (PhysicalType::BOOLEAN, None),
        ColumnKind::Timestamp => (PhysicalType::INT64, Some(utc_micros)),
        ColumnKind::Text => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        ColumnKind::Json => (PhysicalType::BYTE_ARRAY, Some(LogicalType::Json)),
    };
    Type::primitive_type_builder(column.key, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()
}

impl ColumnChunk {
    /// No values of this kind.
    pub fn new(kind: ColumnKind) -> Self {
        let values = match kind {
            ColumnKind::Id | ColumnKind::Integer | ColumnKind::Timestamp => Values::Integers(Vec::new()),
            ColumnKind::Decimal => Values::Decimals(Vec::new()),
            ColumnKind::Boolean => Values::Booleans(Vec::new()),
            ColumnKind::Text | ColumnKind::Json => Values::Texts(BytesMut::new(), Vec::new()),
        };
        Self { values, levels: Vec::new() }
    }

    /// Adds a value, and returns its size.
    pub fn push(&mut self, kind: ColumnKind, cell: Cell<'_>) -> Result<usize> {
        let size = match (&mut self.values, cell) {
            (_, Cell::Null) => {
                self.levels.push(NULL);
                return Ok(size_of::<i16>());
            }
            (Values::Integers(values), Cell::Integer(number)) => {
                values.push(number);
                size_of::<i64>()
            }
            (Values::Integers(values), Cell::Timestamp(micros)) => {
                values.push(unix_micros(micros));
                size_of::<i64>()
            }
            (Values::Decimals(values), Cell::Decimal(number)) => {
                values.push(number);
                size_of::<f64>()
            }
            (Values::Booleans(values), Cell::Boolean(value)) => {
                values.push(value);
                size_of::<bool>()
            }
            (Values::Texts(texts, ends), Cell::Text(text) | Cell::Json(text)) => {
                texts.extend_from_slice(text);
                ends.push(texts.len());
                text.len() + size_of::<usize>()
            }
            (_, cell) => bail!("A column of the kind {kind:?} has the value {cell:?}"),
        };
        self.levels.push(VALUE);
        Ok(size + size_of::<i16>())
    }

    /// Writes the values and forgets them.
    pub fn write(&mut self, mut writer: SerializedColumnWriter<'_>) -> Result<()> {
        let levels = Some(&self.levels[..]);
        let mut written = Bytes::new();
        match &mut self.values {
            Values::Integers(values) => {
                writer.typed::<Int64Type>().write_batch(values, levels, None)?;
                values.clear();
            }
            Values::Decimals(values) => {
                writer.typed::<DoubleType>().write_batch(values, levels, None)?;
                values.clear();
            }
            Values::Booleans(values) => {
                writer.typed::<BoolType>().write_batch(values, levels, None)?;
                values.clear();
            }
            Values::Texts(texts, ends) => {
                written = std::mem::take(texts).freeze();
                let starts = std::iter::once(0).chain(ends.iter().copied());
                let values = starts.zip(ends.iter().copied());
                let values: Vec<ByteArray> =
                    values.map(|(start, end)| written.slice(start..end).into()).collect();
                writer.typed::<ByteArrayType>().write_batch(&values, levels, None)?;
                ends.clear();
            }
        }
        self.levels.clear();
        writer.close().context("Failed to write a column of a Parquet file")?;
        // Nothing refers to the texts any more, so their memory is used again.
        if let (Values::Texts(texts, _), Ok(mut buffer)) = (&mut self.values, written.try_into_mut()) {
            buffer.clear();
            *texts = buffer;
        }
        Ok(())
    }
}
