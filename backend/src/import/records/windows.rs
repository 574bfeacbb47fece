//! The records do not depend on the number of bytes read at a time.

use proptest::prelude::*;

use super::super::file_problem::FileProblem;
use super::super::rows::READ_BYTES;
use super::ReadError;
use super::tests::open;

/// Line and cells of each record.
type Found = Result<Vec<(i64, Vec<String>)>, FileProblem>;

/// Reads the records of a file, `read_bytes` bytes at a time.
fn read(file: &str, read_bytes: usize) -> Found {
    let problem = |error| match error {
        ReadError::InvalidFile(problem) => problem,
        ReadError::Io(error) => panic!("{error}"),
    };
    let mut found = Vec::new();
    let mut records = open(file.as_bytes(), read_bytes).map_err(problem)?;
    while let Some(record) = records.next().map_err(problem)? {
        found.push((record.line, record.cells().map(str::to_owned).collect()));
    }
    assert!(records.next().map_err(problem)?.is_none(), "there is no record after the end");
    assert!(records.source().is_empty(), "the file is read to its end");
    Ok(found)
}

/// Reads the cells of the records with the `csv` crate, from memory.
fn read_as_a_whole(file: &str, delimiter: char) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new();
    reader.has_headers(false).flexible(true).delimiter(u8::try_from(delimiter).unwrap());
    let records = reader.from_reader(file.as_bytes()).into_records().map(Result::unwrap);
    let cells = records.map(|record| record.iter().map(str::to_owned).collect::<Vec<String>>());
    cells.filter(|cells| !cells.concat().trim_ascii().is_empty()).collect()
}

fn cell() -> impl Strategy<Value = String> {
    let quoted = "([a, ;ñ]|\r\n|\n|\"\"){0,12}".prop_map(|text| format!("\"{text}\""));
    prop_oneof!["[a-z0-9ñ€ ]{0,12}", quoted]
}

/// A file with a header of several columns, and its delimiter.
fn file() -> impl Strategy<Value = (String, char)> {
    let row = prop::collection::vec(cell(), 1..5);
    let rows = prop::collection::vec((row, 0..3_usize), 0..12);
    let layout = (prop::sample::select(&[',', ';'][..]), prop::sample::select(&["\n", "\r\n"][..]));
    (rows, layout, 0..3_usize, any::<bool>(), any::<bool>()).prop_map(
        |(rows, (delimiter, line_break), blank, mark, last_break)| {
            let mut file = if mark { "\u{feff}".to_owned() } else { String::new() };
            file += &line_break.repeat(blank);
            file += &["user_id", "value", "scope"].join(&delimiter.to_string());
            file += line_break;
            for (cells, blank) in rows {
                file += &cells.join(&delimiter.to_string());
                file += &line_break.repeat(1 + blank);
            }
            let end = if last_break { file.len() } else { file.trim_end_matches(['\r', '\n']).len() };
            file.truncate(end);
            (file, delimiter)
        },
    )
}

/// Numbers of bytes to read at a time.
fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1..=64_usize, 4)
}

proptest! {
    #[test]
    fn records_do_not_depend_on_the_read_size((file, delimiter) in file(), sizes in sizes()) {
        let expected = read_as_a_whole(&file, delimiter);
        let whole = read(&file, READ_BYTES);
        let cells = |found: &Found| -> Vec<Vec<String>> {
            found.as_ref().unwrap().iter().map(|(_, cells)| cells.clone()).collect()
        };
        prop_assert_eq!(cells(&whole), expected);
        for read_bytes in sizes {
            prop_assert_eq!(&read(&file, read_bytes), &whole, "{} bytes at a time", read_bytes);
        }
    }

    #[test]
    fn errors_do_not_depend_on_the_read_size(file in "([a,;ñ \"]|\r\n|\n|\r){0,80}", sizes in sizes()) {
        let whole = read(&file, READ_BYTES);
        for read_bytes in sizes {
            prop_assert_eq!(&read(&file, read_bytes), &whole, "{} bytes at a time", read_bytes);
        }
    }
}

#[test]
fn a_record_may_end_at_the_end_of_a_read() {
    for line_break in ["\n", "\r\n"] {
        for shift in 0..3 {
            let row = format!("{:x<width$}{line_break}", "7,", width = READ_BYTES / 8 - line_break.len());
            let start = format!("{:\n<width$}", "user_id,scope", width = READ_BYTES / 8 + shift);
            let file = start + &row.repeat(40);
            assert_eq!(read(&file, READ_BYTES).unwrap().len(), 41);
        }
    }
}
