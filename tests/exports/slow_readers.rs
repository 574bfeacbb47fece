//! Readers that are slower than the database get the whole file, and keep no database resources.

use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::TcpStream;

use super::download::{Exporter, MANY_ROWS};
use super::interruptions::{ABORTED, MAX_CONCURRENT_EXPORTS, assert_resources_released};
use crate::harness::hub::Hub;

/// Transactions that keep PostgreSQL from removing dead rows.
pub const OPEN_TRANSACTIONS: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
    AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND (xact_start IS NOT NULL OR backend_xmin IS NOT NULL)";
const COMPLETE: &str = "SELECT count(*) FROM export_audits WHERE outcome = 'complete'";

/// Requests a file, and returns the connection and the beginning of the response.
async fn start_download(exporter: &Exporter, request: &Value) -> (TcpStream, Vec<u8>) {
    let mut stream = exporter.open_raw(&exporter.link_path(request).await).await;
    let mut beginning = vec![0; 4096];
    stream.read_exact(&mut beginning).await.unwrap();
    assert!(beginning.starts_with(b"HTTP/1.1 200 OK\r\n"));
    (stream, beginning)
}

/// Reads the rest of a complete response, and returns the file.
async fn finish_download(mut stream: TcpStream, mut response: Vec<u8>) -> Vec<u8> {
    stream.read_to_end(&mut response).await.unwrap();
    let head = response.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let mut chunks = &response[head..];
    let mut file = Vec::new();
    loop {
        let line = chunks.windows(2).position(|window| window == b"\r\n").unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&chunks[..line]).unwrap(), 16).unwrap();
        let chunk = &chunks[line + 2..];
        if length == 0 {
            assert_eq!(chunk, b"\r\n");
            return file;
        }
        file.extend_from_slice(&chunk[..length]);
        chunks = &chunk[length + 2..];
    }
}

/// Checks that the audit of a complete export matches the file.
async fn assert_audit_matches(exporter: &Exporter, file: &[u8]) {
    exporter.wait_for_count(1, COMPLETE).await;
    let select = "SELECT rows, bytes, encode(sha256, 'hex') AS sha256 FROM export_audits";
    let expected =
        json!([{"rows": MANY_ROWS, "bytes": file.len(), "sha256": hex::encode(Sha256::digest(file))}]);
    assert_eq!(exporter.hub.rows(select).await, expected);
}

async fn outcome(exporter: &Exporter) -> Value {
    let audits = exporter.hub.graphql("{ exportAudits(first: 1) { nodes { outcome } } }");
    audits.by(&exporter.admin.token).data().await["exportAudits"]["nodes"][0]["outcome"].take()
}

/// The number of bytes that exports keep on disk, from the metrics.
async fn spooled_bytes(hub: &Hub) -> u64 {
    let metrics = hub.http.get(hub.url("/metrics")).send().await.unwrap().text().await.unwrap();
    let mut lines = metrics.lines();
    lines.find_map(|line| line.strip_prefix("dataporter_export_spool_bytes ")).unwrap().parse().unwrap()
}

fn events() -> Value {
    json!({"dataset": "video_player_events", "format": "ndjson"})
}

#[tokio::test]
async fn the_database_is_released_while_the_reader_still_reads() {
    let exporter = Exporter::with_many_events().await;
    let (stream, beginning) = start_download(&exporter, &events()).await;
    // The file has e-mail addresses, so the export has used two connections.
    exporter.wait_for_count(0, OPEN_TRANSACTIONS).await;
    assert_resources_released(&exporter).await;
    assert!(spooled_bytes(&exporter.hub).await > 20_000_000);
    assert_eq!(outcome(&exporter).await, "RUNNING");

    exporter.hub.sql("UPDATE video_player_events SET event = 'late'").await;
    let file = finish_download(stream, beginning).await;
    let rows = file.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let rows: Vec<Value> = rows.map(|row| serde_json::from_slice(row).unwrap()).collect();
    assert_eq!(rows.len(), MANY_ROWS);
    assert!(rows.iter().all(|row| row["event"] == "play"));
    assert_audit_matches(&exporter, &file).await;
    assert_eq!(outcome(&exporter).await, "COMPLETE");
    assert_eq!(spooled_bytes(&exporter.hub).await, 0);
}

#[tokio::test]
async fn a_disconnected_reader_frees_the_disk_space() {
    let exporter = Exporter::with_many_events().await;
    let (stream, _) = start_download(&exporter, &events()).await;
    exporter.wait_for_count(0, OPEN_TRANSACTIONS).await;
    drop(stream);
    exporter.wait_for_count(1, ABORTED).await;
    // The audit counts the rows that the reader got, not the spooled rows.
    let rows = exporter.count("SELECT rows FROM export_audits").await;
    assert!(rows < i64::try_from(MANY_ROWS).unwrap(), "{rows}");
    assert_eq!(outcome(&exporter).await, "ABORTED");
    wait_until_disk_is_free(&exporter).await;
}

#[tokio::test]
async fn slow_readers_do_not_block_other_readers() {
    let exporter = Exporter::with_many_events().await;
    let mut request = events();
    request["filters"] = json!({"date_from": "2026-11-20T04:00:00Z"});
    let mut readers = Vec::new();
    for _ in 0..=MAX_CONCURRENT_EXPORTS {
        readers.push(start_download(&exporter, &request).await);
    }
    exporter.wait_for_count(0, OPEN_TRANSACTIONS).await;
    assert_resources_released(&exporter).await;
    let mut files = Vec::new();
    for (stream, beginning) in readers {
        files.push(finish_download(stream, beginning).await);
    }
    assert_eq!(std::str::from_utf8(&files[0]).unwrap().lines().count(), 5601);
    assert!(files.iter().all(|file| *file == files[0]));
}

#[tokio::test]
async fn above_the_spool_limit_the_query_waits_for_the_reader() {
    let hub = Hub::with(|config| config.exports.spool_max_bytes = 1 << 20).await;
    let exporter = Exporter::with_many_events_on(hub).await;
    let (stream, beginning) = start_download(&exporter, &events()).await;
    wait_until(|| exporter.hub.app.export_disk.used() > 900_000).await;
    assert!(exporter.count(OPEN_TRANSACTIONS).await > 0);
    assert_audit_matches(&exporter, &finish_download(stream, beginning).await).await;
    wait_until_disk_is_free(&exporter).await;
    assert_resources_released(&exporter).await;
}

#[tokio::test]
async fn above_the_spool_limit_a_stalled_reader_is_disconnected() {
    let hub = Hub::with(|config| {
        config.exports.spool_max_bytes = 1 << 20;
        config.exports.reader_timeout = Duration::from_millis(500);
    });
    let exporter = Exporter::with_many_events_on(hub.await).await;
    let (stream, beginning) = start_download(&exporter, &events()).await;
    exporter.wait_for_count(1, ABORTED).await;
    assert_truncated(stream, beginning).await;
    wait_until_disk_is_free(&exporter).await;
    assert_resources_released(&exporter).await;
}

#[tokio::test]
async fn a_stalled_reader_of_a_spooled_file_is_disconnected() {
    let hub = Hub::with(|config| config.exports.reader_timeout = Duration::from_millis(500)).await;
    let exporter = Exporter::with_many_events_on(hub).await;
    let (stream, beginning) = start_download(&exporter, &events()).await;
    exporter.wait_for_count(1, ABORTED).await;
    wait_until_disk_is_free(&exporter).await;
    assert_truncated(stream, beginning).await;
}

/// Checks that the rest of the body does not look complete.
async fn assert_truncated(mut stream: impl AsyncRead + Unpin, mut response: Vec<u8>) {
    // A connection error reveals the truncation as well as a missing final chunk does.
    stream.read_to_end(&mut response).await.ok();
    assert!(!response.ends_with(b"0\r\n\r\n"));
}

/// Waits until exports use no disk space.
async fn wait_until_disk_is_free(exporter: &Exporter) {
    wait_until(|| exporter.hub.app.export_disk.used() == 0).await;
}

/// Waits until a condition is true. Panics after ten seconds.
async fn wait_until(mut condition: impl FnMut() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the condition does not become true");
}
