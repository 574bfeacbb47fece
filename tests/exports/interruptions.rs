//! Interrupted transfers: the reader notices, the audit says so, and all resources are released.

use std::time::Duration;

use backend::export::Export;
use backend::export::request::{Defaults, ExportRequest};
use domain::{Grant, Locale};
use serde_json::json;
use tokio::io::AsyncReadExt as _;

use super::download::{Exporter, MANY_ROWS};
use crate::harness::hub::Hub;

/// Sessions that run a statement or have an open transaction.
const ACTIVE_SESSIONS: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
    AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'";
pub const ABORTED: &str =
    "SELECT count(*) FROM export_audits WHERE outcome = 'aborted' AND sha256 IS NULL AND rows > 0";
const FAILED: &str = "SELECT count(*) FROM export_audits WHERE outcome = 'failed' AND sha256 IS NULL";

/// The number of exports that a hub reads from the database at the same time by default.
pub const MAX_CONCURRENT_EXPORTS: usize = 4;

/// Waits until exports have returned their connections and permits.
pub async fn assert_resources_released(exporter: &Exporter) {
    exporter.wait_for_count(0, ACTIVE_SESSIONS).await;
    for _ in 0..500 {
        let pool = exporter.hub.app.pool.status();
        if pool.available == pool.size
            && exporter.hub.app.export_slots.available_permits() == MAX_CONCURRENT_EXPORTS
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{:?}", exporter.hub.app.pool.status());
}

/// An exporter without spooling, so that a query lasts as long as its reader reads.
async fn with_many_events_and_no_spooling() -> Exporter {
    Exporter::with_many_events_on(Hub::with(|config| config.exports.spool_max_bytes = 0).await).await
}

fn export(format: &str) -> Export {
    let parameters = [("dataset", "video_player_events"), ("format", format)];
    let parameters = parameters.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    let today = chrono::DateTime::UNIX_EPOCH.date_naive();
    let defaults = Defaults { locale: Locale::Es, timezone: "UTC".parse().unwrap(), today };
    let request = ExportRequest::parse(&parameters, defaults).unwrap();
    let grant = Grant::to_operate(request.dataset, request.filter.clone());
    Export { user_id: None, address: None, request, grant }
}

async fn events_link(exporter: &Exporter, format: &str) -> String {
    exporter.link_path(&json!({"dataset": "video_player_events", "format": format})).await
}

#[tokio::test]
async fn a_disconnected_reader_stops_the_query() {
    let exporter = with_many_events_and_no_spooling().await;
    let mut stream = exporter.open_raw(&events_link(&exporter, "csv").await).await;
    stream.read_exact(&mut [0; 4096]).await.unwrap();
    drop(stream);
    exporter.wait_for_count(1, ABORTED).await;
    let rows = exporter.count("SELECT rows FROM export_audits").await;
    assert!(rows < i64::try_from(MANY_ROWS).unwrap(), "{rows}");
    assert_resources_released(&exporter).await;
}

#[tokio::test]
async fn a_terminated_query_truncates_the_body() {
    let exporter = with_many_events_and_no_spooling().await;
    for format in ["csv", "json", "ndjson"] {
        let mut stream = exporter.open_raw(&events_link(&exporter, format).await).await;
        let mut body = vec![0; 4096];
        stream.read_exact(&mut body).await.unwrap();
        let terminate = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE state = 'active' \
            AND datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
        assert_eq!(exporter.count(terminate).await, 1);
        stream.read_to_end(&mut body).await.ok();
        assert!(body.starts_with(b"HTTP/1.1 200 OK\r\n"));
        assert!(!body.ends_with(b"0\r\n\r\n"), "the body must not look complete");
    }
    exporter.wait_for_count(3, FAILED).await;
    assert_resources_released(&exporter).await;
}

#[tokio::test]
async fn a_row_that_cannot_be_written_truncates_the_body() {
    let exporter = Exporter::with_many_events().await;
    exporter.hub.sql("UPDATE video_player_events SET synced_at = 'infinity' WHERE id = 1").await;
    for coding in ["identity", "gzip", "br"] {
        let url = exporter.hub.url(&events_link(&exporter, "json").await);
        let response = exporter.hub.http.get(url).header("accept-encoding", coding).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.bytes().await.is_err(), "{coding}");
    }
    exporter.wait_for_count(3, FAILED).await;
    assert_resources_released(&exporter).await;
}

#[tokio::test]
async fn an_export_without_a_reader_is_aborted() {
    let exporter = Exporter::with_many_events().await;
    drop(export("csv").start(&exporter.hub.app).await.unwrap());
    exporter.wait_for_count(1, "SELECT count(*) FROM export_audits WHERE outcome = 'aborted'").await;
    assert_resources_released(&exporter).await;
}

#[tokio::test]
async fn cancelling_an_export_as_it_starts_leaves_no_transaction() {
    let exporter = Exporter::with_many_events().await;
    for step in 0..60 {
        let time_limit = Duration::from_micros(step * 200);
        drop(tokio::time::timeout(time_limit, export("csv").start(&exporter.hub.app)).await);
    }
    exporter.wait_for_count(0, ACTIVE_SESSIONS).await;
    let complete = exporter.download(&json!({"dataset": "video_player_events", "format": "ndjson"})).await;
    assert_eq!(complete.lines().count(), MANY_ROWS);
    assert_resources_released(&exporter).await;
}

#[tokio::test]
async fn a_file_excludes_rows_written_while_it_is_read() {
    let exporter = Exporter::with_many_events().await;
    let url = exporter.hub.url(&events_link(&exporter, "ndjson").await);
    let request = exporter.hub.http.get(url).header("accept-encoding", "identity");
    let mut response = request.send().await.unwrap();
    let mut file = response.chunk().await.unwrap().unwrap().to_vec();
    let late_changes = "INSERT INTO video_player_events (recorded_at, event) VALUES ('2026-11-01 00:00Z', 'late'); \
        UPDATE video_player_events SET event = 'late' WHERE recorded_at < '2026-11-20 00:10Z'";
    exporter.hub.sql(late_changes).await;
    while let Some(chunk) = response.chunk().await.unwrap() {
        file.extend_from_slice(&chunk);
    }
    let file = String::from_utf8(file).unwrap();
    assert_eq!(file.lines().count(), MANY_ROWS);
    assert!(!file.contains("late"));
}
