use super::super::content::{self, FileFormat};
use super::super::content_kind::LikelyEncoding;
use super::super::rows::READ_BYTES;
use super::*;

/// The maximum length of a record.
const MAX_RECORD_BYTES: usize = 8 << 20;
/// The maximum number of cells of a record.
const MAX_CELLS: usize = 2_000;

/// Opens a file that is CSV, and reads it some bytes at a time.
pub fn open<R: Read>(file: R, read_bytes: usize) -> Result<RecordReader<R>, ReadError> {
    let mut window = Window::new(file, read_bytes, MAX_RECORD_BYTES);
    match content::detect(window.read_start(content::is_long_enough)?)? {
        FileFormat::Csv(format) => Ok(RecordReader::new(window, format, MAX_CELLS)),
        other => panic!("{other:?}"),
    }
}

/// Returns the line and cells of each record.
fn read(file: &str) -> Result<Vec<(i64, Vec<String>)>, FileProblem> {
    let mut found = Vec::new();
    // Reads one byte at a time, so that every record spans several reads.
    let mut records = open(file.as_bytes(), 1).map_err(problem)?;
    while let Some(record) = records.next().map_err(problem)? {
        found.push((record.line, record.cells().map(str::to_owned).collect()));
    }
    Ok(found)
}

fn problem(error: ReadError) -> FileProblem {
    match error {
        ReadError::InvalidFile(problem) => problem,
        ReadError::Io(error) => panic!("{error}"),
    }
}

fn record(line: i64, cells: &[&str]) -> (i64, Vec<String>) {
    (line, cells.iter().map(|cell| (*cell).to_owned()).collect())
}

#[test]
fn line_numbers_are_those_of_the_file() {
    let file = "\u{feff}a,b\r\n\r\n1,\"two\nlines\"\r\n,\r\n3,4";
    let expected = [record(1, &["a", "b"]), record(3, &["1", "two\nlines"]), record(6, &["3", "4"])];
    assert_eq!(read(file), Ok(expected.to_vec()));
}

#[test]
fn semicolons_are_delimiters_too() {
    assert_eq!(read("a;b\n\"x;y\";\"say \"\"z\"\"\"\n").unwrap()[1], record(2, &["x;y", "say \"z\""]));
}

#[test]
fn an_unclosed_quote_is_an_error() {
    assert_eq!(read("a,b\n1,2\n\n3,\"4\n5,6\n"), Err(FileProblem::UnclosedQuote(4)));
    assert_eq!(read("a,b\n1,\"2\"").unwrap().len(), 2);
    assert_eq!(read("a,b\n1,\""), Err(FileProblem::UnclosedQuote(2)));
}

#[test]
fn a_quote_that_programs_read_differently_is_an_error() {
    for (file, problem) in [
        ("a,b\n1,x\"y\n", FileProblem::StrayQuote(2)),
        ("a,b\n1, \"y\"\n", FileProblem::StrayQuote(2)),
        ("a,b\n\"1\n2\",x\"y\n", FileProblem::StrayQuote(3)),
        ("a,b\n1,\"x\" y\n", FileProblem::TextAfterQuote(2)),
        ("a,b\n1,\"x\n2,y\n3,\"z\"\n", FileProblem::TextAfterQuote(4)),
        ("a,b\r1,\"x\"\"y\r2,\"z\r", FileProblem::TextAfterQuote(3)),
    ] {
        assert_eq!(read(file), Err(problem), "{file:?}");
    }
}

#[test]
fn lines_may_end_with_cr_alone() {
    let file = "a,b\r\r1,\"two\rlines\"\r3,4";
    let expected = [record(1, &["a", "b"]), record(3, &["1", "two\rlines"]), record(5, &["3", "4"])];
    assert_eq!(read(file), Ok(expected.to_vec()));
}

#[test]
fn sep_and_repeated_byte_order_marks_are_skipped() {
    for start in ["\u{feff}\u{feff}", "sep=;\r\n", "\u{feff}SEP=;\n", "\"sep=;\"\r"] {
        let line = if start.contains('=') { 2 } else { 1 };
        let file = format!("{start}a;b;c,d\n1;2;3\n");
        let expected = [record(line, &["a", "b", "c,d"]), record(line + 1, &["1", "2", "3"])];
        assert_eq!(read(&file), Ok(expected.to_vec()), "{start:?}");
    }
    assert_eq!(read("sep=\t\na,a\tb\n").unwrap(), [record(2, &["a,a", "b"])]);
}

#[test]
fn a_record_that_is_too_long_is_an_error() {
    let endless = format!("a\n\"{}", "x\n".repeat(MAX_RECORD_BYTES / 2 + READ_BYTES));
    let mut records = open(endless.as_bytes(), READ_BYTES).unwrap();
    records.next().unwrap();
    let Err(ReadError::InvalidFile(problem)) = records.next() else { panic!("the record must be rejected") };
    assert_eq!(problem, FileProblem::RowTooLong(2, MAX_RECORD_BYTES));
}

#[test]
fn a_record_of_too_many_cells_is_an_error() {
    let row = |cells: usize| ",".repeat(cells - 1);
    assert_eq!(read(&format!("a\n\n{}x\n", row(MAX_CELLS))).unwrap()[1].1.len(), MAX_CELLS);
    let problem = FileProblem::TooManyColumns(3, MAX_CELLS);
    assert_eq!(read(&format!("a\n\n{}x\n", row(MAX_CELLS + 1))), Err(problem));
}

#[test]
fn bytes_that_are_not_text_are_reported_with_their_line() {
    for (file, expected) in [
        (&b"a\nma\xf1ana\n"[..], FileProblem::NotUtf8(2, LikelyEncoding::Windows1252)),
        (b"a\nit\x92s\n", FileProblem::NotUtf8(2, LikelyEncoding::Windows1252)),
        (b"a\r\"b\rcaf\x8e, ma\x96ana\"\r", FileProblem::NotUtf8(3, LikelyEncoding::MacRoman)),
        (b"a\nb\0,c\"d\n", FileProblem::NullCharacter(2)),
        (b"a\n\xf1,\"b\"c\n", FileProblem::NotUtf8(2, LikelyEncoding::Windows1252)),
        (b"a\nb\xc3(\n", FileProblem::NotUtf8(2, LikelyEncoding::Windows1252)),
        (b"a\nb\x81\n", FileProblem::NotUtf8(2, LikelyEncoding::Unknown)),
        (b"a\n\"b\r\nc\0\"\n", FileProblem::NullCharacter(3)),
        (b"\xff\xfea\0\n\0b\0\x00\xd8\n\0", FileProblem::NotUtf8(2, LikelyEncoding::Unknown)),
    ] {
        let mut records = open(file, 1).unwrap();
        assert_eq!(records.next().unwrap().unwrap().line, 1);
        assert_eq!(problem(records.next().unwrap_err()), expected, "{file:?}");
    }
}
