//! The records of a CSV file, one after another, each with its line and its text, in memory that does not grow with the
//! file.
//!
//! `csv_core` says where cells end; this keeps a window of the file around the present record. Lines are those of the
//! file, whatever blank lines and line breaks inside quotes lie before.

use std::io::{self, Read};
use std::str;

use csv_core::{ReadRecordResult, ReaderBuilder};

use super::content;
use super::file_problem::FileProblem;

/// The longest record that is taken, in bytes.
pub const MAX_RECORD_BYTES: usize = 8 << 20;

/// So much is read at once, in bytes.
pub const READ_BYTES: usize = 64 << 10;

/// Reads records.
pub struct Records<R> {
    source: R,
    /// So much is read at once, in bytes.
    read_bytes: usize,
    parser: csv_core::Reader,
    /// Part of the file: the present record from its beginning on, and what was read behind it.
    window: Vec<u8>,
    /// Where in the window the present record begins.
    begin: usize,
    /// Up to where in the window the parser has come.
    parsed: usize,
    /// The line in which the present record begins.
    line: i64,
    ended: bool,
    cells: Vec<u8>,
    ends: Vec<usize>,
}

/// One record.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The line in which it begins, from 1.
    pub line: i64,
    /// The record as it stands in the file, without its line break.
    pub text: &'a str,
    cells: &'a str,
    ends: &'a [usize],
}

/// Why there is no further record.
#[derive(Debug)]
pub enum Broken {
    /// The file is not as it should be.
    Refused(FileProblem),
    /// It could not be read.
    Unreadable(io::Error),
}

impl From<FileProblem> for Broken {
    fn from(problem: FileProblem) -> Self {
        Self::Refused(problem)
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

impl<'a> Record<'a> {
    /// The number of cells.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cell at this place, if there is one.
    pub fn get(&self, place: usize) -> Option<&'a str> {
        let begin = if place == 0 { 0 } else { *self.ends.get(place - 1)? };
        self.cells.get(begin..*self.ends.get(place)?)
    }

    /// The cells in order.
    pub fn cells(&self) -> impl Iterator<Item = &'a str> {
        let record = *self;
        (0..self.len()).filter_map(move |place| record.get(place))
    }
}

impl<R: Read> Records<R> {
    /// Looks at how the file begins, and refuses what is no CSV. Reads `read_bytes` bytes at once, from 1 on.
    pub fn open(source: R, read_bytes: usize) -> Result<Self, Broken> {
        let mut records = Self {
            source,
            read_bytes,
            parser: csv_core::Reader::new(),
            window: Vec::new(),
            begin: 0,
            parsed: 0,
            line: 1,
            ended: false,
            cells: vec![0; 4 << 10],
            ends: vec![0; 32],
        };
        while !records.ended && !content::is_enough(&records.window) {
            records.read_more()?;
        }
        let csv = content::recognise(&records.window)?;
        records.parser = ReaderBuilder::new().delimiter(csv.delimiter).build();
        records.begin = csv.begin;
        records.parsed = csv.begin;
        Ok(records)
    }

    /// The next record that is not blank.
    pub fn next(&mut self) -> Result<Option<Record<'_>>, Broken> {
        while let Some(parsed) = self.parse()? {
            let whole = &self.window[self.begin..self.parsed];
            let breaks = whole.iter().take_while(|byte| is_break(**byte)).count();
            let breaks_behind = whole[breaks..].iter().rev().take_while(|byte| is_break(**byte)).count();
            let line = self.line + lines(&whole[..breaks]);
            let text = self.begin + breaks..self.parsed - breaks_behind;
            self.line += lines(whole);
            self.begin = self.parsed;
            if self.window[text.clone()].contains(&0) {
                return Err(FileProblem::NullCharacter(line).into());
            }
            if !self.cells[..parsed.bytes].trim_ascii().is_empty() {
                let not_utf8 = |_| FileProblem::NotUtf8(line);
                return Ok(Some(Record {
                    line,
                    text: str::from_utf8(&self.window[text]).map_err(not_utf8)?,
                    cells: str::from_utf8(&self.cells[..parsed.bytes]).map_err(not_utf8)?,
                    ends: &self.ends[..parsed.cells],
                }));
            }
        }
        Ok(None)
    }

    /// Parses one record into `cells` and `ends`.
    fn parse(&mut self) -> Result<Option<Parsed>, Broken> {
        let mut parsed = Parsed { bytes: 0, cells: 0 };
        loop {
            // The parser takes an empty input for the end of the file, and a window may be used up before that.
            while self.parsed == self.window.len() && !self.ended {
                self.read_more()?;
            }
            let (result, read, bytes, cells) = self.parser.read_record(
                &self.window[self.parsed..],
                &mut self.cells[parsed.bytes..],
                &mut self.ends[parsed.cells..],
            );
            self.parsed += read;
            parsed.bytes += bytes;
            parsed.cells += cells;
            match result {
                ReadRecordResult::Record => return Ok(Some(parsed)),
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::OutputFull => self.cells.resize(self.cells.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::InputEmpty if self.ended => return self.check_end(),
                ReadRecordResult::InputEmpty => self.read_more()?,
            }
        }
    }

    /// Reads on. Behind the end of the file stands one more line break, which ends a last record that has none, and
    /// tells it from one whose quote is still open.
    fn read_more(&mut self) -> Result<(), Broken> {
        self.window.drain(..self.begin);
        self.parsed -= self.begin;
        self.begin = 0;
        let had = self.window.len();
        if had > MAX_RECORD_BYTES {
            return Err(FileProblem::RowTooLong(self.line, MAX_RECORD_BYTES).into());
        }
        let mut more = self.source.by_ref().take(self.read_bytes as u64);
        if more.read_to_end(&mut self.window)? == 0 {
            self.ended = true;
            self.window.push(b'\n');
        }
        Ok(())
    }

    /// At the end of the file nothing may be left but blank lines.
    fn check_end(&self) -> Result<Option<Parsed>, Broken> {
        let rest = &self.window[self.begin..];
        let breaks = rest.iter().take_while(|byte| is_break(**byte)).count();
        if breaks == rest.len() {
            return Ok(None);
        }
        Err(FileProblem::UnclosedQuote(self.line + lines(&rest[..breaks])).into())
    }
}

/// How much of the buffers a record takes.
struct Parsed {
    bytes: usize,
    cells: usize,
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

fn lines(text: &[u8]) -> i64 {
    text.iter().map(|byte| i64::from(*byte == b'\n')).sum()
}

#[cfg(test)]
mod windows;

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of the records, and their cells.
    fn read(file: &str) -> Result<Vec<(i64, Vec<String>)>, FileProblem> {
        let mut found = Vec::new();
        // One byte at a time, so that every record lies across the end of a window.
        let mut records = Records::open(file.as_bytes(), 1).map_err(problem)?;
        while let Some(record) = records.next().map_err(problem)? {
            found.push((record.line, record.cells().map(str::to_owned).collect()));
        }
        Ok(found)
    }

    fn problem(broken: Broken) -> FileProblem {
        match broken {
            Broken::Refused(problem) => problem,
            Broken::Unreadable(error) => panic!("{error}"),
        }
    }

    fn record(line: i64, cells: &[&str]) -> (i64, Vec<String>) {
        (line, cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn lines_are_those_of_the_file() {
        let file = "\u{feff}a,b\r\n\r\n1,\"two\nlines\"\r\n,\r\n3,4";
        let expected = [record(1, &["a", "b"]), record(3, &["1", "two\nlines"]), record(6, &["3", "4"])];
        assert_eq!(read(file), Ok(expected.to_vec()));
    }

    #[test]
    fn semicolons_separate_too() {
        assert_eq!(read("a;b\n\"x;y\";\"say \"\"z\"\"\"\n").unwrap()[1], record(2, &["x;y", "say \"z\""]));
    }

    #[test]
    fn a_quote_must_be_closed() {
        assert_eq!(read("a,b\n1,2\n\n3,\"4\n5,6\n"), Err(FileProblem::UnclosedQuote(4)));
        assert_eq!(read("a,b\n1,\"2\"").unwrap().len(), 2);
    }

    #[test]
    fn a_record_has_its_limit() {
        let endless = format!("a\n\"{}", "x".repeat(MAX_RECORD_BYTES + 2 * READ_BYTES));
        let mut records = Records::open(endless.as_bytes(), READ_BYTES).unwrap();
        records.next().unwrap();
        let Err(Broken::Refused(problem)) = records.next() else { panic!("it is refused") };
        assert_eq!(problem, FileProblem::RowTooLong(2, MAX_RECORD_BYTES));
    }

    #[test]
    fn text_must_be_text() {
        let latin1 = b"a\nma\xf1ana\n";
        let mut records = Records::open(&latin1[..], READ_BYTES).unwrap();
        records.next().unwrap();
        let Err(Broken::Refused(problem)) = records.next() else { panic!("it is refused") };
        assert_eq!(problem, FileProblem::NotUtf8(2));
    }
}
