//! How a transfer ends when it does not end well: the reader sees it, the record says it, and nothing is left behind.

use std::time::Duration;

use backend::export::Export;
use backend::export::request::{Defaults, ExportRequest};
use domain::{Grant, Locale};
use serde_json::json;
use tokio::io::AsyncReadExt as _;

use super::download::{Exporter, MANY_ROWS};
use crate::harness::hub::Hub;

const BUSY: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
    AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'";
pub const ABORTED: &str =
    "SELECT count(*) FROM export_audits WHERE outcome = 'aborted' AND sha256 IS NULL AND rows > 0";
const FAILED: &str = "SELECT count(*) FROM export_audits WHERE outcome = 'failed' AND sha256 IS NULL";

/// The exports that a hub reads from the database at once by default.
pub const SLOTS: usize = 4;

/// Everything that an export borrows is back.
pub async fn nothing_is_left(exporter: &Exporter) {
    exporter.wait_for(0, BUSY).await;
    for _ in 0..500 {
        let pool = exporter.hub.app.pool.status();
        if pool.available == pool.size && exporter.hub.app.export_slots.available_permits() == SLOTS {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{:?}", exporter.hub.app.pool.status());
}

/// Here the query lasts as long as the reader reads.
async fn of_many_events_that_are_not_spooled() -> Exporter {
    Exporter::of_many_events_on(Hub::with(|config| config.exports.spool_max_bytes = 0).await).await
}

fn export(format: &str) -> Export {
    let parameters = [("dataset", "video_player_events"), ("format", format)];
    let parameters = parameters.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    let defaults = Defaults { locale: Locale::Es, timezone: "UTC".parse().unwrap() };
    let request = ExportRequest::parse(&parameters, defaults).unwrap();
    let grant = Grant::to_operate(request.dataset, request.filter.clone());
    Export { user_id: None, address: None, request, grant }
}

async fn events(exporter: &Exporter, format: &str) -> String {
    exporter.link(&json!({"dataset": "video_player_events", "format": format})).await
}

#[tokio::test]
async fn a_reader_who_hangs_up_stops_the_query() {
    let exporter = of_many_events_that_are_not_spooled().await;
    let mut stream = exporter.raw(&events(&exporter, "csv").await).await;
    stream.read_exact(&mut [0; 4096]).await.unwrap();
    drop(stream);
    exporter.wait_for(1, ABORTED).await;
    let rows = exporter.count("SELECT rows FROM export_audits").await;
    assert!(rows < i64::try_from(MANY_ROWS).unwrap(), "{rows}");
    nothing_is_left(&exporter).await;
}

#[tokio::test]
async fn a_query_that_dies_breaks_the_body_off() {
    let exporter = of_many_events_that_are_not_spooled().await;
    for format in ["csv", "json", "ndjson"] {
        let mut stream = exporter.raw(&events(&exporter, format).await).await;
        let mut body = vec![0; 4096];
        stream.read_exact(&mut body).await.unwrap();
        let killed = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE state = 'active' \
            AND datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
        assert_eq!(exporter.count(killed).await, 1);
        stream.read_to_end(&mut body).await.ok();
        assert!(body.starts_with(b"HTTP/1.1 200 OK\r\n"));
        assert!(!body.ends_with(b"0\r\n\r\n"), "the body must not end as a whole one does");
    }
    exporter.wait_for(3, FAILED).await;
    nothing_is_left(&exporter).await;
}

#[tokio::test]
async fn a_row_that_cannot_be_written_breaks_the_body_off() {
    let exporter = Exporter::of_many_events().await;
    exporter.hub.sql("UPDATE video_player_events SET synced_at = 'infinity' WHERE id = 1").await;
    for coding in ["identity", "gzip", "br"] {
        let url = exporter.hub.url(&events(&exporter, "json").await);
        let response = exporter.hub.http.get(url).header("accept-encoding", coding).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.bytes().await.is_err(), "{coding}");
    }
    exporter.wait_for(3, FAILED).await;
    nothing_is_left(&exporter).await;
}

#[tokio::test]
async fn an_export_that_nobody_reads_is_taken_down() {
    let exporter = Exporter::of_many_events().await;
    drop(export("csv").start(&exporter.hub.app).await.unwrap());
    exporter.wait_for(1, "SELECT count(*) FROM export_audits WHERE outcome = 'aborted'").await;
    nothing_is_left(&exporter).await;
}

#[tokio::test]
async fn a_reader_who_leaves_while_the_export_starts_leaves_no_transaction_open() {
    let exporter = Exporter::of_many_events().await;
    for step in 0..60 {
        let patience = Duration::from_micros(step * 200);
        drop(tokio::time::timeout(patience, export("csv").start(&exporter.hub.app)).await);
    }
    exporter.wait_for(0, BUSY).await;
    let whole = exporter.file(&json!({"dataset": "video_player_events", "format": "ndjson"})).await;
    assert_eq!(whole.lines().count(), MANY_ROWS);
    nothing_is_left(&exporter).await;
}

#[tokio::test]
async fn rows_that_come_while_a_slow_reader_reads_are_not_in_the_file() {
    let exporter = Exporter::of_many_events().await;
    let url = exporter.hub.url(&events(&exporter, "ndjson").await);
    let request = exporter.hub.http.get(url).header("accept-encoding", "identity");
    let mut response = request.send().await.unwrap();
    let mut file = response.chunk().await.unwrap().unwrap().to_vec();
    let late = "INSERT INTO video_player_events (recorded_at, event) VALUES ('2026-11-01 00:00Z', 'late'); \
        UPDATE video_player_events SET event = 'late' WHERE recorded_at < '2026-11-20 00:10Z'";
    exporter.hub.sql(late).await;
    while let Some(chunk) = response.chunk().await.unwrap() {
        file.extend_from_slice(&chunk);
    }
    let file = String::from_utf8(file).unwrap();
    assert_eq!(file.lines().count(), MANY_ROWS);
    assert!(!file.contains("late"));
}
