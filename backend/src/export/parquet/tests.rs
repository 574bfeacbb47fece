use bytes::Bytes;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;

use super::*;
use crate::export::writing;

fn request() -> ExportRequest {
    let columns = "captured_at,user_id,category,value,payload";
    writing::request(&[
        ("dataset", "student_activity_snapshots"),
        ("format", "parquet"),
        ("columns", columns),
    ])
}

#[test]
fn every_value_is_in_a_row_group() {
    let request = request();
    let columns = writing::columns(&request);
    let mut rows = ParquetRows::new(&request, &columns).unwrap();
    let mut out = Vec::new();
    rows.begin(&mut out).unwrap();
    assert_eq!(out, b"PAR1", "the first bytes are written before the first row");
    let count = i64::try_from(GROUP_ROWS).unwrap() + 3;
    for number in 0..count {
        let text = format!("={number}");
        let cells = [
            Cell::Timestamp(number),
            if number % 2 == 0 { Cell::Null } else { Cell::Integer(number) },
            Cell::Text(text.as_bytes()),
            Cell::Integer(number),
            Cell::Json(b"{\"a\": [1]}"),
        ];
        for (index, cell) in cells.into_iter().enumerate() {
            rows.cell(index, columns[index].column.kind, cell).unwrap();
        }
        rows.end_row();
        assert_eq!(rows.is_group_full(), number + 1 == i64::try_from(GROUP_ROWS).unwrap());
        if rows.is_group_full() {
            writing::finished(rows.write_group(&mut out)).unwrap();
        }
    }
    writing::finished(rows.end(&mut out)).unwrap();

    let file = SerializedFileReader::new(Bytes::from(out)).unwrap();
    assert_eq!(file.num_row_groups(), 2);
    let mut read = 0;
    for (number, row) in file.get_row_iter(None).unwrap().enumerate() {
        let number = i64::try_from(number).unwrap();
        let row: Vec<Field> = row.unwrap().into_columns().into_iter().map(|(_, field)| field).collect();
        let expected = [
            Field::TimestampMicros(946_684_800_000_000 + number),
            if number % 2 == 0 { Field::Null } else { Field::Long(number) },
            Field::Str(format!("={number}")),
            Field::Long(number),
            Field::Str("{\"a\": [1]}".to_owned()),
        ];
        assert_eq!(row, expected);
        read += 1;
    }
    assert_eq!(read, count);
    let schema = file.metadata().file_metadata().schema_descr_ptr();
    let timestamp = schema.column(0).logical_type_ref().cloned();
    assert_eq!(
        timestamp,
        Some(parquet::basic::LogicalType::timestamp(true, parquet::basic::TimeUnit::MICROS))
    );
}

#[test]
fn a_row_group_is_full_by_its_size() {
    let request = request();
    let columns = writing::columns(&request);
    let mut rows = ParquetRows::new(&request, &columns).unwrap();
    let long = vec![b'x'; 1 << 20];
    let mut count = 0;
    while !rows.is_group_full() {
        rows.cell(2, ColumnKind::Text, Cell::Text(&long)).unwrap();
        rows.end_row();
        count += 1;
    }
    assert_eq!(count, GROUP_BYTES / long.len());
}
