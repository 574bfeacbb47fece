//! Options of an export: columns, layout, language, time zone and dates.

use serde_json::{Value, json};

use super::download::Exporter;
use crate::harness::hub::Hub;

const EVENTS: &str = "video_player_events";

#[tokio::test]
async fn the_file_has_the_chosen_columns_in_order() {
    let exporter = Exporter::with_sample_rows().await;
    let mut request = json!({"dataset": EVENTS, "format": "csv", "columns": ["event", "user_email", "recorded_at"], "headers": "keys"});
    let rows = "event,user_email,recorded_at\r\n\
                play,'+bo@example.com,2026-11-01T00:00:00Z\r\n\
                cta_click,,2026-11-01T00:00:00Z\r\n\
                progress_tick,ana.ñandú@example.com,2026-10-31T23:59:59.999999Z\r\n";
    assert_eq!(exporter.download(&request).await, rows);
    request["columns"] = json!("event,user_email,recorded_at");
    assert_eq!(exporter.download(&request).await, rows);
    request["format"] = json!("ndjson");
    let first = r#"{"event":"play","user_email":"+bo@example.com","recorded_at":"2026-11-01T00:00:00Z"}"#;
    assert_eq!(exporter.download(&request).await.lines().next(), Some(first));
}

#[tokio::test]
async fn every_csv_layout_has_its_delimiter_and_decimal_mark() {
    let exporter = Exporter::with_sample_rows().await;
    let columns = json!(["playback_rate", "metadata", "context_tag"]);
    let mut files = String::new();
    for delimiter in [",", ";"] {
        for decimal in [".", ","] {
            let request = json!({
                "dataset": EVENTS, "format": "csv", "columns": columns, "locale": "en",
                "delimiter": delimiter, "decimal": decimal, "bom": delimiter == ";",
            });
            let file = exporter.download(&request).await;
            assert_eq!(file.starts_with('\u{feff}'), delimiter == ";");
            files += &format!(
                "--- delimiter {delimiter} decimal {decimal}\n{}",
                file.replace('\u{feff}', "[BOM]")
            );
        }
    }
    insta::assert_snapshot!(files.replace('\r', ""));
}

#[tokio::test]
async fn timestamps_use_the_chosen_time_zone_across_dst_changes() {
    let exporter = Exporter::new().await;
    let insert = "SELECT ensure_player_event_partitions('2026-03-01', '2026-10-31');
        INSERT INTO video_player_events (recorded_at, event) SELECT moment::timestamptz, 'play' FROM unnest(ARRAY[
            '2026-03-29 00:59:59.5Z', '2026-03-29 01:00Z', '2026-10-25 00:59:59Z', '2026-10-25 01:00:00.000001Z']) AS moment";
    exporter.hub.sql(insert).await;
    let file = async |timezone: Value| {
        let columns = json!(["recorded_at"]);
        let request = json!({"dataset": EVENTS, "format": "csv", "headers": "keys", "columns": columns, "timezone": timezone});
        let file = exporter.download(&request).await;
        file.lines().skip(1).map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let madrid = [
        "2026-10-25T02:00:00.000001+01:00",
        "2026-10-25T02:59:59+02:00",
        "2026-03-29T03:00:00+02:00",
        "2026-03-29T01:59:59.500+01:00",
    ];
    assert_eq!(file(json!("Europe/Madrid")).await, madrid);
    assert_eq!(file(json!("Asia/Kolkata")).await[1], "2026-10-25T06:29:59+05:30");
    assert_eq!(file(Value::Null).await[1], "2026-10-25T00:59:59Z");
}

#[tokio::test]
async fn history_timestamps_use_the_chosen_time_zone() {
    let exporter = Exporter::with_sample_rows().await;
    let file = async |format: &str| {
        let request = json!({
            "dataset": "teacher_submissions", "format": format, "headers": "keys", "timezone": "America/Bogota",
            "columns": ["reviewed_at", "history"], "filters": {"course_id": 1},
        });
        exporter.download(&request).await
    };
    let reviewed = "2026-11-07T04:00:00-05:00";
    let history = json!([
        {"status": "pending", "changed_by": 21, "changed_at": "2026-11-06T04:00:00-05:00", "notes": null},
        {"status": "approved", "changed_by": 22, "changed_at": "2026-11-07T04:00:00.500-05:00", "notes": "Sí, \"listo\""},
    ]);
    let rows: Value = serde_json::from_str(&file("json").await).unwrap();
    assert_eq!(rows, json!([{"reviewed_at": reviewed, "history": history}]));

    let csv = file("csv").await;
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_reader(csv.as_bytes()).into_records().collect::<Result<_, _>>().unwrap();
    assert_eq!(&rows[0][0], reviewed);
    assert_eq!(serde_json::from_str::<Value>(&rows[0][1]).unwrap(), history);

    let query = "{ teacherSubmissions(filter: {courseId: 1}) { nodes { history { changedAt } } } }";
    let response = exporter.hub.graphql(query).by(&exporter.admin.token).data().await;
    let changes = &response["teacherSubmissions"]["nodes"][0]["history"];
    assert_eq!(changes[1]["changedAt"], "2026-11-07T09:00:00.500+00:00");
}

#[tokio::test]
async fn a_date_covers_the_whole_day_in_the_hubs_time_zone() {
    let hub = Hub::with(|config| config.hub.timezone = "America/Bogota".parse().unwrap()).await;
    let exporter = Exporter::on(hub).await;
    let insert = "SELECT ensure_player_event_partitions('2026-11-01', '2026-11-30');
        INSERT INTO video_player_events (recorded_at, event) SELECT moment::timestamptz, 'play' FROM unnest(ARRAY[
            '2026-11-16 04:59:59.999999Z', '2026-11-16 05:00Z', '2026-11-17 04:59:59.999999Z', '2026-11-17 05:00Z']) AS moment";
    exporter.hub.sql(insert).await;
    let file = async |from: &str, to: &str| {
        let filters = json!({"date_from": from, "date_to": to});
        let request =
            json!({"dataset": EVENTS, "format": "csv", "columns": ["recorded_at"], "filters": filters});
        let file = exporter.download(&request).await;
        file.lines().skip(1).map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let day = ["2026-11-16T23:59:59.999999-05:00", "2026-11-16T00:00:00-05:00"];
    assert_eq!(file("2026-11-16", "2026-11-16").await, day);
    assert_eq!(file("2026-11-16", "2026-11-17").await.len(), 3);
    assert_eq!(file("2026-11-16", "").await.len(), 3);
    assert_eq!(file("", "2026-11-15").await, ["2026-11-15T23:59:59.999999-05:00"]);
    assert_eq!(file("2026-11-16T05:00:00Z", "2026-11-17T00:00:00-05:00").await.len(), 3);
}

#[tokio::test]
async fn names_are_beside_their_ids() {
    let exporter = Exporter::with_sample_rows().await;
    let mut files = String::new();
    for (dataset, columns, locale) in [
        ("discord_practices", "course_id,lesson_id,creator_id,lesson_title", "es"),
        ("course_teacher_assignments", "course_id,teacher_id,assigned_by", "en"),
    ] {
        let request =
            json!({"dataset": dataset, "format": "csv", "columns": columns, "locale": locale, "names": 1});
        files += &exporter.download(&request).await;
    }
    insta::assert_snapshot!(files.replace('\r', ""));
    let logged = "SELECT array_to_string(column_keys, ' ') AS columns FROM export_audits WHERE dataset = 'course_teacher_assignments'";
    let expected = "course_id course_title teacher_id teacher_name assigned_by assigner_name";
    assert_eq!(exporter.hub.rows(logged).await, json!([{"columns": expected}]));
}

#[tokio::test]
async fn a_row_of_one_empty_column_is_no_blank_line() {
    let exporter = Exporter::with_sample_rows().await;
    let columns = json!(["user_email"]);
    let request = json!({"dataset": EVENTS, "format": "csv", "columns": columns, "headers": "keys"});
    let file = exporter.download(&request).await;
    assert_eq!(file.lines().count(), 4);
    assert!(file.contains("\r\n\"\"\r\n"), "{file:?}");
}

#[tokio::test]
async fn a_text_too_long_for_a_workbook_breaks_the_transfer_and_says_why() {
    let exporter = Exporter::new().await;
    let insert = "SELECT ensure_player_event_partitions('2026-11-01', '2026-11-30');
        INSERT INTO video_player_events (recorded_at, event, metadata)
        VALUES ('2026-11-16', 'play', jsonb_build_object('x', repeat('x', 40000)))";
    exporter.hub.sql(insert).await;
    let link = exporter.link_path(&json!({"dataset": EVENTS, "format": "xlsx", "locale": "en"})).await;
    let response = exporter.follow(&link).await;
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err(), "the file is incomplete");
    exporter.wait_for_count(1, "SELECT count(*) FROM export_audits WHERE outcome = 'failed'").await;
    let audits = "{ exportAudits { nodes { outcome message } } }";
    let audit = exporter.hub.graphql(audits).by(&exporter.admin.token).data().await["exportAudits"]["nodes"]
        [0]
    .take();
    assert_eq!(audit["outcome"], "FAILED");
    assert!(
        audit["message"].as_str().unwrap().starts_with("A cell of the column metadata has 40009"),
        "{audit}"
    );
}

#[tokio::test]
async fn a_lesson_of_another_course_matches_no_rows() {
    let exporter = Exporter::with_sample_rows().await;
    for (course, rows) in [(1, 1), (2, 0)] {
        let filters = json!({"course_id": course, "lesson_id": "101"});
        let request = json!({"dataset": EVENTS, "format": "ndjson", "filters": filters});
        assert_eq!(exporter.download(&request).await.lines().count(), rows);
    }
}
