//! Imports of files.

mod duplicates;
mod files;
mod formats;
mod history;
mod interruptions;
mod progress;
mod rejected_file;
mod round_trip;
mod teacher_admin;
mod undo;
mod upload;

use std::fmt::Write as _;

use chrono::TimeDelta;
use domain::access::Role;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::harness::database::TestDatabase;
use crate::harness::hub::{Hub, TestUser};
use crate::harness::request::ApiResponse;

const IMPORT: &str = "mutation ($file: Upload!, $dataset: Dataset!, $mode: ImportMode!, $dryRun: Boolean!) {
    importSnapshots(dataset: $dataset, file: $file, mode: $mode, dryRun: $dryRun) {
        id state mode dryRun filename sizeBytes rowsRead rowsInserted rowsDuplicate rowsRejected message importedBy
        rejectedRows { line column value reason }
    }
}";
const HEADER: &str =
    "user_id,course_id,lesson_id,practice_package_id,category,scope,value,payload,captured_at";

/// A hub with two students, a course, a lesson and a pack.
async fn hub() -> Hub {
    hub_on(TestDatabase::new().await).await
}

async fn hub_on(database: TestDatabase) -> Hub {
    let hub = Hub::on(database, |_| {}).await;
    hub.sql(
        "INSERT INTO users (id, name, email, role) VALUES
             (7, 'Luz', 'luz@example.com', 'student'), (8, 'Teo', 'teo@example.com', 'student');
         INSERT INTO courses (id, slug, titles) VALUES (1, 'uno', '{\"es\": \"Uno\"}');
         INSERT INTO lessons (id, course_id, title) VALUES (11, 1, 'Once');
         INSERT INTO practice_packages
             (id, creator_id, lesson_id, title, sessions_count, price_amount, price_currency, status)
             VALUES (21, 7, 11, 'Pack', 4, 10, 'EUR', 'active')",
    )
    .await;
    hub
}

/// The options of an import.
#[derive(Clone, Copy)]
struct ImportOptions {
    dataset: &'static str,
    mode: &'static str,
    dry_run: bool,
}

const ALL_OR_NOTHING: ImportOptions =
    ImportOptions { dataset: "STUDENT_ACTIVITY_SNAPSHOTS", mode: "ALL_OR_NOTHING", dry_run: false };
const SKIP_INVALID: ImportOptions = ImportOptions { mode: "SKIP_INVALID", ..ALL_OR_NOTHING };

async fn send(hub: &Hub, by: &TestUser, options: ImportOptions, file: impl Into<Vec<u8>>) -> ApiResponse {
    let ImportOptions { dataset, mode, dry_run } = options;
    let variables = json!({"file": null, "dataset": dataset, "mode": mode, "dryRun": dry_run});
    let form = form(IMPORT, &variables, file);
    let request = hub.http.post(hub.url("/graphql")).bearer_auth(&by.token);
    let request = request.header("graphql-require-preflight", "1").header("accept-language", "en");
    ApiResponse::of(request.multipart(form)).await
}

/// A multipart request with a file as the variable `file`.
fn form(query: &str, variables: &Value, file: impl Into<Vec<u8>>) -> Form {
    Form::new()
        .text("operations", json!({"query": query, "variables": variables}).to_string())
        .text("map", json!({"0": ["variables.file"]}).to_string())
        .part("0", Part::bytes(file.into()).file_name("snapshots.csv"))
}

async fn import(hub: &Hub, by: &TestUser, options: ImportOptions, file: impl Into<Vec<u8>>) -> Value {
    let ApiResponse { mut body, .. } = send(hub, by, options, file).await;
    assert!(body["errors"].is_null(), "{body}");
    body["data"]["importSnapshots"].take()
}

/// The state, and the numbers of inserted, duplicate and rejected rows.
fn counts(import: &Value) -> Value {
    json!([import["state"], import["rowsInserted"], import["rowsDuplicate"], import["rowsRejected"]])
}

/// Imports a file that is rejected as a whole, and returns the error message.
async fn file_error(hub: &Hub, by: &TestUser, file: impl Into<Vec<u8>>) -> String {
    let ApiResponse { body, .. } = send(hub, by, ALL_OR_NOTHING, file).await;
    assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{body}");
    assert_eq!(body["errors"][0]["extensions"]["field"], "file", "{body}");
    body["errors"][0]["message"].as_str().unwrap().to_owned()
}

/// The rows of a table, newest first.
async fn stored_rows(hub: &Hub, table: &str) -> Vec<String> {
    let rows = format!(
        "SELECT concat_ws(' ', captured_at, user_id, course_id, lesson_id, practice_package_id, category, scope, value,
             payload) FROM {table} ORDER BY captured_at DESC, id DESC"
    );
    let rows = hub.database.client().await.query(&rows, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn student_snapshots(hub: &Hub) -> Vec<String> {
    stored_rows(hub, "student_activity_snapshots").await
}

#[tokio::test]
async fn a_csv_with_column_keys_is_imported() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let file = format!(
        "{HEADER}\n7,1,11,21,quiz,module,3,\"{{\"\"b\"\": 1.50, \"\"a\"\": [null]}}\",2026-11-16T09:00:00.25+01:00\n\
         8,,,,,,,note,2026-11-15\n8,,,,,,,,\n"
    );
    let mut imported = import(&hub, &admin, ALL_OR_NOTHING, file.as_str()).await;
    assert!(imported["id"].take().is_string());
    insta::assert_json_snapshot!(imported, @r#"
    {
      "dryRun": false,
      "filename": "snapshots.csv",
      "id": null,
      "importedBy": "admin@example.com",
      "message": null,
      "mode": "ALL_OR_NOTHING",
      "rejectedRows": [],
      "rowsDuplicate": 0,
      "rowsInserted": 3,
      "rowsRead": 3,
      "rowsRejected": 0,
      "sizeBytes": 207.0,
      "state": "DONE"
    }
    "#);
    assert_eq!(
        student_snapshots(&hub).await,
        [
            "2027-01-15 08:00:00+00 8 custom",
            "2026-11-16 08:00:00.25+00 7 1 11 21 quiz module 3 {\"a\": [null], \"b\": 1.50}",
            "2026-11-15 00:00:00+00 8 custom {\"raw\": \"note\"}",
        ]
    );
}

#[tokio::test]
async fn teacher_snapshots_are_imported_the_same_way() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let options = ImportOptions { dataset: "TEACHER_ACTIVITY_SNAPSHOTS", ..ALL_OR_NOTHING };
    let file = "teacher_id,value\n7,1\n7,1\n";
    assert_eq!(counts(&import(&hub, &admin, options, file).await), json!(["DONE", 1, 1, 0]));
    assert_eq!(counts(&import(&hub, &admin, options, file).await), json!(["DONE", 0, 2, 0]));
    assert_eq!(student_snapshots(&hub).await.len(), 0);
}

#[tokio::test]
async fn every_invalid_row_is_reported_with_line_column_and_reason() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let file = format!(
        "{HEADER}\r\n7,1,,,a,s,1,\"two\r\nlines\",2026-11-16\r\n\r\n12abc,1,,,a,s,1,,2026-11-16\r\n\
         7,99,,,a,s,1,,2026-11-16\r\n9,1,,,a,s,12abc,,2026-11-16\r\n7,1,12,,a,s,1,,2026-11-16\r\n\
         7,1,,22,a,s,1,,2026-11-16\r\n7,1,,,a,s,1,,16/11/2026\r\n9,1,,,a,s,1,,2026-11-16\r\n7,1,,,a\r\n"
    );
    let imported = import(&hub, &admin, ALL_OR_NOTHING, file).await;
    assert_eq!(counts(&imported), json!(["REJECTED", 0, 0, 8]));
    assert_eq!(imported["message"], "8 rows are invalid. Nothing was imported.");
    insta::assert_json_snapshot!(imported["rejectedRows"]);
    assert_eq!(student_snapshots(&hub).await.len(), 0);
    let cells = "SELECT array_to_string(cells, '|') FROM import_rows_rejected WHERE line = 6";
    let cells = hub.database.client().await.query_one(cells, &[]).await.unwrap();
    assert_eq!(cells.get::<_, &str>(0), "7|99|||a|s|1||2026-11-16");
}

#[tokio::test]
async fn valid_rows_are_imported_when_invalid_ones_are_skipped() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let file =
        "user_id,value,captured_at\n7,1,2026-11-16\n7,-1,2026-11-16\n99,1,2026-11-16\n8,2,2026-11-16\n";
    assert_eq!(counts(&import(&hub, &admin, SKIP_INVALID, file).await), json!(["DONE", 2, 0, 2]));
    assert_eq!(student_snapshots(&hub).await.len(), 2);

    hub.sql("INSERT INTO users (id, name, email, role) VALUES (99, 'Eva', 'eva@example.com', 'student')")
        .await;
    assert_eq!(counts(&import(&hub, &admin, SKIP_INVALID, file).await), json!(["DONE", 1, 2, 1]));
}

#[tokio::test]
async fn a_dry_run_counts_rows_and_writes_nothing() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let file = "user_id,value\n7,1\n7,1\n8,2\n8,x\n";
    let dry_run_options = ImportOptions { dry_run: true, ..SKIP_INVALID };
    assert_eq!(counts(&import(&hub, &admin, dry_run_options, file).await), json!(["DONE", 2, 1, 1]));
    let strict = import(&hub, &admin, ImportOptions { dry_run: true, ..ALL_OR_NOTHING }, file).await;
    assert_eq!(counts(&strict), json!(["REJECTED", 0, 1, 1]));
    assert_eq!(strict["dryRun"], true);
    assert_eq!(student_snapshots(&hub).await.len(), 0);
    hub.clock.advance(TimeDelta::minutes(1));
    assert_eq!(
        counts(&import(&hub, &admin, SKIP_INVALID, file).await),
        json!(["DONE", 2, 1, 1]),
        "the dry run imported nothing"
    );
}

#[tokio::test]
async fn formulas_escaped_by_an_export_are_restored() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let file = "user_id,category,scope,captured_at\n7,'=1+1,'-x,2026-11-16\n7,'quoted',it's,2026-11-15\n";
    import(&hub, &admin, ALL_OR_NOTHING, file).await;
    assert_eq!(
        student_snapshots(&hub).await,
        ["2026-11-16 00:00:00+00 7 =1+1 -x", "2026-11-15 00:00:00+00 7 'quoted' it's"]
    );
}

#[tokio::test]
async fn importing_needs_manage_settings_and_a_snapshot_dataset() {
    let hub = hub().await;
    let file = "user_id\n7\n";
    for role in [Role::TeacherAdmin, Role::Teacher, Role::Student, Role::Service] {
        let user = hub.user(role).await;
        assert_eq!(send(&hub, &user, ALL_OR_NOTHING, file).await.code(), "FORBIDDEN");
    }
    let admin = hub.user(Role::Admin).await;
    let events = ImportOptions { dataset: "VIDEO_PLAYER_EVENTS", ..ALL_OR_NOTHING };
    assert_eq!(send(&hub, &admin, events, file).await.code(), "BAD_USER_INPUT");
    let anonymous = TestUser { id: 0, token: "none".to_owned() };
    assert_eq!(send(&hub, &anonymous, ALL_OR_NOTHING, file).await.code(), "UNAUTHENTICATED");
    assert_eq!(student_snapshots(&hub).await.len(), 0);
}

#[tokio::test]
async fn twenty_thousand_rows_are_imported_exactly() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    hub.sql("INSERT INTO users (id, name, email, role) SELECT id, 's', 's' || id, 'student' FROM generate_series(1000, 2999) id")
        .await;
    let mut file = format!("{HEADER}\n");
    for row in 0..20_000 {
        let (student, day) = (1000 + row % 2000, 1 + row % 28);
        let payload = format!("\"{{\"\"region\"\": \"\"East, \\n{row}\"\", \"\"disability\"\": false}}\"");
        writeln!(
            file,
            "{student},1,,,course_registration,module,{row},{payload},2013-02-{day:02}T09:00:00+00:00"
        )
        .unwrap();
    }
    let imported = import(&hub, &admin, ALL_OR_NOTHING, file.as_str()).await;
    assert_eq!(counts(&imported), json!(["DONE", 20_000, 0, 0]));
    let found = "SELECT count(*) FROM student_activity_snapshots
        WHERE user_id = 1000 + value % 2000 AND captured_at = ('2013-02-' || 1 + value % 28 || ' 09:00Z')::timestamptz
          AND payload = jsonb_build_object('region', E'East, \\n' || value, 'disability', false) AND course_id = 1
          AND category = 'course_registration' AND scope = 'module' AND lesson_id IS NULL";
    let found = hub.database.client().await.query_one(found, &[]).await.unwrap();
    assert_eq!(found.get::<_, i64>(0), 20_000);
    assert_eq!(counts(&import(&hub, &admin, ALL_OR_NOTHING, file).await), json!(["DONE", 0, 20_000, 0]));
}

#[tokio::test]
async fn timestamps_that_exports_cannot_write_are_rejected() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    for date in ["9999-12-31", "9999-01-01T00:00:00Z", "1899-12-31", "-001-01-01", "0000-01-01"] {
        let file = format!("user_id,captured_at\n{},{date}\n", admin.id);
        let import = import(&hub, &admin, ALL_OR_NOTHING, file).await;
        assert_eq!(counts(&import), json!(["REJECTED", 0, 0, 1]), "{date}");
        assert_eq!(import["rejectedRows"][0]["column"], "captured_at", "{date}");
        let reason = import["rejectedRows"][0]["reason"].as_str().unwrap();
        assert!(reason.contains("in the years 1900 to 9998"), "{reason}");
    }
}
