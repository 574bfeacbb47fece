//! Turns a record into a row, with all checks that do not need the database.

use std::borrow::Cow;

use chrono::Datelike as _;
use chrono_tz::Tz;
use domain::filter::parse_id;

use super::cell_problem::CellProblem;
use super::column::Column;
use super::header::Header;
use super::number::whole_number;
use super::payload;
use super::record::Record;
use super::timestamp;
use crate::clock;
use crate::models::staged_snapshot::StagedSnapshot;
use crate::spreadsheet;

/// The maximum length of a category, in characters.
const MAX_CATEGORY_CHARS: usize = 50;

/// The category of a row without one.
const DEFAULT_CATEGORY: &str = "custom";

/// The first problem of a row, for which it is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// `None` if the problem concerns the row as a whole.
    pub column: Option<Column>,
    pub value: String,
    pub problem: CellProblem,
}

/// The rules for the cells of a file.
#[derive(Clone, Copy, Debug)]
pub struct RowRules {
    /// The time zone of dates without a time.
    pub zone: Tz,
    /// The maximum length of a cell, in bytes.
    pub max_cell_bytes: usize,
    /// The maximum nesting depth of a payload.
    pub max_nesting: usize,
}

/// Validates a record. A date without a time means the start of that day in the time zone of the rules.
pub fn validate<'a>(
    record: &Record<'a>,
    header: &Header,
    rules: &RowRules,
) -> Result<StagedSnapshot<'a>, Rejection> {
    header.check(record).map_err(|problem| {
        let value =
            if problem == CellProblem::WrongCellCount { record.len().to_string() } else { String::new() };
        Rejection { column: None, value, problem }
    })?;
    let cell = |column| {
        let cell = header.cell(record, column);
        let problem = if cell.len() > rules.max_cell_bytes {
            CellProblem::CellTooLong
        } else if cell.contains('\0') {
            CellProblem::NullCharacter
        } else {
            return Ok(cell);
        };
        Err(Rejection { column: Some(column), value: cell.to_owned(), problem })
    };
    let text = |column| Ok(restore(cell(column)?, header.has_guards));
    let payload = |text: &'a str| match text.trim() {
        "" => Ok(None),
        text => payload::read(text, rules.max_nesting, header.has_guards).map(Some),
    };
    let id = |column| parse_cell(column, cell(column)?, parse_optional_id);
    let person = |text: &str| parse_optional_id(text)?.ok_or(CellProblem::Blank);
    Ok(StagedSnapshot {
        line: record.line,
        person_id: parse_cell(Column::Person, cell(Column::Person)?, person)?,
        course_id: id(Column::Course)?,
        lesson_id: id(Column::Lesson)?,
        practice_package_id: id(Column::PracticePackage)?,
        category: parse_category(text(Column::Category)?)?,
        scope: Some(text(Column::Scope)?).filter(|scope| !scope.is_empty()),
        value: parse_cell(Column::Value, cell(Column::Value)?, parse_value)?,
        payload: parse_cell(Column::Payload, cell(Column::Payload)?, payload)?,
        captured_at: parse_cell(Column::CapturedAt, cell(Column::CapturedAt)?, |text| match text.trim() {
            "" => Ok(None),
            text => {
                let captured_at = timestamp::parse(text)?.start(rules.zone);
                let is_supported = clock::SUPPORTED_YEARS.contains(&captured_at.year());
                is_supported.then_some(Some(captured_at)).ok_or(CellProblem::NotADate)
            }
        })?,
    })
}

/// The text of a cell without spaces around it, and without the guards of our exports if it may have some.
fn restore(cell: &str, has_guards: bool) -> Cow<'_, str> {
    let text = cell.trim();
    let restored = if has_guards { spreadsheet::restore(text) } else { Cow::Borrowed(text) };
    match restored {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

fn parse_cell<'a, T>(
    column: Column,
    text: &'a str,
    parse: impl FnOnce(&'a str) -> Result<T, CellProblem>,
) -> Result<T, Rejection> {
    parse(text).map_err(|problem| Rejection { column: Some(column), value: text.to_owned(), problem })
}

fn parse_optional_id(text: &str) -> Result<Option<i64>, CellProblem> {
    let digits = whole_number(text, CellProblem::NotAnId)?;
    digits.map(parse_id).transpose().map_err(|_| CellProblem::NotAnId)
}

fn parse_value(text: &str) -> Result<Option<i32>, CellProblem> {
    let digits = whole_number(text, CellProblem::NotAValue)?;
    digits.map(str::parse).transpose().map_err(|_| CellProblem::NotAValue)
}

fn parse_category(text: Cow<'_, str>) -> Result<Cow<'_, str>, Rejection> {
    match text.chars().count() {
        0 => Ok(Cow::Borrowed(DEFAULT_CATEGORY)),
        1..=MAX_CATEGORY_CHARS => Ok(text),
        _ => {
            let (column, problem) = (Some(Column::Category), CellProblem::CategoryTooLong);
            Err(Rejection { column, value: text.into_owned(), problem })
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz::{America__Bogota, UTC};

    use super::super::rows::tests::read_rows;
    use super::*;

    /// Validates the only row of this file.
    fn row(file: &str, zone: Tz) -> Result<StagedSnapshot<'static>, Rejection> {
        let mut rows = read_rows(file.as_bytes(), zone);
        rows.remove(0).map_err(|(_, rejection)| rejection)
    }

    #[test]
    fn a_missing_column_equals_a_blank_one() {
        let bare = row("user_id\n7\n", UTC);
        assert_eq!(bare, row("user_id,category,value,captured_at,payload,scope\n 7 , , ,,, \n", UTC));
        assert_eq!(bare.unwrap().category, "custom");
    }

    #[test]
    fn a_date_is_midnight_in_the_hubs_time_zone() {
        let row = row("user_id,captured_at\n7,2026-11-16\n", America__Bogota).unwrap();
        assert_eq!(row.captured_at.unwrap().to_rfc3339(), "2026-11-16T05:00:00+00:00");
    }

    #[test]
    fn guarded_text_is_restored() {
        let row = row("user_id,category,scope,payload\n7,'=sum,'+1,'=x\n", UTC).unwrap();
        assert_eq!((&*row.category, row.scope.as_deref()), ("=sum", Some("+1")));
        assert_eq!(row.payload.as_deref(), Some(r#"{"raw":"=x"}"#));
    }

    #[test]
    fn the_first_invalid_cell_is_reported() {
        for (file, column, value, problem) in [
            ("user_id\n12abc\n", Some(Column::Person), "12abc", CellProblem::NotAnId),
            ("user_id,value\n,1\n", Some(Column::Person), "", CellProblem::Blank),
            ("user_id,course_id\n7,0\n", Some(Column::Course), "0", CellProblem::NotAnId),
            ("user_id,value\n7,-1\n", Some(Column::Value), "-1", CellProblem::NotAValue),
            ("user_id,value\n7,12abc\n", Some(Column::Value), "12abc", CellProblem::NotAValue),
            ("user_id,value\n7,2147483648\n", Some(Column::Value), "2147483648", CellProblem::NotAValue),
            ("user_id,captured_at\n7,ayer\n", Some(Column::CapturedAt), "ayer", CellProblem::NotADate),
            ("user_id,payload\n7,[1e999]\n", Some(Column::Payload), "[1e999]", CellProblem::NotStorable),
            ("user_id,value\n7\n", None, "1", CellProblem::WrongCellCount),
            ("user_id,value\nUSER_ID,value\n", None, "", CellProblem::RepeatedHeader),
            ("user_id,value\n7,1e3\n", Some(Column::Value), "1e3", CellProblem::Exponent),
            ("user_id,value\n1.234,1\n", Some(Column::Person), "1.234", CellProblem::ThousandsSeparator),
        ] {
            assert_eq!(row(file, UTC), Err(Rejection { column, value: value.to_owned(), problem }), "{file}");
        }
        let long = "ñ".repeat(51);
        assert_eq!(
            row(&format!("user_id,category\n7,{long}\n"), UTC).unwrap_err().problem,
            CellProblem::CategoryTooLong
        );
    }
}
