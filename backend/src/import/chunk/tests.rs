use std::fs::File;
use std::io::{Cursor, Seek as _, Write as _};

use chrono_tz::Tz;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::super::rows::READ_BYTES;
use super::super::rows::tests::OPTIONS;
use super::*;

const RULES: RowRules = RowRules { zone: Tz::UTC, max_cell_bytes: 1 << 20, max_nesting: 64 };

/// Reads a file and returns the result with its rows, encoded in order, and their number.
fn read_all(
    file: impl Read + Seek + Send,
    size_bytes: u64,
) -> (Result<WholeFile, ReadError>, Vec<u8>, usize) {
    let options = ReadOptions { size_bytes, ..OPTIONS };
    let (sender, mut chunks) = mpsc::channel(1);
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || read(file, &options, &RULES, &sender));
        let (mut encoded, mut rows) = (Vec::new(), 0);
        while let Some(mut chunk) = chunks.blocking_recv() {
            assert!(chunk.rejected.is_empty());
            rows += chunk.good.len();
            encoded.extend_from_slice(&chunk.take_staged());
        }
        (reader.join().unwrap(), encoded, rows)
    })
}

fn encode(rows: impl Iterator<Item = (i64, i32)>) -> Vec<u8> {
    let mut encoded = CopyRows::default();
    for (line, value) in rows {
        let row = StagedSnapshot {
            line,
            person_id: 7,
            course_id: None,
            lesson_id: None,
            practice_package_id: None,
            category: "custom".into(),
            scope: None,
            value: Some(value),
            payload: None,
            captured_at: None,
        };
        row.encode(&mut encoded);
    }
    encoded.into_bytes().to_vec()
}

#[test]
fn a_file_above_50_mb_is_read_to_its_end() {
    const ROW_BYTES: usize = READ_BYTES / 4;
    const ROWS: i32 = 3_300;
    let mut file = tempfile::tempfile().unwrap();
    let mut digest = Sha256::new();
    let mut write = |file: &mut File, text: &str| {
        file.write_all(text.as_bytes()).unwrap();
        digest.update(text);
    };
    // Every fourth row ends at the end of a read.
    write(&mut file, &format!("{:\n<ROW_BYTES$}", "user_id,value,scope"));
    for row in 0..ROWS {
        write(&mut file, &format!("{: <width$}\n", format!("7,{row},"), width = ROW_BYTES - 1));
    }
    let size_bytes = file.metadata().unwrap().len();
    assert!(size_bytes > 50 << 20);
    file.rewind().unwrap();
    let (whole, encoded, rows) = read_all(&file, size_bytes);
    let whole = whole.unwrap();
    assert_eq!(rows, usize::try_from(ROWS).unwrap());
    let first_line = i64::try_from(ROW_BYTES - "user_id,value,scope".len() + 1).unwrap();
    assert!(encoded == encode((0..ROWS).map(|row| (first_line + i64::from(row), row))));
    assert_eq!((whole.digest.bytes_read, whole.digest.sha256), (size_bytes, digest.finalize().to_vec()));
    assert_eq!(whole.columns, ["user_id", "value", "scope"]);
}

#[test]
fn a_file_whose_size_differs_from_the_received_size_is_an_error() {
    let file = "user_id,value\n7,1\n7,2\n";
    for (size_bytes, is_whole) in [(0, false), (21, false), (22, true), (23, false), (u64::MAX, false)] {
        let (whole, ..) = read_all(Cursor::new(file), size_bytes);
        match whole {
            Ok(whole) => assert!(is_whole && whole.digest.bytes_read == 22, "{size_bytes}"),
            Err(ReadError::Io(error)) => {
                assert!(!is_whole);
                assert_eq!(error.to_string(), format!("read 22 bytes of a file of {size_bytes} bytes"));
            }
            Err(ReadError::InvalidFile(problem)) => panic!("{problem:?}"),
        }
    }
}

#[test]
fn rows_rejected_later_are_not_staged() {
    let file = "user_id,value\n7,0\n7,1\nx,2\n7,3\n";
    let (sender, mut chunks) = mpsc::channel(1);
    let options = ReadOptions { size_bytes: file.len() as u64, ..OPTIONS };
    read(Cursor::new(file), &options, &RULES, &sender).unwrap();
    let mut chunk = chunks.try_recv().unwrap();
    let problem = super::super::cell_problem::CellProblem::UnknownId;
    chunk.reject(|row| (row.line == 3).then(|| Rejection { column: None, value: String::new(), problem }));
    let rejected: Vec<(i64, Vec<&str>)> =
        chunk.rejected.iter().map(|row| (row.line, chunk.record(row).cells().collect())).collect();
    assert_eq!(rejected, [(3, vec!["7", "1"]), (4, vec!["x", "2"])]);
    assert_eq!(chunk.take_staged().to_vec(), encode([(2, 0), (5, 3)].into_iter()));
}
