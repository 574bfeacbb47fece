//! Writes files of snapshots in memory, for tests of the formats.

use chrono::DateTime;
use chrono_tz::Tz;
use domain::Locale;
use domain::dataset::Column;

use super::cell::Cell;
use super::columns::{FileColumn, Origin};
use super::request::{Defaults, ExportRequest};
use super::timestamp::postgres_micros;
use super::writer::Writer;
use super::xlsx::XlsxRows;
use crate::models::staged_snapshot::StagedSnapshot;

/// The file that an export of these rows has.
pub fn file(request: &ExportRequest, rows: &[StagedSnapshot<'_>]) -> Vec<u8> {
    let columns = columns(request);
    let mut writer = Writer::new(request, &columns).unwrap();
    let mut out = Vec::new();
    writer.begin(&mut out).unwrap();
    for row in rows {
        for (index, FileColumn { column, .. }) in columns.iter().enumerate() {
            writer.cell(&mut out, index, column.kind, cell(row, column)).unwrap();
        }
        writer.end_row(&mut out).unwrap();
        if writer.is_group_full() {
            finished(writer.write_group(&mut out)).unwrap();
        }
    }
    finished(writer.end(&mut out)).unwrap();
    out
}

/// The result of what waits for nothing but other tasks, of which there are none.
pub fn finished<T>(task: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(task)
}

/// A workbook of these rows on sheets that each have this number of rows, with the header.
pub fn workbook(request: &ExportRequest, rows: &[StagedSnapshot<'_>], rows_per_sheet: u32) -> Vec<u8> {
    let columns = columns(request);
    let mut writer = XlsxRows::new(request, &columns).with_sheet_limits(rows_per_sheet, u64::MAX);
    let mut out = Vec::new();
    writer.begin(&mut out).unwrap();
    for row in rows {
        for (index, FileColumn { column, .. }) in columns.iter().enumerate() {
            writer.cell(index, column.kind, cell(row, column)).unwrap();
        }
        writer.end_row(&mut out).unwrap();
    }
    writer.end(&mut out).unwrap();
    out
}

/// A request with these parameters.
pub fn request(parameters: &[(&str, &str)]) -> ExportRequest {
    let parameters = parameters.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let today = DateTime::UNIX_EPOCH.date_naive();
    ExportRequest::parse(&parameters, Defaults { locale: Locale::En, timezone: Tz::UTC, today }).unwrap()
}

/// The columns of a file, each of which may have any value.
pub fn columns(request: &ExportRequest) -> Vec<FileColumn> {
    let chosen = request.chosen_columns().into_iter();
    chosen.map(|column| FileColumn { column, origin: Origin::Field(0) }).collect()
}

fn cell<'a>(row: &'a StagedSnapshot<'_>, column: &Column) -> Cell<'a> {
    let id = |id: Option<i64>| id.map_or(Cell::Null, Cell::Integer);
    let text = |text: Option<&'a str>| text.map_or(Cell::Null, |text| Cell::Text(text.as_bytes()));
    match column.key {
        "captured_at" => row.captured_at.map_or(Cell::Null, |at| Cell::Timestamp(postgres_micros(at))),
        "user_id" => Cell::Integer(row.person_id),
        "course_id" => id(row.course_id),
        "lesson_id" => id(row.lesson_id),
        "practice_package_id" => id(row.practice_package_id),
        "category" => text(Some(&row.category)),
        "scope" => text(row.scope.as_deref()),
        "value" => id(row.value.map(i64::from)),
        "payload" => row.payload.as_deref().map_or(Cell::Null, |json| Cell::Json(json.as_bytes())),
        _ => Cell::Null,
    }
}
