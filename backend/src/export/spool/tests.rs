//! The receiver reads exactly what the sender wrote, in any interleaving of the two.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use tokio::task::yield_now;

use super::{Chunk, Consumed, SendError, SpoolDisk, open};
use crate::config::Config;
use crate::export::slow_reader::ReaderTimeout;

const LONG_TIMEOUT: Duration = Duration::from_mins(1);

fn disk(max_bytes: u64, total_bytes: u64) -> Arc<SpoolDisk> {
    let mut settings = Config::defaults().exports;
    (settings.spool_max_bytes, settings.spool_total_bytes) = (max_bytes, total_bytes);
    Arc::new(SpoolDisk::new(&settings))
}

fn disk_in(directory: PathBuf) -> Arc<SpoolDisk> {
    let mut settings = Config::defaults().exports;
    settings.spool_directory = Some(directory);
    Arc::new(SpoolDisk::new(&settings))
}

/// A chunk whose content is unique within its file.
fn chunk(number: usize, length: usize) -> Chunk {
    let byte = |position: usize| u8::try_from((position * 31 + number * 7) % 251).unwrap();
    let bytes: Vec<u8> = (0..length).map(byte).collect();
    Chunk { bytes: Bytes::from(bytes), rows: 1 }
}

fn length() -> impl Strategy<Value = usize> {
    prop_oneof![1..64_usize, 1..=65_536_usize]
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Send(usize),
    Take,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![length().prop_map(Step::Send), Just(Step::Take)]
}

/// Alternates between sending and reading, in a random order.
async fn run_in_turns(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let disk = disk(64 << 20, 64 << 20);
    let (mut sender, mut reader) = open(&disk);
    let mut reader_timeout = ReaderTimeout::new(LONG_TIMEOUT);
    let (mut sent, mut received, mut waiting) = (Vec::new(), Vec::new(), 0);
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Step::Send(length) => {
                let chunk = chunk(number, length);
                sent.extend_from_slice(&chunk.bytes);
                prop_assert!(sender.send(chunk, &mut reader_timeout).await.is_ok());
                waiting += 1;
            }
            Step::Take if waiting > 0 => {
                received.extend_from_slice(&reader.next().await.unwrap().unwrap());
                waiting -= 1;
            }
            Step::Take => {}
        }
        prop_assert_eq!(sender.consumed().bytes, received.len() as u64);
    }
    sender.finish();
    while let Some(bytes) = reader.next().await.unwrap() {
        received.extend_from_slice(&bytes);
    }
    prop_assert!(sent == received);
    drop(reader);
    prop_assert_eq!(disk.used(), 0);
    Ok(())
}

/// Sends and reads concurrently with random yields and little disk space.
async fn run_concurrently(chunks: Vec<(usize, u8, u8)>, max_bytes: u64) -> Result<(), TestCaseError> {
    let disk = disk(max_bytes, max_bytes);
    let (mut sender, mut reader) = open(&disk);
    let yields_after: Vec<u8> = chunks.iter().map(|(_, _, yields)| *yields).collect();
    let bytes = |chunks: &[(usize, u8, u8)]| {
        let chunks = chunks.iter().enumerate();
        chunks.flat_map(|(number, (length, ..))| chunk(number, *length).bytes).collect::<Vec<u8>>()
    };
    let (sent, rows) = (bytes(&chunks), chunks.len() as u64);
    let sending = tokio::spawn(async move {
        let mut reader_timeout = ReaderTimeout::new(LONG_TIMEOUT);
        for (number, (length, yields, _)) in chunks.into_iter().enumerate() {
            for _ in 0..yields {
                yield_now().await;
            }
            sender.send(chunk(number, length), &mut reader_timeout).await.unwrap();
        }
        sender.drain(&mut reader_timeout).await.unwrap();
        let consumed = sender.consumed();
        sender.finish();
        consumed
    });
    let mut received = Vec::new();
    let mut yields_after = yields_after.into_iter();
    while let Some(bytes) = reader.next().await.unwrap() {
        prop_assert!(disk.used() <= max_bytes);
        received.extend_from_slice(&bytes);
        for _ in 0..yields_after.next().unwrap_or_default() {
            yield_now().await;
        }
    }
    prop_assert!(sent == received);
    prop_assert_eq!(sending.await.unwrap(), Consumed { rows, bytes: sent.len() as u64 });
    prop_assert_eq!(disk.used(), 0);
    Ok(())
}

fn run(test: impl Future<Output = Result<(), TestCaseError>>) -> Result<(), TestCaseError> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(test)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_reader_gets_what_was_sent_in_any_order_of_steps(steps in vec(step(), 0..120)) {
        run(run_in_turns(steps))?;
    }

    #[test]
    fn the_reader_gets_what_was_sent_when_both_run_concurrently(
        chunks in vec((length(), 0..20_u8, 0..20_u8), 0..80),
        max_bytes in prop_oneof![Just(0), 1..300_000_u64],
    ) {
        run(run_concurrently(chunks, max_bytes))?;
    }
}

#[tokio::test]
async fn a_reader_that_keeps_up_causes_no_disk_access() {
    let disk = disk_in(MISSING_DIRECTORY.into());
    let (mut sender, mut reader) = open(&disk);
    let mut reader_timeout = ReaderTimeout::new(Duration::ZERO);
    for number in 0..1000 {
        // Sending would fail if it had to use the disk or wait for the reader.
        sender.send(chunk(number, 64 << 10), &mut reader_timeout).await.unwrap();
        reader.next().await.unwrap().unwrap();
    }
}

const MISSING_DIRECTORY: &str = "/nonexistent/spool";

#[tokio::test]
async fn unread_chunks_are_in_unlinked_files_freed_with_the_reader() {
    let directory = tempfile::tempdir().unwrap();
    let disk = disk_in(directory.path().to_owned());
    let (mut sender, mut reader) = open(&disk);
    let mut reader_timeout = ReaderTimeout::new(Duration::ZERO);
    for number in 0..100 {
        sender.send(chunk(number, 64 << 10), &mut reader_timeout).await.unwrap();
    }
    assert_eq!(disk.used(), (100 - super::MAX_CHUNKS_IN_MEMORY as u64) * (64 << 10));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    reader.next().await.unwrap().unwrap();
    drop(reader);
    assert!(matches!(sender.send(chunk(0, 1), &mut reader_timeout).await, Err(SendError::ReaderGone)));
    assert!(matches!(sender.reader_gone().await, SendError::ReaderGone));
    assert_eq!(sender.consumed(), Consumed { rows: 1, bytes: 64 << 10 });
    drop(sender);
    wait_until_freed(&disk).await;
}

/// Waits, since files are closed on another thread.
async fn wait_until_freed(disk: &SpoolDisk) {
    while disk.used() > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn the_spooled_chunks_of_an_interrupted_file_are_discarded() {
    let disk = disk(64 << 20, 64 << 20);
    let (mut sender, mut reader) = open(&disk);
    let mut reader_timeout = ReaderTimeout::new(LONG_TIMEOUT);
    for number in 0..100 {
        sender.send(chunk(number, 1000), &mut reader_timeout).await.unwrap();
    }
    drop(sender);
    let mut received = 0;
    while let Ok(Some(_)) = reader.next().await {
        received += 1;
    }
    assert_eq!(received, super::MAX_CHUNKS_IN_MEMORY);
    assert!(reader.next().await.is_err());
    wait_until_freed(&disk).await;
}

#[tokio::test]
async fn past_the_limit_a_reader_that_takes_nothing_times_out() {
    for (own, total) in [(256 << 10, 64 << 20), (64 << 20, 256 << 10)] {
        let disk = disk(own, total);
        let (mut sender, mut reader) = open(&disk);
        let mut reader_timeout = ReaderTimeout::new(Duration::from_millis(20));
        let mut sent = 0;
        let reason = loop {
            match sender.send(chunk(sent, 64 << 10), &mut reader_timeout).await {
                Ok(()) => sent += 1,
                Err(reason) => break reason,
            }
        };
        assert!(matches!(reason, SendError::ReaderTooSlow), "{reason:?}");
        assert_eq!((sent, disk.used()), (super::MAX_CHUNKS_IN_MEMORY + 4, 256 << 10));
        // A reader that comes back gets the chunks in memory, then an error.
        drop(sender);
        while let Ok(last) = reader.next().await {
            assert!(last.is_some());
        }
        wait_until_freed(&disk).await;
    }
}

#[tokio::test]
async fn an_export_that_cannot_be_spooled_waits_and_is_complete() {
    let disk = disk_in(MISSING_DIRECTORY.into());
    let (mut sender, mut reader) = open(&disk);
    let sending = tokio::spawn(async move {
        let mut reader_timeout = ReaderTimeout::new(LONG_TIMEOUT);
        for number in 0..100 {
            sender.send(chunk(number, 1000), &mut reader_timeout).await.unwrap();
        }
        sender.finish();
    });
    let mut received = 0;
    while let Some(bytes) = reader.next().await.unwrap() {
        assert_eq!(bytes, chunk(received, 1000).bytes);
        received += 1;
    }
    assert_eq!(received, 100);
    sending.await.unwrap();
}
