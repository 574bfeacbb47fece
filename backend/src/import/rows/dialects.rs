//! Files as spreadsheets, databases and scripts write them, and the same files with a defect.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use domain::filter::MAX_ID;
use proptest::prelude::*;
use proptest::sample::select;
use unicode_normalization::UnicodeNormalization as _;

use super::super::cell_problem::CellProblem;
use super::super::content_kind::LikelyEncoding;
use super::super::file_problem::FileProblem;
use super::super::rows;
use super::super::rows::tests::read_sizes;
use crate::models::staged_snapshot::StagedSnapshot;

/// The columns of the files, as key, Spanish title and English title.
const COLUMNS: [[&str; 3]; 6] = [
    ["user_id", "ID de estudiante", "Student ID"],
    ["category", "Categoría", "Category"],
    ["scope", "Ámbito", "Scope"],
    ["value", "Valor", "Value"],
    ["payload", "Datos", "Payload"],
    ["captured_at", "Capturado", "Captured at"],
];

/// How a program writes a file.
#[derive(Clone, Debug)]
struct Dialect {
    delimiter: char,
    line_break: &'static str,
    encoding: Encoding,
    /// A first line that states the delimiter, as Excel writes and reads it.
    has_sep_line: bool,
    /// The index of the names in [`COLUMNS`].
    names: usize,
    /// Whether accents are characters of their own, as in file names of macOS.
    is_decomposed: bool,
    is_upper_case: bool,
    /// Whether cells are quoted even if they need not be.
    quotes_all: bool,
    /// Blank columns at the end.
    extra_columns: usize,
    /// Blank lines after each row.
    blank_lines: usize,
    ends_with_break: bool,
    /// The order of the columns.
    order: Vec<usize>,
    /// Whether whole numbers are written as `7.0`.
    has_float_ids: bool,
    timestamps: TimestampStyle,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Encoding {
    Utf8 { marks: usize },
    Utf16Le,
    Utf16Be,
}

#[derive(Clone, Copy, Debug)]
enum TimestampStyle {
    Rfc3339,
    /// PostgreSQL: `2025-11-16 09:00:00+00`.
    Psql,
    /// pandas: `2025-11-16 09:00:00+00:00`.
    Pandas,
    /// `2025-11-16T09:00:00.000+0000`
    Spark,
    /// BigQuery: `2025-11-16 09:00:00 UTC`.
    BigQuery,
}

/// A row of a file.
#[derive(Clone, Debug)]
struct Row {
    person_id: i64,
    category: String,
    scope: String,
    value: Option<i32>,
    payload: String,
    captured_at: DateTime<Utc>,
}

impl Row {
    /// The cells in the order of [`COLUMNS`].
    fn cells(&self, dialect: &Dialect) -> [String; 6] {
        let decimals = if dialect.has_float_ids { ".0" } else { "" };
        let at = |format: &str| self.captured_at.format(format).to_string();
        [
            format!("{}{decimals}", self.person_id),
            self.category.clone(),
            self.scope.clone(),
            self.value.map(|value| format!("{value}{decimals}")).unwrap_or_default(),
            self.payload.clone(),
            match dialect.timestamps {
                TimestampStyle::Rfc3339 => self.captured_at.to_rfc3339_opts(SecondsFormat::Secs, true),
                TimestampStyle::Psql => at("%F %T+00"),
                TimestampStyle::Pandas => at("%F %T+00:00"),
                TimestampStyle::Spark => at("%FT%T.000+0000"),
                TimestampStyle::BigQuery => at("%F %T UTC"),
            },
        ]
    }

    fn staged(&self, line: i64) -> StagedSnapshot<'static> {
        let text =
            |text: &str| Some(Cow::Owned(text.to_owned())).filter(|text: &Cow<'_, str>| !text.is_empty());
        StagedSnapshot {
            line,
            person_id: self.person_id,
            course_id: None,
            lesson_id: None,
            practice_package_id: None,
            category: text(&self.category).unwrap_or(Cow::Borrowed("custom")),
            scope: text(&self.scope),
            value: self.value,
            payload: text(&self.payload),
            captured_at: Some(self.captured_at),
        }
    }
}

/// A file while it is written.
struct Writer<'a> {
    dialect: &'a Dialect,
    text: String,
    line: i64,
}

impl<'a> Writer<'a> {
    fn new(dialect: &'a Dialect) -> Self {
        let mut writer = Self { dialect, text: String::new(), line: 1 };
        if dialect.has_sep_line {
            writer.text = format!("sep={}", dialect.delimiter);
            writer.end_line();
        }
        writer.header();
        writer
    }

    fn header(&mut self) {
        let names = COLUMNS.map(|names| {
            let name = names[self.dialect.names].to_owned();
            let name = if self.dialect.is_upper_case { name.to_uppercase() } else { name };
            if self.dialect.is_decomposed { name.nfd().collect() } else { name }
        });
        self.row(&names);
    }

    /// Writes a row and returns its line.
    fn row(&mut self, cells: &[String; 6]) -> i64 {
        let delimiter = self.dialect.delimiter;
        let cells = self.dialect.order.iter().map(|column| self.quoted(&cells[*column]));
        let row = cells.collect::<Vec<_>>().join(&delimiter.to_string());
        let row = row + &delimiter.to_string().repeat(self.dialect.extra_columns);
        let line = self.line;
        self.line += i64::try_from(row.replace("\r\n", "\n").matches(['\n', '\r']).count()).unwrap();
        self.text += &row;
        self.end_line();
        for _ in 0..self.dialect.blank_lines {
            self.end_line();
        }
        line
    }

    fn quoted(&self, cell: &str) -> String {
        let needs_quotes = cell.contains(['"', '\n', '\r', ',', ';', '\t']);
        if needs_quotes || self.dialect.quotes_all {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.to_owned()
        }
    }

    fn end_line(&mut self) {
        self.text += self.dialect.line_break;
        self.line += 1;
    }

    fn finish(self) -> Vec<u8> {
        let mut text = self.text;
        if !self.dialect.ends_with_break {
            text.truncate(text.trim_end_matches(['\r', '\n']).len());
        }
        encode(&text, self.dialect.encoding)
    }
}

fn encode(text: &str, encoding: Encoding) -> Vec<u8> {
    let utf16 = |encode: fn(u16) -> [u8; 2]| -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(encode).collect()
    };
    match encoding {
        Encoding::Utf8 { marks } => format!("{}{text}", "\u{feff}".repeat(marks)).into_bytes(),
        Encoding::Utf16Le => utf16(u16::to_le_bytes),
        Encoding::Utf16Be => utf16(u16::to_be_bytes),
    }
}

/// The rows of a file, and the rejected ones with their lines.
type Found = (Vec<StagedSnapshot<'static>>, Vec<(i64, CellProblem)>);

fn read_file(file: &[u8], read_bytes: usize) -> Result<Found, FileProblem> {
    rows::tests::read_file(file, read_bytes, Tz::UTC).map(rows::tests::split)
}

fn dialect() -> impl Strategy<Value = Dialect> {
    let encoding = select(vec![
        Encoding::Utf8 { marks: 0 },
        Encoding::Utf8 { marks: 1 },
        Encoding::Utf8 { marks: 2 },
        Encoding::Utf16Le,
        Encoding::Utf16Be,
    ]);
    let timestamps = select(vec![
        TimestampStyle::Rfc3339,
        TimestampStyle::Psql,
        TimestampStyle::Pandas,
        TimestampStyle::Spark,
        TimestampStyle::BigQuery,
    ]);
    let layout = (select(vec![',', ';', '\t']), select(vec!["\n", "\r\n", "\r"]), encoding, timestamps);
    let numbers = (0..3_usize, 0..3_usize, 0..3_usize);
    let order = Just((0..COLUMNS.len()).collect::<Vec<_>>()).prop_shuffle();
    (layout, numbers, any::<[bool; 6]>(), order).prop_map(
        |(
            (delimiter, line_break, encoding, timestamps),
            (names, extra_columns, blank_lines),
            flags,
            order,
        )| {
            let [has_sep_line, is_decomposed, is_upper_case, quotes_all, ends_with_break, has_float_ids] =
                flags;
            Dialect {
                delimiter,
                line_break,
                encoding,
                has_sep_line,
                names,
                is_decomposed,
                is_upper_case,
                quotes_all,
                extra_columns,
                blank_lines,
                ends_with_break,
                order,
                has_float_ids,
                timestamps,
            }
        },
    )
}

fn row() -> impl Strategy<Value = Row> {
    let text = "([a-zñ€😀][a-z ,;\t\"\r\nñ😀]{0,10}[a-zñ])?";
    let payload = select(vec!["", "{\"a\": [1, \"b;,\\n\"]}", "[]"]);
    (1..=MAX_ID, text, text, proptest::option::of(0..i32::MAX), payload, 0..2_000_000_000_i64).prop_map(
        |(person_id, category, scope, value, payload, at)| Row {
            person_id,
            category,
            scope,
            value,
            payload: payload.to_owned(),
            captured_at: DateTime::from_timestamp(at, 0).unwrap(),
        },
    )
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec(row(), 1..8)
}

/// A defect of one row, which is rejected for it.
fn row_defects() -> impl Strategy<Value = (usize, &'static str, CellProblem)> {
    select(vec![
        (0, "", CellProblem::Blank),
        (0, "0", CellProblem::NotAnId),
        (0, "-7", CellProblem::NotAnId),
        (0, "9007199254740992", CellProblem::NotAnId),
        (0, "7a", CellProblem::NotAnId),
        (0, "1e3", CellProblem::Exponent),
        (0, "1.234.567", CellProblem::ThousandsSeparator),
        (0, "7,5", CellProblem::Fraction),
        (0, "User_ID", CellProblem::NotAnId),
        (1, "x".repeat(51).leak(), CellProblem::CategoryTooLong),
        (3, "1,234", CellProblem::ThousandsSeparator),
        (3, "1.5", CellProblem::Fraction),
        (3, "1E+06", CellProblem::Exponent),
        (3, "2147483648", CellProblem::NotAValue),
        (4, "{\"a\": 1e999}", CellProblem::NotStorable),
        (5, "16/11/2025", CellProblem::DayMonthOrder),
        (5, "45977", CellProblem::SerialDate),
        (5, "45977,375", CellProblem::SerialDate),
        (5, "2025-11-16 09:00:00", CellProblem::NoOffset),
        (5, "2025-11-16 09:00:00 CET", CellProblem::NotADate),
        (5, "1899-12-31", CellProblem::NotADate),
    ])
}

proptest! {
    #[test]
    fn every_dialect_is_read_exactly(dialect in dialect(), rows in rows(), read_bytes in read_sizes()) {
        let mut writer = Writer::new(&dialect);
        let expected: Vec<StagedSnapshot> =
            rows.iter().map(|row| row.staged(writer.row(&row.cells(&dialect)))).collect();
        prop_assert_eq!(read_file(&writer.finish(), read_bytes), Ok((expected, Vec::new())));
    }

    #[test]
    fn a_defect_of_a_row_rejects_only_that_row(
        dialect in dialect(), rows in rows(), at in any::<prop::sample::Index>(),
        (column, cell, problem) in row_defects(), read_bytes in read_sizes(),
    ) {
        prop_assume!(cell != "User_ID" || dialect.names != 0);
        let at = at.index(rows.len());
        let mut writer = Writer::new(&dialect);
        let mut expected = Found::default();
        for (index, row) in rows.iter().enumerate() {
            let mut cells = row.cells(&dialect);
            if index == at {
                cell.clone_into(&mut cells[column]);
                expected.1.push((writer.row(&cells), problem));
            } else {
                expected.0.push(row.staged(writer.row(&cells)));
            }
        }
        prop_assert_eq!(read_file(&writer.finish(), read_bytes), Ok(expected));
    }

    #[test]
    fn rows_of_another_shape_are_rejected_alone(
        dialect in dialect(), rows in rows(), read_bytes in read_sizes(), is_short in any::<bool>(),
    ) {
        let dialect = Dialect { ends_with_break: true, blank_lines: 0, ..dialect };
        let mut writer = Writer::new(&dialect);
        let mut expected = Found::default();
        for row in &rows {
            expected.0.push(row.staged(writer.row(&row.cells(&dialect))));
        }
        // A joined file, with its byte order mark.
        writer.text.push('\u{feff}');
        let header_line = writer.line;
        writer.header();
        expected.1.push((header_line, CellProblem::RepeatedHeader));
        let line = writer.line;
        let cells = if is_short { 3 } else { COLUMNS.len() + dialect.extra_columns + 1 };
        writer.text += &vec!["7"; cells].join(&dialect.delimiter.to_string());
        writer.end_line();
        expected.1.push((line, CellProblem::WrongCellCount));
        prop_assert_eq!(read_file(&writer.finish(), read_bytes), Ok(expected));
    }

    #[test]
    fn a_defect_of_the_file_is_reported_with_its_line(
        dialect in dialect(), rows in rows(), read_bytes in read_sizes(), defect in 0..5_usize,
        rest in rows(),
    ) {
        let utf8 = Encoding::Utf8 { marks: 1 };
        // Defects of the encoding need UTF-8.
        let encoding = if defect < 3 { dialect.encoding } else { utf8 };
        let dialect = Dialect { encoding, ends_with_break: true, ..dialect };
        let mut writer = Writer::new(&dialect);
        for row in &rows {
            writer.row(&row.cells(&dialect));
        }
        let line = writer.line;
        let (row, problem) = match defect {
            0 => ("7\"", FileProblem::StrayQuote(line)),
            1 => ("\"7\"x", FileProblem::TextAfterQuote(line)),
            2 => ("\"7", FileProblem::UnclosedQuote(line)),
            3 => ("7\0", FileProblem::NullCharacter(line)),
            _ => ("ma\u{1}ana", FileProblem::NotUtf8(line, LikelyEncoding::Windows1252)),
        };
        writer.text += row;
        // After a quote that is not closed, another one would close it.
        if defect != 2 {
            writer.end_line();
            for row in &rest {
                writer.row(&row.cells(&dialect));
            }
        }
        let mut file = writer.finish();
        for byte in file.iter_mut().filter(|byte| **byte == 1 && defect == 4) {
            *byte = 0xF1;
        }
        prop_assert_eq!(read_file(&file, read_bytes), Err(problem));
    }
}
