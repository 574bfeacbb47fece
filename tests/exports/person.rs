//! The data of a person as a ZIP archive.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::process::{Command, Output, Stdio};

use domain::Dataset;
use domain::access::{Role, TokenScope};
use reqwest::Response;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;

use super::command::{output, program};
use super::download::{Exporter, MANY_ROWS};
use super::interruptions::ABORTED;
use crate::harness::hub::Hub;

const LINKS_PATH: &str = "/admin/data-porter/person-links";

const AUDITS: &str = "SELECT count(*) FROM export_audits WHERE outcome = 'complete'";

/// The files of an archive by name.
type Files = BTreeMap<String, String>;

async fn request_link(exporter: &Exporter, token: &str, request: &Value) -> Response {
    let post = exporter.hub.http.post(exporter.hub.url(LINKS_PATH)).header("accept-language", "en");
    post.bearer_auth(token).json(request).send().await.unwrap()
}

async fn link_path(exporter: &Exporter, request: &Value) -> String {
    let response = request_link(exporter, &exporter.admin.token, request).await;
    assert_eq!(response.status(), 201);
    let link: Value = response.json().await.unwrap();
    link["url"].as_str().unwrap().to_owned()
}

async fn download(exporter: &Exporter, request: &Value) -> Files {
    let response = exporter.follow(&link_path(exporter, request).await).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/zip");
    read(&response.bytes().await.unwrap())
}

fn read(archive: &[u8]) -> Files {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut files = Files::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        let (name, mut content) = (file.name().unwrap().into_owned(), String::new());
        file.read_to_string(&mut content).unwrap();
        files.insert(name, content);
    }
    files
}

/// The column of the person in each dataset.
const fn person_column(dataset: Dataset) -> &'static str {
    match dataset {
        Dataset::CourseTeacherAssignments
        | Dataset::TeacherSubmissions
        | Dataset::TeacherActivitySnapshots => "teacher_id",
        Dataset::DiscordPractices => "creator_id",
        Dataset::PracticePackageOrders | Dataset::VideoPlayerEvents | Dataset::StudentActivitySnapshots => {
            "user_id"
        }
    }
}

#[tokio::test]
async fn an_archive_has_each_dataset_with_the_rows_about_the_person_only() {
    let exporter = Exporter::with_sample_rows().await;
    exporter
        .hub
        .sql(
            "INSERT INTO video_progress (user_id, lesson_id, last_second, furthest_second, source)
                VALUES (11, 101, 5, 7, 'youtube'), (12, 101, 6, 8, 'youtube')",
        )
        .await;
    for (person, rows) in [
        (
            11,
            [("practice_package_orders", 1), ("student_activity_snapshots", 1), ("video_player_events", 1)]
                .as_slice(),
        ),
        (
            21,
            &[
                ("course_teacher_assignments", 2),
                ("discord_practices", 1),
                ("teacher_activity_snapshots", 1),
                ("teacher_submissions", 2),
            ],
        ),
    ] {
        let files = download(&exporter, &json!({"person": person, "format": "ndjson"})).await;
        assert_eq!(files.len(), Dataset::ALL.len() + 1, "{:?}", files.keys());
        for dataset in Dataset::ALL {
            let file = &files[&format!("{}.ndjson", dataset.key())];
            let expected = rows.iter().find(|(key, _)| *key == dataset.key()).map_or(0, |(_, count)| *count);
            assert_eq!(file.lines().count(), expected, "{person}: {file}");
            for line in file.lines() {
                let row: Value = serde_json::from_str(line).unwrap();
                assert_eq!(row[person_column(dataset)], person, "{row}");
            }
        }
        let all = files.values().map(String::as_str).collect::<String>();
        for (id, address) in [(11, "ñandú@"), (12, "+bo@"), (21, "eva@"), (22, "ivan@")] {
            assert_eq!(all.contains(address), id == person, "{person}: {all}");
        }
    }
    let files = download(&exporter, &json!({"person": "11"})).await;
    let record: Value = serde_json::from_str(&files["person.json"]).unwrap();
    assert_eq!((&record["account"]["name"], &record["account"]["role"]), (&json!("Ana"), &json!("student")));
    assert_eq!(record["video_progress"][0]["furthest_second"], 7);
    assert_eq!(record["practice_reservations"].as_array().unwrap().len(), 1);
    assert_eq!(record["account"].get("password_hash"), None);
    assert!(files["video_player_events.csv"].starts_with("Recorded at,"), "{files:?}");
    assert_eq!(files["teacher_submissions.csv"].lines().count(), 1, "the header only");

    let filters = exporter
        .hub
        .rows("SELECT DISTINCT filters FROM export_audits WHERE outcome = 'complete' ORDER BY 1")
        .await;
    assert_eq!(filters, json!([{"filters": {"person": "11"}}, {"filters": {"person": "21"}}]));
    let erase = "mutation { eraseUserData(userId: 11) }";
    exporter.hub.graphql(erase).by(&exporter.admin.token).data().await;
    let filters = exporter.hub.rows("SELECT DISTINCT filters FROM export_audits ORDER BY 1").await;
    assert_eq!(filters, json!([{"filters": {"person": "21"}}, {"filters": {"person": "erased"}}]));
}

#[tokio::test]
async fn only_an_admin_who_is_signed_in_may_export_a_person() {
    let exporter = Exporter::with_sample_rows().await;
    let hub = &exporter.hub;
    let request = json!({"person": 11});
    for role in [Role::TeacherAdmin, Role::Teacher, Role::Student, Role::Service] {
        let token = hub.user(role).await.token;
        assert_eq!(request_link(&exporter, &token, &request).await.status(), 403, "{role:?}");
    }
    let scopes = [TokenScope::Read, TokenScope::Export];
    let api_token = hub.api_token(exporter.admin.id, &scopes).await;
    assert_eq!(request_link(&exporter, &api_token, &request).await.status(), 403);
    let anonymous = hub.http.post(hub.url(LINKS_PATH)).json(&request).send().await.unwrap();
    assert_eq!(anonymous.status(), 401);
    for (request, status) in [
        (json!({"person": 99}), 404),
        (json!({"person": "x"}), 422),
        (json!({}), 422),
        (json!({"person": 11, "dataset": "discord_practices"}), 422),
        (json!({"person": 11, "names": "1"}), 422),
        (json!({"person": 11, "filters": {"course_id": 1}}), 422),
        (json!({"person": 11, "format": "pdf"}), 422),
    ] {
        let response = request_link(&exporter, &exporter.admin.token, &request).await;
        assert_eq!(response.status(), status, "{request}");
    }

    let other = hub.user_named("other", Role::Admin).await;
    let link = request_link(&exporter, &other.token, &request).await.json::<Value>().await.unwrap();
    let link = link["url"].as_str().unwrap();
    assert_eq!(exporter.follow(&link.replace("person=11", "person=12")).await.status(), 403);
    let export = exporter.link_path(&json!({"dataset": "discord_practices", "format": "csv"})).await;
    let query = export.split_once('?').unwrap().1;
    let crossed = format!("{}?{query}", link.split_once('?').unwrap().0);
    assert_eq!(exporter.follow(&crossed).await.status(), 403, "signed for another purpose");
    assert_eq!(hub.http.head(hub.url(link)).send().await.unwrap().status(), 200);
    assert_eq!(exporter.count("SELECT count(*) FROM export_audits").await, 0);
    hub.sql(&format!("UPDATE users SET role = 'teacher' WHERE id = {}", other.id)).await;
    assert_eq!(exporter.follow(link).await.status(), 403, "the owner is no admin any more");
}

/// Gives the person 11 all of [`MANY_ROWS`] events.
async fn with_many_events() -> Exporter {
    let exporter = Exporter::with_many_events().await;
    exporter
        .hub
        .sql(
            "INSERT INTO users (id, name, email, role) VALUES (11, 'Ana', 'ana@example.com', 'student');
             -- What can be compressed would fit into the buffers between two sockets.
             UPDATE video_player_events SET user_id = 11, metadata = jsonb_build_object('x',
                 (SELECT string_agg(md5(id::text || n), '') FROM generate_series(1, 60) AS n))",
        )
        .await;
    exporter
}

#[tokio::test]
async fn an_archive_may_be_larger_than_any_buffer() {
    let exporter = with_many_events().await;
    let files = download(&exporter, &json!({"person": 11, "format": "ndjson"})).await;
    assert_eq!(files["video_player_events.ndjson"].lines().count(), MANY_ROWS);
}

#[tokio::test]
async fn archives_share_a_slot_file_by_file() {
    let exporter = Exporter::on(Hub::with(|config| config.exports.concurrency = 1).await).await;
    let insert = "INSERT INTO users (id, name, email, role) VALUES (11, 'Ana', 'ana@example.com', 'student')";
    exporter.hub.sql(insert).await;
    let request = json!({"person": 11});
    let archives = futures_util::future::join_all((0..4).map(|_| download(&exporter, &request))).await;
    assert!(archives.iter().all(|files| files.len() == Dataset::ALL.len() + 1));
    exporter.wait_for_count(i64::try_from(4 * Dataset::ALL.len()).unwrap(), AUDITS).await;
}

#[tokio::test]
async fn an_archive_that_is_not_read_to_its_end_is_aborted() {
    let exporter = with_many_events().await;
    let mut stream = exporter.open_raw(&link_path(&exporter, &json!({"person": 11})).await).await;
    stream.read_exact(&mut [0; 10_000]).await.unwrap();
    drop(stream);
    exporter.wait_for_count(1, ABORTED).await;
    let events =
        "SELECT count(*) FROM export_audits WHERE outcome <> 'complete' AND dataset <> 'video_player_events'";
    assert_eq!(exporter.count(events).await, 0);
}

fn command(exporter: &Exporter, arguments: &[&str]) -> Command {
    let mut command = program(exporter);
    command.arg("export-person").args(arguments);
    command
}

async fn run(exporter: &Exporter, arguments: &[&str]) -> Output {
    output(command(exporter, arguments)).await
}

#[tokio::test]
async fn a_command_whose_output_is_closed_records_how_it_ended() {
    let exporter = with_many_events().await;
    let mut command = command(&exporter, &["11"]);
    let status = tokio::task::spawn_blocking(move || {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0; 1_000]).unwrap();
        child.wait().unwrap()
    });
    assert!(status.await.unwrap().success(), "as with `head`");
    let ended = "SELECT outcome, heartbeat_at IS NULL AS has_ended FROM export_audits";
    assert_eq!(exporter.hub.rows(ended).await, json!([{"outcome": "aborted", "has_ended": true}]));
}

#[tokio::test]
async fn the_command_writes_the_same_archive() {
    let exporter = Exporter::with_sample_rows().await;
    let expected = download(&exporter, &json!({"person": 21, "format": "json", "locale": "es"})).await;
    for person in ["21", " EVA@example.com"] {
        let output = run(&exporter, &[person, "--format", "json"]).await;
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
        assert_eq!(read(&output.stdout), expected);
    }
    assert_eq!(exporter.count(AUDITS).await, 21);
    let output = run(&exporter, &["nobody@example.com"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "Error: User not found.\n");
    let output = run(&exporter, &["21", "--timezone", "Mars/Olympus"]).await;
    assert_eq!(output.status.code(), Some(2));
}
