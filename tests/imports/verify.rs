//! `imports verify` finds incomplete imports: an older version read only the beginning of some files.

use std::process::{Command, Output, Stdio};

use chrono::TimeDelta;
use domain::access::Role;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{ALL_OR_NOTHING, ImportOptions, counts, hub, import};
use crate::harness::database::TestDatabase;
use crate::harness::hub::{APP_KEY, Hub};

/// How much of a file the server reads at once.
const READ_BYTES: usize = 64 << 10;
/// The length of a row with its line break.
const ROW_BYTES: usize = 64;

/// A file whose rows end exactly where a read of the server ends, or `shift` bytes after that.
fn file(rows: usize, shift: usize, line_break: &str) -> String {
    let mut file = format!("{:\n<width$}", "user_id,value,scope", width = ROW_BYTES + shift);
    for row in 0..rows {
        let width = ROW_BYTES - line_break.len();
        file += &format!("{:x<width$}{line_break}", format!("7,{row},{shift}{}", line_break.len()));
    }
    file
}

#[tokio::test]
async fn every_row_is_imported_across_read_boundaries() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    for (shift, line_break) in [(0, "\n"), (0, "\r\n"), (1, "\r\n")] {
        let file = file(2500, shift, line_break);
        assert!(file.len() > 2 * READ_BYTES);
        let size = i64::try_from(file.len()).unwrap();
        assert_eq!(counts(&import(&hub, &admin, ALL_OR_NOTHING, file).await), json!(["DONE", 2500, 0, 0]));
        let read = "SELECT size_bytes, bytes_read FROM imports ORDER BY id DESC LIMIT 1";
        assert_eq!(hub.rows(read).await, json!([{"size_bytes": size, "bytes_read": size}]));
    }
}

/// Runs `dataporter imports verify`, and returns its exit code, stdout and stderr.
async fn verify(database: &TestDatabase, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dataporter"));
    command
        .args(["imports", "verify"])
        .args(arguments)
        .env_clear()
        .env("DATABASE_URL", database.url.expose_secret())
        .env("APP_KEY", APP_KEY)
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null());
    let Output { status, stdout, stderr } =
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// Makes the latest import look like one of an older version, with a file of this size. That version did not
/// store how many bytes it read.
async fn make_legacy(hub: &Hub, size: usize) {
    hub.sql(&format!(
        "UPDATE imports SET bytes_read = NULL, size_bytes = {size} WHERE id = (SELECT max(id) FROM imports)"
    ))
    .await;
}

#[tokio::test]
async fn verify_lists_possibly_truncated_imports_until_repeated() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let whole = file(2500, 0, "\n");
    let beginning = &whole[..2 * READ_BYTES];
    let truncated = import(&hub, &admin, ALL_OR_NOTHING, beginning).await;
    assert_eq!(counts(&truncated), json!(["DONE", 2047, 0, 0]));
    make_legacy(&hub, whole.len()).await;
    // No repetition is needed for a file that fits into one read, a dry run, and a current import.
    import(&hub, &admin, ALL_OR_NOTHING, "user_id\n7\n").await;
    make_legacy(&hub, READ_BYTES).await;
    import(&hub, &admin, ImportOptions { dry_run: true, ..ALL_OR_NOTHING }, whole.as_str()).await;
    make_legacy(&hub, whole.len()).await;
    import(&hub, &admin, ALL_OR_NOTHING, file(1100, 1, "\r\n")).await;

    let expected = format!(
        "Stored imports: 3, to be repeated: 1\n  Import {} of 2027-01-15T08:00:00Z: snapshots.csv, \
         student_activity_snapshots, 160064 bytes, 2047 rows read: cannot be verified, repeat it\n",
        truncated["id"].as_str().unwrap()
    );
    let error = "Error: 1 import must be repeated\n".to_owned();
    assert_eq!(verify(&hub.database, &[]).await, (Some(1), expected, error));
    let (code, found, _) = verify(&hub.database, &["--json"]).await;
    let found: Value = serde_json::from_str(&found).unwrap();
    let repeat = json!([{
        "id": truncated["id"], "startedAt": "2027-01-15T08:00:00Z", "filename": "snapshots.csv",
        "dataset": "student_activity_snapshots", "sizeBytes": 160_064, "bytesRead": null, "rowsRead": 2047,
    }]);
    assert_eq!((code, found), (Some(1), json!({"stored": 3, "repeat": repeat})));
    assert_eq!(verify(&hub.database, &["--since=2027-01-16"]).await.0, Some(0), "the import is older");

    hub.clock.advance(TimeDelta::minutes(1));
    assert_eq!(
        counts(&import(&hub, &admin, ALL_OR_NOTHING, whole.as_str()).await),
        json!(["DONE", 453, 2047, 0])
    );
    assert_eq!(
        verify(&hub.database, &[]).await,
        (Some(0), "Stored imports: 4, to be repeated: 0\n".to_owned(), String::new())
    );
    hub.clock.advance(TimeDelta::minutes(1));
    assert_eq!(counts(&import(&hub, &admin, ALL_OR_NOTHING, whole).await), json!(["DONE", 0, 2500, 0]));
}

#[tokio::test]
async fn a_complete_legacy_import_is_verified_by_repeating_it() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let whole = file(2500, 5, "\n");
    import(&hub, &admin, ALL_OR_NOTHING, whole.as_str()).await;
    make_legacy(&hub, whole.len()).await;
    assert_eq!(verify(&hub.database, &[]).await.0, Some(1));
    hub.clock.advance(TimeDelta::minutes(1));
    assert_eq!(counts(&import(&hub, &admin, ALL_OR_NOTHING, whole).await), json!(["DONE", 0, 2500, 0]));
    assert_eq!(verify(&hub.database, &[]).await.0, Some(0));
}

#[tokio::test]
async fn verify_lists_imports_that_read_less_than_was_received() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let truncated = import(&hub, &admin, ALL_OR_NOTHING, "user_id\n7\n").await;
    assert_eq!(verify(&hub.database, &[]).await.0, Some(0));
    hub.sql("UPDATE imports SET size_bytes = 20").await;
    let (code, found, _) = verify(&hub.database, &[]).await;
    let expected = format!("Import {} of", truncated["id"].as_str().unwrap());
    assert!(code == Some(1) && found.contains(&expected), "{found}");
    assert!(found.ends_with("20 bytes, 1 rows read: only 10 bytes were read, repeat it\n"), "{found}");
    let (code, _, stderr) = verify(&hub.database, &["--since=yesterday"]).await;
    assert!(code == Some(2) && stderr.contains("a date such as 2026-11-16"), "{stderr}");
}
