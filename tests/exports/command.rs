//! `dataporter export`

use std::io::Read as _;
use std::process::{Command, Output, Stdio};

use secrecy::ExposeSecret as _;
use serde_json::json;

use super::download::{Exporter, MANY_ROWS};
use super::slow_readers::OPEN;
use crate::harness::hub::APP_KEY;

/// The command, on the hub's database.
fn command(exporter: &Exporter, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dataporter"));
    command
        .arg("export")
        .args(arguments.split_whitespace())
        .env_clear()
        .env("DATABASE_URL", exporter.hub.database.url.expose_secret())
        .env("APP_KEY", APP_KEY)
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null());
    command
}

async fn run(exporter: &Exporter, arguments: &str) -> Output {
    let mut command = command(exporter, arguments);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test]
async fn the_command_writes_the_file_that_the_hub_gives() {
    let exporter = Exporter::of_an_academy().await;
    let done = run(&exporter, "practice_package_orders --format csv").await;
    let file =
        exporter.file(&json!({"dataset": "practice_package_orders", "format": "csv", "locale": "es"})).await;
    assert_eq!(String::from_utf8(done.stdout).unwrap(), file);
    assert_eq!(String::from_utf8(done.stderr).unwrap(), "");
    let arguments = "video_player_events --format csv --filter course_id=2 --filter date_to=2026-11-30 \
        --columns playback_rate,recorded_at --headers keys --delimiter ; --decimal , --bom --timezone Asia/Kolkata";
    let done = run(&exporter, arguments).await;
    let file = "\u{feff}playback_rate;recorded_at\r\n0,333;2026-11-01T05:30:00+05:30\r\n";
    assert_eq!(String::from_utf8(done.stdout).unwrap(), file);
    let audits = "{ exportAudits(first: 1) { nodes { user rows outcome } } }";
    let audits =
        exporter.hub.graphql(audits).by(&exporter.admin.token).header("accept-language", "en").data().await;
    let expected = json!([{"user": "command line", "rows": 1.0, "outcome": "COMPLETE"}]);
    assert_eq!(audits["exportAudits"]["nodes"], expected);
}

#[tokio::test]
async fn a_command_that_asks_for_the_impossible_is_told_so() {
    let exporter = Exporter::new().await;
    for (arguments, told) in [
        ("video_player_events --format csv --filter course_id=x", "course_id: Not an id."),
        (
            "video_player_events --format csv --filter status=paid",
            "status: video_player_events has no such filter.",
        ),
        (
            "video_player_events --format csv --filter course_id=1 --filter event=play --filter course_id=2",
            "course_id: Given more than once.",
        ),
        ("video_player_events --format csv --columns nothing", "columns: There is no column “nothing”."),
        ("video_player_events --format csv --filter format=json", "there is no filter “format”"),
        ("users --format csv", "invalid value 'users'"),
        ("video_player_events", "--format"),
    ] {
        let done = run(&exporter, arguments).await;
        assert_eq!(done.status.code(), Some(2), "{arguments}");
        let stderr = String::from_utf8(done.stderr).unwrap();
        assert!(stderr.contains(told), "{arguments}: {stderr}");
        assert!(done.stdout.is_empty());
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_finished_is_a_failure() {
    let exporter = Exporter::of_many_events().await;
    exporter.hub.sql("UPDATE video_player_events SET synced_at = 'infinity' WHERE id = 1").await;
    let done = run(&exporter, "video_player_events --format csv").await;
    assert_eq!(done.status.code(), Some(1));
    assert!(
        String::from_utf8(done.stderr)
            .unwrap()
            .contains("Error: The file is not whole: the export broke off")
    );
    assert_eq!(exporter.count("SELECT count(*) FROM export_audits WHERE outcome = 'failed'").await, 1);
}

#[tokio::test]
async fn a_pipe_that_is_read_slowly_holds_no_data_in_the_database() {
    let exporter = Exporter::of_many_events().await;
    let mut command = command(&exporter, "video_player_events --format ndjson");
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut file = vec![0; 1000];
    stdout.read_exact(&mut file).unwrap();
    exporter.wait_for(0, OPEN).await;
    assert!(child.try_wait().unwrap().is_none());
    let read = tokio::task::spawn_blocking(move || {
        stdout.read_to_end(&mut file).unwrap();
        (child.wait().unwrap().code(), String::from_utf8(file).unwrap().lines().count())
    });
    assert_eq!(read.await.unwrap(), (Some(0), MANY_ROWS));
}

#[tokio::test]
async fn a_pipe_that_closes_ends_the_command_quietly() {
    let exporter = Exporter::of_many_events().await;
    let mut command = command(&exporter, "video_player_events --format csv");
    let done = tokio::task::spawn_blocking(move || {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0; 1000]).unwrap();
        child.wait_with_output().unwrap()
    });
    let done = done.await.unwrap();
    assert_eq!((done.status.code(), String::from_utf8(done.stderr).unwrap()), (Some(0), String::new()));
    let ended = "SELECT count(*) FROM export_audits WHERE outcome = 'aborted' AND rows > 0";
    assert_eq!(exporter.count(ended).await, 1);
}
