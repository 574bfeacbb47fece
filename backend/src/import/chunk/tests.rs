use std::fs::File;
use std::io::{Seek as _, Write as _};

use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::super::records::READ_BYTES;
use super::*;

const READING: Reading = Reading {
    table: SnapshotTable::Student,
    zone: Tz::UTC,
    max_rows: u64::MAX,
    size_bytes: 0,
    read_bytes: READ_BYTES,
};

/// Reads a file, and gives what became of it with the values of its rows in their order.
fn read_all(file: impl Read + Send, reading: Reading) -> (Result<WholeFile, Broken>, Vec<i32>) {
    let (sender, mut chunks) = mpsc::channel(1);
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || read(Hashing::new(file, Vec::new()), reading, &sender));
        let mut values = Vec::new();
        while let Some(chunk) = chunks.blocking_recv() {
            assert!(chunk.refused.is_empty());
            values.extend(chunk.good.iter().filter_map(|(row, _)| row.value));
        }
        (reader.join().unwrap(), values)
    })
}

#[test]
fn a_file_above_50_mb_is_read_to_its_end() {
    const ROW_BYTES: usize = READ_BYTES / 4;
    const ROWS: usize = 3_300;
    let mut file = tempfile::tempfile().unwrap();
    let mut digest = Sha256::new();
    let mut write = |file: &mut File, text: &str| {
        file.write_all(text.as_bytes()).unwrap();
        digest.update(text);
    };
    // Every fourth row ends where what was read at once ends.
    write(&mut file, &format!("{:\n<ROW_BYTES$}", "user_id,value,scope"));
    for row in 0..ROWS {
        write(&mut file, &format!("{:x<width$}\n", format!("7,{row},"), width = ROW_BYTES - 1));
    }
    let size_bytes = file.metadata().unwrap().len();
    assert!(size_bytes > 50 << 20);
    file.rewind().unwrap();
    let (whole, values) = read_all(&file, Reading { size_bytes, ..READING });
    let whole = whole.unwrap();
    assert_eq!(values, (0..i32::try_from(ROWS).unwrap()).collect::<Vec<i32>>());
    assert_eq!((whole.bytes_read, whole.sha256), (size_bytes, digest.finalize().to_vec()));
}

#[test]
fn a_file_that_does_not_have_the_size_that_was_received_is_refused() {
    let file = "user_id,value\n7,1\n7,2\n";
    for (size_bytes, is_whole) in [(0, false), (21, false), (22, true), (23, false), (u64::MAX, false)] {
        let (whole, _) = read_all(file.as_bytes(), Reading { size_bytes, ..READING });
        match whole {
            Ok(whole) => assert!(is_whole && whole.bytes_read == 22, "{size_bytes}"),
            Err(Broken::Unreadable(error)) => {
                assert!(!is_whole);
                assert_eq!(
                    error.to_string(),
                    format!("22 bytes of a file of {size_bytes} bytes could be read")
                );
            }
            Err(Broken::Refused(problem)) => panic!("{problem:?}"),
        }
    }
}
