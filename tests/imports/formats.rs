//! CSV, JSON, NDJSON and Excel workbooks with the same rows are the same import.

use domain::access::Role;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use serde_json::{Value, json};

use super::{ALL_OR_NOTHING, SKIP_INVALID, counts, hub, import, student_snapshots};

/// The same rows in each format.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let rows = json!([
        {"user_id": 7, "course_id": 1, "scope": "=a, b", "value": 3, "payload": {"b": [1.5, null], "a": "ñ"},
            "captured_at": "2026-11-16T09:00:00.5+01:00"},
        {"user_id": "8", "lesson_id": 11, "category": "quiz", "payload": "note", "captured_at": "2026-11-16"},
    ]);
    let lines: String = rows.as_array().unwrap().iter().map(|row| format!("{row}\n")).collect();
    let csv = "user_id;course_id;lesson_id;category;scope;value;payload;captured_at\r\n\
        7;1;;;'=a, b;3;\"{\"\"a\"\": \"\"ñ\"\", \"\"b\"\": [1.5, null]}\";2026-11-16T09:00:00.5+01:00\r\n\
        8;;11;quiz;;;note;2026-11-16\r\n";
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let titles = [
        "ID de estudiante",
        "course_id",
        "lesson_id",
        "category",
        "Ámbito",
        "Value",
        "payload",
        "captured_at",
    ];
    sheet.write_row(0, 0, titles).unwrap();
    sheet.write_row(1, 0, [7, 1]).unwrap();
    sheet.write(1, 4, "'=a, b").unwrap();
    sheet.write(1, 5, 3).unwrap();
    sheet.write(1, 6, r#"{"a": "ñ", "b": [1.5, null]}"#).unwrap();
    sheet.write(1, 7, "2026-11-16T09:00:00.5+01:00").unwrap();
    sheet.write(2, 0, 8).unwrap();
    sheet.write(2, 2, 11).unwrap();
    sheet.write(2, 3, "quiz").unwrap();
    sheet.write(2, 6, "note").unwrap();
    let date = Format::new().set_num_format("dd/mm/yyyy");
    sheet.write_with_format(2, 7, ExcelDateTime::from_ymd(2026, 11, 16).unwrap(), &date).unwrap();
    vec![
        ("json", serde_json::to_vec_pretty(&rows).unwrap()),
        ("ndjson", lines.into_bytes()),
        ("csv", csv.as_bytes().to_vec()),
        ("xlsx", workbook.save_to_buffer().unwrap()),
    ]
}

#[tokio::test]
async fn every_format_gives_the_same_rows() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    for (format, file) in files() {
        assert_eq!(
            counts(&import(&hub, &admin, ALL_OR_NOTHING, file).await),
            json!(["DONE", 2, 0, 0]),
            "{format}"
        );
        assert_eq!(
            student_snapshots(&hub).await,
            [
                "2026-11-16 08:00:00.5+00 7 1 custom =a, b 3 {\"a\": \"ñ\", \"b\": [1.5, null]}",
                "2026-11-16 00:00:00+00 8 11 quiz {\"raw\": \"note\"}",
            ],
            "{format}"
        );
        for (other, file) in files() {
            let repeated = import(&hub, &admin, ALL_OR_NOTHING, file).await;
            assert_eq!(counts(&repeated), json!(["DONE", 0, 2, 0]), "{other} after {format}");
        }
        hub.sql("DELETE FROM student_activity_snapshots").await;
    }
}

#[tokio::test]
async fn rejected_rows_of_every_format_have_their_line() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.write_row(0, 0, ["user_id", "value"]).unwrap();
    sheet.write_row(1, 0, [7, 1]).unwrap();
    sheet.write_row(3, 0, [99, 1]).unwrap();
    for file in [
        b"user_id,value\n7,1\n\n99,1\n".to_vec(),
        b"\n{\"user_id\": 7, \"value\": 1}\n\n{\"user_id\": 99, \"value\": 1}\n".to_vec(),
        b"[\n{\"user_id\": 7,\n\"value\": 1}, {\n\"user_id\": 99,\n\"value\": 1}]".to_vec(),
        workbook.save_to_buffer().unwrap(),
    ] {
        let line = if file.starts_with(b"[") { 3 } else { 4 };
        let imported = import(&hub, &admin, SKIP_INVALID, file).await;
        let expected: Value = json!([
            {"line": line, "column": "user_id", "value": "99", "reason": "Nothing with this ID exists."}
        ]);
        assert_eq!(imported["rejectedRows"], expected);
    }
}

/// A value that is equal as JSON is the same row, whatever its text. `{}` is not null.
#[tokio::test]
async fn json_payloads_are_compared_as_values() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let file = r#"[
        {"user_id": 7, "captured_at": "2026-11-16", "payload": {"a": 1.0, "b": [true]}},
        {"user_id": 7, "captured_at": "2026-11-16", "payload": "{\"b\": [true], \"a\": 1}"},
        {"user_id": 7, "captured_at": "2026-11-16", "payload": {}},
        {"user_id": 7, "captured_at": "2026-11-16", "payload": null},
        {"user_id": 7, "captured_at": "2026-11-16"},
        {"user_id": 7, "captured_at": "2026-11-16", "payload": []}
    ]"#;
    assert_eq!(counts(&import(&hub, &admin, ALL_OR_NOTHING, file).await), json!(["DONE", 4, 2, 0]));
    assert_eq!(counts(&import(&hub, &admin, ALL_OR_NOTHING, file).await), json!(["DONE", 0, 6, 0]));
}
