//! The exact content of exported files.

use domain::Dataset;
use serde_json::{Value, json};

use super::download::Exporter;

/// Makes line breaks and byte order marks visible, since snapshots normalize line breaks.
fn show_line_breaks(text: &str) -> String {
    text.replace('\r', "␍").replace('\n', "␊\n").replace('\u{feff}', "[BOM]")
}

#[tokio::test]
async fn every_dataset_is_written_in_every_format() {
    let exporter = Exporter::with_sample_rows().await;
    for dataset in Dataset::ALL {
        let mut files = String::new();
        for (format, headers, locale) in [
            ("csv", "labels", "es"),
            ("csv", "labels", "en"),
            ("csv", "keys", "es"),
            ("json", "", ""),
            ("ndjson", "", ""),
        ] {
            let mut request = json!({"dataset": dataset.key(), "format": format});
            if format == "csv" {
                request["headers"] = json!(headers);
                request["locale"] = json!(locale);
            }
            let file = exporter.download(&request).await;
            let file = if format == "csv" && headers == "labels" {
                // The rows are the same as with keys as headers.
                file.lines().next().unwrap().to_owned()
            } else {
                file
            };
            files += &format!("--- {format} {headers} {locale}\n{}\n", show_line_breaks(&file));
        }
        insta::assert_snapshot!(dataset.key(), files);
    }
}

#[tokio::test]
async fn json_and_ndjson_files_have_the_same_rows_and_every_column() {
    let exporter = Exporter::with_sample_rows().await;
    for dataset in Dataset::ALL {
        let array = exporter.download(&json!({"dataset": dataset.key(), "format": "json"})).await;
        let rows: Vec<Value> = serde_json::from_str(&array).unwrap();
        let lines = exporter.download(&json!({"dataset": dataset.key(), "format": "ndjson"})).await;
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows, lines);
        assert!(!array.contains("a-secret"));
        for column in dataset.describe().columns {
            assert!(rows.iter().all(|row| row.get(column.key).is_some()), "{}", column.key);
        }
    }
}

#[tokio::test]
async fn a_file_without_rows_is_still_valid() {
    let exporter = Exporter::new().await;
    let file = async |format: &str| {
        let request = json!({"dataset": "course_teacher_assignments", "format": format, "headers": "keys"});
        exporter.download(&request).await
    };
    let header = "assigned_at,course_id,course_slug,teacher_id,teacher_email,assigned_by,assigner_email\r\n";
    assert_eq!(file("csv").await, header);
    assert_eq!(serde_json::from_str::<Value>(&file("json").await).unwrap(), json!([]));
    assert_eq!(file("ndjson").await, "");
}
