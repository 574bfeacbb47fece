//! What an export writes, an import reads back: any rows, in every format and layout.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::clock::SUPPORTED_YEARS;
use crate::export::request::ExportRequest;
use crate::export::writing;
use crate::import::reading;
use crate::models::staged_snapshot::StagedSnapshot;

type Row = StagedSnapshot<'static>;

/// Texts as they are stored: trimmed, and without null characters.
fn text(max_chars: usize) -> impl Strategy<Value = String> {
    let texts = prop_oneof![
        any::<String>(),
        "[-=+@|'\" \t\r\n,;＝a_x0-9]{1,20}",
        Just("_x0041_ _x005F_".to_owned()),
        Just("12.0".to_owned()),
        Just("\u{feff}x".to_owned()),
        Just("\u{1}\u{fffe}\u{ffff}\u{feff}x".to_owned()),
    ];
    texts.prop_filter_map("a blank text is no value", move |text| {
        let text: String = text.trim().replace('\0', "").chars().take(max_chars).collect();
        let text = text.trim().to_owned();
        (!text.is_empty()).then_some(text)
    })
}

fn payload() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|eighths| json!(f64::from(eighths) / 8.0)),
        Just(json!(1e100)),
        Just(json!(-2.5e-30)),
        text(200).prop_map(Value::from),
    ];
    let nested = leaf.prop_recursive(4, 20, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(text(20), inner, 0..5).prop_map(|map| json!(map)),
        ]
    });
    nested.prop_map(|value| if value.is_object() || value.is_array() { value } else { json!([value]) })
}

/// Times in the supported years, most with whole seconds or milliseconds.
fn captured_at() -> impl Strategy<Value = DateTime<Utc>> {
    let bound =
        |year: i32| NaiveDate::from_ymd_opt(year, 1, 2).unwrap().and_time(chrono::NaiveTime::MIN).and_utc();
    let years = bound(*SUPPORTED_YEARS.start()).timestamp()..bound(*SUPPORTED_YEARS.end()).timestamp();
    let seconds = prop_oneof![0_i64..2_145_916_800, years];
    let micros = prop_oneof![Just(0_u32), (0..1000_u32).prop_map(|millis| millis * 1000), 0..1_000_000_u32];
    (seconds, micros).prop_map(|(seconds, micros)| DateTime::from_timestamp(seconds, micros * 1000).unwrap())
}

prop_compose! {
    fn row()(
        person_id in 1..=domain::filter::MAX_ID,
        course_id in prop::option::of(1..1_000_i64),
        lesson_id in prop::option::of(1..=domain::filter::MAX_ID),
        practice_package_id in prop::option::of(1..9_i64),
        category in text(50),
        scope in prop::option::of(text(300)),
        value in prop::option::of(0..=i32::MAX),
        payload in prop::option::of(payload()),
        captured_at in captured_at(),
    ) -> Row {
        StagedSnapshot {
            line: 0,
            person_id,
            course_id,
            lesson_id,
            practice_package_id,
            category: Cow::Owned(category),
            scope: scope.map(Cow::Owned),
            value,
            payload: payload.map(|payload| Cow::Owned(payload.to_string())),
            captured_at: Some(captured_at),
        }
    }
}

/// A request for one of the formats, with a layout, a time zone and an order of the columns.
fn request() -> impl Strategy<Value = ExportRequest> {
    let columns = crate::models::snapshot_table::SnapshotTable::Student.dataset().describe().import.unwrap();
    let options = (
        prop::sample::select(vec!["csv", "json", "ndjson", "xlsx"]),
        prop::sample::select(vec![",", ";"]),
        prop::sample::select(vec![".", ","]),
        prop::sample::select(vec!["0", "1"]),
        prop::sample::select(vec!["keys", "labels"]),
        prop::sample::select(vec!["es", "en"]),
        prop::sample::select(&TZ_VARIANTS[..]),
        Just(columns.to_vec()).prop_shuffle(),
        prop::sample::select(vec!["0", "1"]),
    );
    options.prop_map(|(format, delimiter, decimal, bom, headers, locale, zone, columns, names)| {
        let columns = columns.join(",");
        let parameters = [
            ("dataset", "student_activity_snapshots"),
            ("format", format),
            ("delimiter", delimiter),
            ("decimal", decimal),
            ("bom", bom),
            ("headers", headers),
            ("locale", locale),
            ("timezone", zone.name()),
            ("columns", &*columns),
            ("names", names),
        ];
        writing::request(&parameters)
    })
}

/// The values of a row. JSON is compared by its values.
fn values(row: &Row) -> (Row, Option<Value>) {
    let payload = row.payload.as_deref().map(|payload| serde_json::from_str(payload).unwrap());
    (Row { line: 0, payload: None, ..row.clone() }, payload)
}

fn assert_read_back(file: &[u8], rows: &[Row]) -> Result<(), TestCaseError> {
    let read = reading::read_rows(file, Tz::Asia__Tokyo);
    let read: Vec<_> = read.iter().map(|row| row.as_ref().map(values)).collect();
    let expected: Vec<_> = rows.iter().map(|row| Ok(values(row))).collect();
    prop_assert_eq!(read, expected);
    Ok(())
}

proptest! {
    #[test]
    fn exported_rows_are_imported_unchanged(request in request(), rows in prop::collection::vec(row(), 0..6)) {
        let file = writing::file(&request, &rows);
        if rows.is_empty() && file.is_empty() {
            return Ok(());
        }
        assert_read_back(&file, &rows)?;
    }

    #[test]
    fn rows_on_several_sheets_are_read_back(rows in prop::collection::vec(row(), 1..9), rows_per_sheet in 2..5_u32) {
        let request = writing::request(&[
            ("dataset", "student_activity_snapshots"),
            ("format", "xlsx"),
            ("timezone", "Europe/Madrid"),
        ]);
        assert_read_back(&writing::workbook(&request, &rows, rows_per_sheet), &rows)?;
    }

    #[test]
    fn no_part_of_a_csv_file_is_a_formula(mut request in request(), rows in prop::collection::vec(row(), 1..6)) {
        request.format = domain::ExportFormat::Csv;
        let file = String::from_utf8(writing::file(&request, &rows)).unwrap();
        for part in file.split([',', ';', '\t', '\n', '\r']) {
            let start = part.trim_start_matches(|character: char| character == '"' || character.is_whitespace());
            let is_formula = start.starts_with(['=', '+', '-', '@', '|', '＝', '＋', '－', '＠']);
            prop_assert!(!is_formula || is_json_number(start), "{part:?}");
        }
    }
}

/// A negative number in an array or an object.
fn is_json_number(part: &str) -> bool {
    part.trim_end_matches(['"', ']', '}']).parse::<f64>().is_ok()
}
