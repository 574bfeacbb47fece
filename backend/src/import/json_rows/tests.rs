use chrono_tz::Tz;
use domain::filter::MAX_ID;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::super::cell_problem::CellProblem;
use super::super::file_problem::{FileProblem, UnknownColumn};
use super::super::rows::READ_BYTES;
use super::super::rows::tests::{Validated, read_file, read_rows, read_sizes, split};
use crate::models::staged_snapshot::StagedSnapshot;

/// Reads a file some bytes at a time.
fn read(file: &str, read_bytes: usize) -> Result<Vec<Validated>, FileProblem> {
    read_file(file.as_bytes(), read_bytes, Tz::UTC)
}

/// The lines and problems of rejected rows.
fn rejected(file: &str) -> Vec<(i64, CellProblem)> {
    let (_, rejected) = split(read_rows(file.as_bytes(), Tz::UTC));
    rejected
}

/// How a program writes a file.
#[derive(Clone, Debug)]
struct Style {
    is_array: bool,
    /// White space between the tokens of an array.
    space: &'static str,
    line_break: &'static str,
    escapes: bool,
    titles: bool,
    nulls: bool,
    mark: bool,
    ends_with_break: bool,
}

#[derive(Clone, Debug)]
struct Row {
    person_id: i64,
    category: String,
    value: Option<i32>,
    payload: Option<Value>,
}

fn style() -> impl Strategy<Value = Style> {
    let breaks = (select(vec!["", " ", "\n  ", "\r\n\t"]), select(vec!["\n", "\r\n", "\r", "\n\n"]));
    (breaks, any::<[bool; 6]>()).prop_map(|((space, line_break), flags)| {
        let [is_array, escapes, titles, nulls, mark, ends_with_break] = flags;
        Style { is_array, space, line_break, escapes, titles, nulls, mark, ends_with_break }
    })
}

fn row() -> impl Strategy<Value = Row> {
    let text = "([a-z=ñ€😀'\"\\\\{}\\[\\],:][a-z ,;\t\"\r\nñ😀{}\\[\\]]{0,10}[a-zñ])?";
    let payload = select(vec![
        None,
        Some(json!({})),
        Some(json!({"a": [1, "b]}\\\"", null], "ñ": {"c": 1.5}})),
        Some(json!([])),
    ]);
    (1..=MAX_ID, text, prop::option::of(0..i32::MAX), payload)
        .prop_map(|(person_id, category, value, payload)| Row { person_id, category, value, payload })
}

impl Row {
    fn object(&self, style: &Style) -> String {
        let string = |text: &str| {
            if style.escapes {
                let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
                format!("\"{}\"", units.collect::<String>())
            } else {
                json!(text).to_string()
            }
        };
        let names = if style.titles {
            ["ID de estudiante", "Category", "VALOR", "payload"]
        } else {
            ["user_id", "category", "value", "payload"]
        };
        let values = [
            Some(self.person_id.to_string()),
            Some(string(&self.category)),
            self.value.map(|value| value.to_string()),
            self.payload.as_ref().map(ToString::to_string),
        ];
        let space = if style.is_array { style.space } else { "" };
        let fields = names.iter().zip(values).filter_map(|(name, value)| {
            let value = value.or_else(|| style.nulls.then(|| "null".to_owned()))?;
            Some(format!("{}:{space}{value}", string(name)))
        });
        format!("{{{space}{}}}", fields.collect::<Vec<_>>().join(&format!(",{space}")))
    }

    fn staged(&self, line: i64) -> StagedSnapshot<'static> {
        let category = if self.category.is_empty() { "custom" } else { &self.category };
        StagedSnapshot {
            line,
            person_id: self.person_id,
            course_id: None,
            lesson_id: None,
            practice_package_id: None,
            category: category.to_owned().into(),
            scope: None,
            value: self.value,
            payload: self.payload.as_ref().map(|payload| payload.to_string().into()),
            captured_at: None,
        }
    }
}

/// The number of lines that a text ends.
fn lines(text: &str) -> i64 {
    i64::try_from(text.replace("\r\n", "\n").matches(['\n', '\r']).count()).unwrap()
}

/// Writes a file, and the rows that are read from it.
fn write(rows: &[Row], style: &Style) -> (String, Vec<Validated>) {
    let mut file = if style.mark { "\u{feff}".to_owned() } else { String::new() };
    let mut expected = Vec::new();
    if style.is_array {
        file += "[";
    }
    for (index, row) in rows.iter().enumerate() {
        if style.is_array {
            file += if index > 0 { "," } else { "" };
            file += style.space;
        }
        expected.push(Ok(row.staged(1 + lines(&file))));
        file += &row.object(style);
        if !style.is_array && (style.ends_with_break || index + 1 < rows.len()) {
            file += style.line_break;
        }
    }
    if style.is_array {
        file += style.space;
        file += "]";
        file += if style.ends_with_break { style.line_break } else { "" };
    }
    (file, expected)
}

proptest! {
    #[test]
    fn every_style_is_read_exactly(
        rows in prop::collection::vec(row(), 1..6), style in style(), read_bytes in read_sizes(),
    ) {
        let (file, expected) = write(&rows, &style);
        prop_assert_eq!(read(&file, read_bytes), Ok(expected), "{}", file);
    }

    #[test]
    fn the_result_does_not_depend_on_the_read_size(
        file in "[\\[{]([a-c\"\\\\,:{}\\[\\] 1]|\"user_id\":7|\r\n|\n|\r|ñ|\u{feff}){0,30}", sizes in prop::collection::vec(1..64_usize, 4),
    ) {
        let whole = read(&file, READ_BYTES);
        for read_bytes in sizes {
            prop_assert_eq!(&read(&file, read_bytes), &whole, "{} bytes at a time", read_bytes);
        }
    }

    #[test]
    fn a_cut_array_is_an_error(rows in prop::collection::vec(row(), 1..6), style in style(), at in any::<prop::sample::Index>()) {
        let style = Style { is_array: true, ends_with_break: false, ..style };
        let (file, _) = write(&rows, &style);
        let starts: Vec<usize> = file.char_indices().map(|(start, _)| start).filter(|start| *start > 3).collect();
        let cut = &file[..starts[at.index(starts.len())]];
        prop_assert_eq!(read(cut, READ_BYTES), Err(FileProblem::UnfinishedJson));
    }
}

#[test]
fn an_array_that_is_not_valid_is_rejected_with_its_line() {
    for (file, problem) in [
        ("[\n{\"user_id\": 7}\n{\"user_id\": 8}]", FileProblem::InvalidJson(3)),
        ("[\n{\"user_id\": 7},\n]", FileProblem::InvalidJson(3)),
        ("[\n{user_id: 7}]", FileProblem::InvalidJson(2)),
        ("[{\"user_id\": 7}]\n\n[{\"user_id\": 7}]", FileProblem::TextAfterArray(3)),
        ("[,]", FileProblem::InvalidJson(1)),
        ("[}", FileProblem::InvalidJson(1)),
        ("[{\"user_id\": 7", FileProblem::UnfinishedJson),
        ("[", FileProblem::UnfinishedJson),
        ("[{\"user_id\": 7},", FileProblem::UnfinishedJson),
        ("[{\"user_id\": [7}]", FileProblem::InvalidJson(1)),
        ("[{\"user_id\": [7]", FileProblem::UnfinishedJson),
        ("[\n{\"user_id\": 7\0}]", FileProblem::NullCharacter(2)),
    ] {
        assert_eq!(read(file, 1), Err(problem), "{file:?}");
    }
    assert_eq!(read(" [ ] ", 1), Ok(vec![]));
}

#[test]
fn rows_that_are_no_objects_are_rejected_alone() {
    let array = "[7, {\"user_id\": 8},\n\"x\", [1], null, {\"user_id\": 9}]";
    let problem = CellProblem::NotAnObject;
    assert_eq!(rejected(array), [(1, problem), (2, problem), (2, problem), (2, problem)]);
    let lines = "{\"user_id\": 8}\nuser_id\n\n{\"user_id\": 8\n}\n{\"user_id\": 9},\n{\"user_id\": 9}";
    assert_eq!(rejected(lines), [(2, problem), (4, problem), (5, problem), (6, problem)]);
}

#[test]
fn values_of_the_wrong_type_are_rejected_as_they_are_written() {
    for (field, problem) in [
        ("\"user_id\": null", CellProblem::Blank),
        ("\"value\": 3", CellProblem::Blank),
        ("\"user_id\": 7, \"value\": true", CellProblem::NotAValue),
        ("\"user_id\": 7, \"value\": 1e3", CellProblem::Exponent),
        ("\"user_id\": 7, \"value\": 1.5", CellProblem::Fraction),
        ("\"user_id\": 7, \"value\": {}", CellProblem::NotAValue),
        ("\"user_id\": 7, \"captured_at\": 1763286600", CellProblem::NotADate),
        ("\"user_id\": 7, \"payload\": [1e999]", CellProblem::NotStorable),
        ("\"user_id\": 7, \"payload\": \"\\ud83d\"", CellProblem::LoneSurrogate),
        ("\"user_id\": 7, \"scope\": \"a\\u0000\"", CellProblem::NullCharacter),
        ("\"user_id\": 7, \"\\ud83d\": 1", CellProblem::LoneSurrogate),
        ("\"user_id\": 7, \"USER_ID\": 7", CellProblem::RepeatedName),
    ] {
        assert_eq!(rejected(&format!("[\n{{{field}}}]")), [(2, problem)], "{field}");
        assert_eq!(rejected(&format!("{{{field}}}\n")), [(1, problem)], "{field}");
    }
    let deep = format!("{{\"user_id\": 7, \"payload\": {}{}}}", "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(rejected(&deep), [(1, CellProblem::TooDeep)]);
}

#[test]
fn whole_numbers_and_texts_are_accepted_as_in_csv() {
    let file = "{\"user_id\": 7.0, \"value\": \"3\", \"payload\": \"note\", \"user_email\": \"x\", \"scope\": \" '=x \"}";
    let (rows, _) = split(read_rows(file.as_bytes(), Tz::UTC));
    assert_eq!((rows[0].person_id, rows[0].value), (7, Some(3)));
    assert_eq!(rows[0].payload.as_deref(), Some("{\"raw\":\"note\"}"));
    // JSON is not opened by spreadsheets, so its texts have no guard.
    assert_eq!(rows[0].scope.as_deref(), Some("'=x"));
}

#[test]
fn unknown_names_are_an_error_with_the_line() {
    let file = "{\"user_id\": 7}\n{\"user_id\": 7, \"colour\": 1, \"\": 2}";
    let Err(FileProblem::UnknownNames { line, names, .. }) = read(file, 1) else {
        panic!("must be rejected")
    };
    let unknown = |position, name: &str| UnknownColumn { position, name: name.to_owned() };
    assert_eq!((line, names), (2, vec![unknown(2, "colour"), unknown(3, "")]));
}
