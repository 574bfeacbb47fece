//! Whatever the sender and the receiver do, and in whatever order: what comes out is what went in.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use tokio::task::yield_now;

use super::{NotTaken, Piece, SpoolDisk, Taken, open};
use crate::config::Config;
use crate::export::patience::Patience;

const PATIENT: Duration = Duration::from_mins(1);

fn disk(max_bytes: u64, total_bytes: u64) -> Arc<SpoolDisk> {
    let mut settings = Config::of_defaults().exports;
    (settings.spool_max_bytes, settings.spool_total_bytes) = (max_bytes, total_bytes);
    Arc::new(SpoolDisk::new(&settings))
}

fn disk_in(directory: PathBuf) -> Arc<SpoolDisk> {
    let mut settings = Config::of_defaults().exports;
    settings.spool_directory = Some(directory);
    Arc::new(SpoolDisk::new(&settings))
}

/// A piece like no other of the same file.
fn piece(number: usize, length: usize) -> Piece {
    let byte = |place: usize| u8::try_from((place * 31 + number * 7) % 251).unwrap();
    let bytes: Vec<u8> = (0..length).map(byte).collect();
    Piece { bytes: Bytes::from(bytes), rows: 1 }
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

/// One after the other, in any order.
async fn in_turns(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let disk = disk(64 << 20, 64 << 20);
    let (mut sender, mut reader) = open(&disk);
    let mut patience = Patience::new(PATIENT);
    let (mut sent, mut received, mut waiting) = (Vec::new(), Vec::new(), 0);
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Step::Send(length) => {
                let piece = piece(number, length);
                sent.extend_from_slice(&piece.bytes);
                prop_assert!(sender.send(piece, &mut patience).await.is_ok());
                waiting += 1;
            }
            Step::Take if waiting > 0 => {
                received.extend_from_slice(&reader.next().await.unwrap().unwrap());
                waiting -= 1;
            }
            Step::Take => {}
        }
        prop_assert_eq!(sender.taken().bytes, received.len() as u64);
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

/// Both at once, each resting now and then, with little disk space.
async fn at_once(pieces: Vec<(usize, u8, u8)>, max_bytes: u64) -> Result<(), TestCaseError> {
    let disk = disk(max_bytes, max_bytes);
    let (mut sender, mut reader) = open(&disk);
    let rests: Vec<u8> = pieces.iter().map(|(_, _, rest)| *rest).collect();
    let bytes = |pieces: &[(usize, u8, u8)]| {
        let pieces = pieces.iter().enumerate();
        pieces.flat_map(|(number, (length, ..))| piece(number, *length).bytes).collect::<Vec<u8>>()
    };
    let (sent, rows) = (bytes(&pieces), pieces.len() as u64);
    let sending = tokio::spawn(async move {
        let mut patience = Patience::new(PATIENT);
        for (number, (length, rest, _)) in pieces.into_iter().enumerate() {
            for _ in 0..rest {
                yield_now().await;
            }
            sender.send(piece(number, length), &mut patience).await.unwrap();
        }
        sender.drained(&mut patience).await.unwrap();
        let taken = sender.taken();
        sender.finish();
        taken
    });
    let mut received = Vec::new();
    let mut rests = rests.into_iter();
    while let Some(bytes) = reader.next().await.unwrap() {
        prop_assert!(disk.used() <= max_bytes);
        received.extend_from_slice(&bytes);
        for _ in 0..rests.next().unwrap_or_default() {
            yield_now().await;
        }
    }
    prop_assert!(sent == received);
    prop_assert_eq!(sending.await.unwrap(), Taken { rows, bytes: sent.len() as u64 });
    prop_assert_eq!(disk.used(), 0);
    Ok(())
}

fn run(test: impl Future<Output = Result<(), TestCaseError>>) -> Result<(), TestCaseError> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(test)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_comes_out_is_what_went_in_whatever_the_order(steps in vec(step(), 0..120)) {
        run(in_turns(steps))?;
    }

    #[test]
    fn what_comes_out_is_what_went_in_when_both_work_at_once(
        pieces in vec((length(), 0..20_u8, 0..20_u8), 0..80),
        max_bytes in prop_oneof![Just(0), 1..300_000_u64],
    ) {
        run(at_once(pieces, max_bytes))?;
    }
}

#[tokio::test]
async fn a_reader_who_keeps_pace_causes_no_disk_access() {
    let disk = disk_in(PATH_OF_NOTHING.into());
    let (mut sender, mut reader) = open(&disk);
    let mut patience = Patience::new(Duration::ZERO);
    for number in 0..1000 {
        // An export that had to wait for the reader, or could not be spooled, would not get through.
        sender.send(piece(number, 64 << 10), &mut patience).await.unwrap();
        reader.next().await.unwrap().unwrap();
    }
}

const PATH_OF_NOTHING: &str = "/nonexistent/spool";

#[tokio::test]
async fn what_a_reader_has_not_taken_is_on_disk_without_a_name_and_goes_with_the_reader() {
    let directory = tempfile::tempdir().unwrap();
    let disk = disk_in(directory.path().to_owned());
    let (mut sender, mut reader) = open(&disk);
    let mut patience = Patience::new(Duration::ZERO);
    for number in 0..100 {
        sender.send(piece(number, 64 << 10), &mut patience).await.unwrap();
    }
    assert_eq!(disk.used(), (100 - super::PIECES_IN_MEMORY as u64) * (64 << 10));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    reader.next().await.unwrap().unwrap();
    drop(reader);
    assert!(matches!(sender.send(piece(0, 1), &mut patience).await, Err(NotTaken::Gone)));
    assert!(matches!(sender.reader_gone().await, NotTaken::Gone));
    assert_eq!(sender.taken(), Taken { rows: 1, bytes: 64 << 10 });
    drop(sender);
    freed(&disk).await;
}

/// Files are closed on another thread.
async fn freed(disk: &SpoolDisk) {
    while disk.used() > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_file_that_breaks_off_is_not_read_to_the_end_of_what_was_spooled() {
    let disk = disk(64 << 20, 64 << 20);
    let (mut sender, mut reader) = open(&disk);
    let mut patience = Patience::new(PATIENT);
    for number in 0..100 {
        sender.send(piece(number, 1000), &mut patience).await.unwrap();
    }
    drop(sender);
    let mut received = 0;
    while let Ok(Some(_)) = reader.next().await {
        received += 1;
    }
    assert_eq!(received, super::PIECES_IN_MEMORY);
    assert!(reader.next().await.is_err());
    freed(&disk).await;
}

#[tokio::test]
async fn past_the_limit_the_sender_waits_and_a_reader_who_takes_nothing_is_cut_off() {
    for (own, total) in [(256 << 10, 64 << 20), (64 << 20, 256 << 10)] {
        let disk = disk(own, total);
        let (mut sender, mut reader) = open(&disk);
        let mut patience = Patience::new(Duration::from_millis(20));
        let mut sent = 0;
        let reason = loop {
            match sender.send(piece(sent, 64 << 10), &mut patience).await {
                Ok(()) => sent += 1,
                Err(reason) => break reason,
            }
        };
        assert!(matches!(reason, NotTaken::TooSlow), "{reason:?}");
        assert_eq!((sent, disk.used()), (super::PIECES_IN_MEMORY + 4, 256 << 10));
        // The reader comes back: what was in memory, and then the end that is none.
        drop(sender);
        while let Ok(last) = reader.next().await {
            assert!(last.is_some());
        }
        freed(&disk).await;
    }
}

#[tokio::test]
async fn an_export_that_cannot_be_spooled_waits_for_its_reader_and_is_whole() {
    let disk = disk_in(PATH_OF_NOTHING.into());
    let (mut sender, mut reader) = open(&disk);
    let sending = tokio::spawn(async move {
        let mut patience = Patience::new(PATIENT);
        for number in 0..100 {
            sender.send(piece(number, 1000), &mut patience).await.unwrap();
        }
        sender.finish();
    });
    let mut received = 0;
    while let Some(bytes) = reader.next().await.unwrap() {
        assert_eq!(bytes, piece(received, 1000).bytes);
        received += 1;
    }
    assert_eq!(received, 100);
    sending.await.unwrap();
}
