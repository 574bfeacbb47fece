use std::fs::File;
use std::io::{Seek as _, Write as _};

use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::super::records::READ_BYTES;
use super::*;

const OPTIONS: ReadOptions = ReadOptions {
    table: SnapshotTable::Student,
    zone: Tz::UTC,
    max_rows: u64::MAX,
    size_bytes: 0,
    read_bytes: READ_BYTES,
};

/// Reads a file and returns the result with the values of its rows, in order.
fn read_all(file: impl Read + Send, options: ReadOptions) -> (Result<FileDigest, ReadError>, Vec<i32>) {
    let (sender, mut chunks) = mpsc::channel(1);
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || read(HashingReader::new(file, Vec::new()), options, &sender));
        let mut values = Vec::new();
        while let Some(chunk) = chunks.blocking_recv() {
            assert!(chunk.rejected.is_empty());
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
    // Every fourth row ends at the end of a read.
    write(&mut file, &format!("{:\n<ROW_BYTES$}", "user_id,value,scope"));
    for row in 0..ROWS {
        write(&mut file, &format!("{:x<width$}\n", format!("7,{row},"), width = ROW_BYTES - 1));
    }
    let size_bytes = file.metadata().unwrap().len();
    assert!(size_bytes > 50 << 20);
    file.rewind().unwrap();
    let (file_digest, values) = read_all(&file, ReadOptions { size_bytes, ..OPTIONS });
    let file_digest = file_digest.unwrap();
    assert_eq!(values, (0..i32::try_from(ROWS).unwrap()).collect::<Vec<i32>>());
    assert_eq!((file_digest.bytes_read, file_digest.sha256), (size_bytes, digest.finalize().to_vec()));
}

#[test]
fn a_file_whose_size_differs_from_the_received_size_is_an_error() {
    let file = "user_id,value\n7,1\n7,2\n";
    for (size_bytes, is_whole) in [(0, false), (21, false), (22, true), (23, false), (u64::MAX, false)] {
        let (file_digest, _) = read_all(file.as_bytes(), ReadOptions { size_bytes, ..OPTIONS });
        match file_digest {
            Ok(file_digest) => assert!(is_whole && file_digest.bytes_read == 22, "{size_bytes}"),
            Err(ReadError::Io(error)) => {
                assert!(!is_whole);
                assert_eq!(error.to_string(), format!("read 22 bytes of a file of {size_bytes} bytes"));
            }
            Err(ReadError::InvalidFile(problem)) => panic!("{problem:?}"),
        }
    }
}
