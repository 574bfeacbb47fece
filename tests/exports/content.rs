//! What is in the files, byte for byte.

use domain::Dataset;
use serde_json::{Value, json};

use super::download::Exporter;

/// Line ends as one can see them, since a snapshot would take one for the other.
fn visible(text: &str) -> String {
    text.replace('\r', "␍").replace('\n', "␊\n").replace('\u{feff}', "[BOM]")
}

#[tokio::test]
async fn every_dataset_is_written_in_every_format() {
    let exporter = Exporter::of_an_academy().await;
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
            let file = exporter.file(&request).await;
            let file = if format == "csv" && headers == "labels" {
                // The rows are those of the machine's file.
                file.lines().next().unwrap().to_owned()
            } else {
                file
            };
            files += &format!("--- {format} {headers} {locale}\n{}\n", visible(&file));
        }
        insta::assert_snapshot!(dataset.key(), files);
    }
}

#[tokio::test]
async fn json_files_are_json_with_the_columns_in_their_order() {
    let exporter = Exporter::of_an_academy().await;
    for dataset in Dataset::ALL {
        let array = exporter.file(&json!({"dataset": dataset.key(), "format": "json"})).await;
        let rows: Vec<Value> = serde_json::from_str(&array).unwrap();
        let lines = exporter.file(&json!({"dataset": dataset.key(), "format": "ndjson"})).await;
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows, lines);
        assert!(!array.contains("a-secret"));
        for column in dataset.describe().columns {
            assert!(rows.iter().all(|row| row.get(column.key).is_some()), "{}", column.key);
        }
    }
}

#[tokio::test]
async fn a_file_without_rows_is_whole_all_the_same() {
    let exporter = Exporter::new().await;
    let file = async |format: &str| {
        let request = json!({"dataset": "course_teacher_assignments", "format": format, "headers": "keys"});
        exporter.file(&request).await
    };
    let header = "assigned_at,course_id,course_slug,teacher_id,teacher_email,assigned_by,assigner_email\r\n";
    assert_eq!(file("csv").await, header);
    assert_eq!(serde_json::from_str::<Value>(&file("json").await).unwrap(), json!([]));
    assert_eq!(file("ndjson").await, "");
}
