//! The command `dataporter export`.

use std::io::Read as _;
use std::process::{Command, Output, Stdio};

use secrecy::ExposeSecret as _;
use serde_json::json;

use super::download::{Exporter, MANY_ROWS};
use super::slow_readers::OPEN_TRANSACTIONS;
use crate::harness::hub::APP_KEY;

/// A `dataporter export` command on the hub's database.
fn command(exporter: &Exporter, arguments: &str) -> Command {
    let mut command = program(exporter);
    command.arg("export").args(arguments.split_whitespace());
    command
}

/// `dataporter` on the hub's database.
pub(super) fn program(exporter: &Exporter) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dataporter"));
    command
        .env_clear()
        .env("DATABASE_URL", exporter.hub.database.url.expose_secret())
        .env("APP_KEY", APP_KEY)
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null());
    command
}

async fn run(exporter: &Exporter, arguments: &str) -> Output {
    output(command(exporter, arguments)).await
}

/// Runs a command to its end.
pub(super) async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test]
async fn the_command_writes_the_same_file_as_the_api() {
    let exporter = Exporter::with_sample_rows().await;
    let output = run(&exporter, "practice_package_orders --format csv").await;
    let file = exporter
        .download(&json!({"dataset": "practice_package_orders", "format": "csv", "locale": "es"}))
        .await;
    assert_eq!(String::from_utf8(output.stdout).unwrap(), file);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let arguments = "video_player_events --format csv --filter course_id=2 --filter date_to=2026-11-30 \
        --columns playback_rate,recorded_at --headers keys --delimiter ; --decimal , --bom --timezone Asia/Kolkata";
    let output = run(&exporter, arguments).await;
    let file = "\u{feff}playback_rate;recorded_at\r\n0,333;2026-11-01T05:30:00+05:30\r\n";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), file);
    let audits = "{ exportAudits(first: 1) { nodes { user rows outcome } } }";
    let audits =
        exporter.hub.graphql(audits).by(&exporter.admin.token).header("accept-language", "en").data().await;
    let expected = json!([{"user": "command line", "rows": 1.0, "outcome": "COMPLETE"}]);
    assert_eq!(audits["exportAudits"]["nodes"], expected);
}

#[tokio::test]
async fn invalid_arguments_are_reported_and_exit_with_2() {
    let exporter = Exporter::new().await;
    for (arguments, message) in [
        ("video_player_events --format csv --filter course_id=x", "course_id: Not an ID."),
        (
            "video_player_events --format csv --filter status=paid",
            "status: video_player_events has no such filter.",
        ),
        (
            "video_player_events --format csv --filter course_id=1 --filter event=play --filter course_id=2",
            "course_id: Given more than once.",
        ),
        ("video_player_events --format csv --columns nothing", "columns: Unknown column “nothing”."),
        ("video_player_events --format csv --filter format=json", "unknown filter “format”"),
        ("users --format csv", "invalid value 'users'"),
        ("video_player_events", "--format"),
    ] {
        let output = run(&exporter, arguments).await;
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(message), "{arguments}: {stderr}");
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test]
async fn a_failed_export_exits_with_1() {
    let exporter = Exporter::with_many_events().await;
    exporter.hub.sql("UPDATE video_player_events SET synced_at = 'infinity' WHERE id = 1").await;
    let output = run(&exporter, "video_player_events --format csv").await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("Error: The file is incomplete: the export was interrupted")
    );
    assert_eq!(exporter.count("SELECT count(*) FROM export_audits WHERE outcome = 'failed'").await, 1);
}

#[tokio::test]
async fn a_slow_pipe_keeps_no_transaction_open() {
    let exporter = Exporter::with_many_events().await;
    let mut command = command(&exporter, "video_player_events --format ndjson");
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut file = vec![0; 1000];
    stdout.read_exact(&mut file).unwrap();
    exporter.wait_for_count(0, OPEN_TRANSACTIONS).await;
    assert!(child.try_wait().unwrap().is_none());
    let read = tokio::task::spawn_blocking(move || {
        stdout.read_to_end(&mut file).unwrap();
        (child.wait().unwrap().code(), String::from_utf8(file).unwrap().lines().count())
    });
    assert_eq!(read.await.unwrap(), (Some(0), MANY_ROWS));
}

#[tokio::test]
async fn a_closed_pipe_ends_the_command_silently() {
    let exporter = Exporter::with_many_events().await;
    let mut command = command(&exporter, "video_player_events --format csv");
    let output = tokio::task::spawn_blocking(move || {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0; 1000]).unwrap();
        child.wait_with_output().unwrap()
    });
    let output = output.await.unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(0), String::new()));
    let aborted = "SELECT count(*) FROM export_audits WHERE outcome = 'aborted' AND rows > 0";
    assert_eq!(exporter.count(aborted).await, 1);
}
