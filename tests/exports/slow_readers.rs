//! Readers who are slower than the database: they get the whole file, and cost the database nothing.

use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::TcpStream;

use super::download::{Exporter, MANY_ROWS};
use super::endings::{ABORTED, SLOTS, nothing_is_left};
use crate::harness::hub::Hub;

/// Transactions that keep PostgreSQL from removing dead rows.
pub const OPEN: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
    AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND (xact_start IS NOT NULL OR backend_xmin IS NOT NULL)";
const COMPLETE: &str = "SELECT count(*) FROM export_audits WHERE outcome = 'complete'";

/// The answer to the request for this file, of which so far only the beginning has been read.
async fn begun(exporter: &Exporter, request: &Value) -> (TcpStream, Vec<u8>) {
    let mut stream = exporter.raw(&exporter.link(request).await).await;
    let mut beginning = vec![0; 4096];
    stream.read_exact(&mut beginning).await.unwrap();
    assert!(beginning.starts_with(b"HTTP/1.1 200 OK\r\n"));
    (stream, beginning)
}

/// The file in a whole answer.
async fn rest(mut stream: TcpStream, mut answer: Vec<u8>) -> Vec<u8> {
    stream.read_to_end(&mut answer).await.unwrap();
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let mut chunks = &answer[head..];
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

/// What the record says of a whole file, beside what is in the file.
async fn assert_is_on_record(exporter: &Exporter, file: &[u8]) {
    exporter.wait_for(1, COMPLETE).await;
    let select = "SELECT rows, bytes, encode(sha256, 'hex') AS sha256 FROM export_audits";
    let expected =
        json!([{"rows": MANY_ROWS, "bytes": file.len(), "sha256": hex::encode(Sha256::digest(file))}]);
    assert_eq!(exporter.hub.rows(select).await, expected);
}

async fn outcome(exporter: &Exporter) -> Value {
    let audits = exporter.hub.graphql("{ exportAudits(first: 1) { nodes { outcome } } }");
    audits.by(&exporter.admin.token).data().await["exportAudits"]["nodes"][0]["outcome"].take()
}

/// Bytes that exports keep on disk, as operators see it.
async fn spooled(hub: &Hub) -> u64 {
    let metrics = hub.http.get(hub.url("/metrics")).send().await.unwrap().text().await.unwrap();
    let mut lines = metrics.lines();
    lines.find_map(|line| line.strip_prefix("dataporter_export_spool_bytes ")).unwrap().parse().unwrap()
}

fn events() -> Value {
    json!({"dataset": "video_player_events", "format": "ndjson"})
}

#[tokio::test]
async fn the_data_is_released_while_the_reader_still_reads() {
    let exporter = Exporter::of_many_events().await;
    let (stream, beginning) = begun(&exporter, &events()).await;
    // The file has e-mail addresses, so two connections have read for it.
    exporter.wait_for(0, OPEN).await;
    nothing_is_left(&exporter).await;
    assert!(spooled(&exporter.hub).await > 20_000_000);
    assert_eq!(outcome(&exporter).await, "RUNNING");

    exporter.hub.sql("UPDATE video_player_events SET event = 'late'").await;
    let file = rest(stream, beginning).await;
    let rows = file.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let rows: Vec<Value> = rows.map(|row| serde_json::from_slice(row).unwrap()).collect();
    assert_eq!(rows.len(), MANY_ROWS);
    assert!(rows.iter().all(|row| row["event"] == "play"));
    assert_is_on_record(&exporter, &file).await;
    assert_eq!(outcome(&exporter).await, "COMPLETE");
    assert_eq!(spooled(&exporter.hub).await, 0);
}

#[tokio::test]
async fn a_reader_who_leaves_gives_the_disk_space_back() {
    let exporter = Exporter::of_many_events().await;
    let (stream, _) = begun(&exporter, &events()).await;
    exporter.wait_for(0, OPEN).await;
    drop(stream);
    exporter.wait_for(1, ABORTED).await;
    // On record is what the reader was given, not what was kept for it.
    let rows = exporter.count("SELECT rows FROM export_audits").await;
    assert!(rows < i64::try_from(MANY_ROWS).unwrap(), "{rows}");
    assert_eq!(outcome(&exporter).await, "ABORTED");
    no_disk_is_used(&exporter).await;
}

#[tokio::test]
async fn more_readers_than_may_read_from_the_database_at_once_wait_for_none_of_the_others() {
    let exporter = Exporter::of_many_events().await;
    let mut request = events();
    request["filters"] = json!({"date_from": "2026-11-20T04:00:00Z"});
    let mut readers = Vec::new();
    for _ in 0..=SLOTS {
        readers.push(begun(&exporter, &request).await);
    }
    exporter.wait_for(0, OPEN).await;
    nothing_is_left(&exporter).await;
    let mut files = Vec::new();
    for (stream, beginning) in readers {
        files.push(rest(stream, beginning).await);
    }
    assert_eq!(std::str::from_utf8(&files[0]).unwrap().lines().count(), 5601);
    assert!(files.iter().all(|file| *file == files[0]));
}

#[tokio::test]
async fn past_the_limit_the_query_waits_for_a_reader_who_gets_the_whole_file() {
    let hub = Hub::with(|config| config.exports.spool_max_bytes = 1 << 20).await;
    let exporter = Exporter::of_many_events_on(hub).await;
    let (stream, beginning) = begun(&exporter, &events()).await;
    until(|| exporter.hub.app.export_disk.used() > 900_000).await;
    assert!(exporter.count(OPEN).await > 0);
    assert_is_on_record(&exporter, &rest(stream, beginning).await).await;
    no_disk_is_used(&exporter).await;
    nothing_is_left(&exporter).await;
}

#[tokio::test]
async fn past_the_limit_a_reader_who_takes_nothing_is_cut_off_visibly() {
    let hub = Hub::with(|config| {
        config.exports.spool_max_bytes = 1 << 20;
        config.exports.reader_timeout = Duration::from_millis(500);
    });
    let exporter = Exporter::of_many_events_on(hub.await).await;
    let (stream, beginning) = begun(&exporter, &events()).await;
    exporter.wait_for(1, ABORTED).await;
    assert_breaks_off(stream, beginning).await;
    no_disk_is_used(&exporter).await;
    nothing_is_left(&exporter).await;
}

#[tokio::test]
async fn a_reader_who_takes_nothing_of_what_was_kept_for_it_is_cut_off_visibly() {
    let hub = Hub::with(|config| config.exports.reader_timeout = Duration::from_millis(500)).await;
    let exporter = Exporter::of_many_events_on(hub).await;
    let (stream, beginning) = begun(&exporter, &events()).await;
    exporter.wait_for(1, ABORTED).await;
    no_disk_is_used(&exporter).await;
    assert_breaks_off(stream, beginning).await;
}

/// The body must not end as a whole one does.
async fn assert_breaks_off(mut stream: impl AsyncRead + Unpin, mut answer: Vec<u8>) {
    // An error is as visible as a missing end.
    stream.read_to_end(&mut answer).await.ok();
    assert!(!answer.ends_with(b"0\r\n\r\n"));
}

async fn no_disk_is_used(exporter: &Exporter) {
    until(|| exporter.hub.app.export_disk.used() == 0).await;
}

async fn until(mut holds: impl FnMut() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("That does not come true");
}
