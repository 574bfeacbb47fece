//! From a record's cells to a row that could be stored: everything that can be checked without the database.

use chrono::Datelike as _;
use chrono_tz::Tz;
use domain::filter::{DateBound, parse_id};

use super::cell_problem::CellProblem;
use super::column::Column;
use super::header::Header;
use super::payload;
use super::records::Record;
use crate::clock;
use crate::models::staged_snapshot::StagedSnapshot;
use crate::spreadsheet;

/// The longest category, in characters.
const MAX_CATEGORY: usize = 50;

/// The category of a row that has none.
const DEFAULT_CATEGORY: &str = "custom";

/// Why a row is refused: the first thing that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The column, unless it is the row as a whole.
    pub column: Option<Column>,
    /// What stood there.
    pub value: String,
    /// What is wrong.
    pub problem: CellProblem,
}

/// Checks a record. A day without a time of day is its beginning in `zone`.
pub fn check(record: &Record<'_>, header: &Header, zone: Tz) -> Result<StagedSnapshot, Refusal> {
    if record.len() != header.cells() {
        let value = record.len().to_string();
        return Err(Refusal { column: None, value, problem: CellProblem::WrongCellCount });
    }
    let cell = |column| header.cell(record, column);
    let id = |column| read(column, cell(column), optional_id);
    let person = |text: &str| optional_id(text)?.ok_or(CellProblem::Blank);
    Ok(StagedSnapshot {
        line: record.line,
        person_id: read(Column::Person, cell(Column::Person), person)?,
        course_id: id(Column::Course)?,
        lesson_id: id(Column::Lesson)?,
        practice_package_id: id(Column::PracticePackage)?,
        category: read(Column::Category, cell(Column::Category), category)?,
        scope: Some(spreadsheet::restore(cell(Column::Scope)))
            .filter(|scope| !scope.is_empty())
            .map(str::to_owned),
        value: read(Column::Value, cell(Column::Value), value)?,
        payload: read(Column::Payload, cell(Column::Payload), |text| {
            let text = spreadsheet::restore(text);
            if text.trim().is_empty() {
                Ok(None)
            } else {
                payload::read(text).map(|json| Some(json.into_owned()))
            }
        })?,
        captured_at: read(Column::CapturedAt, cell(Column::CapturedAt), |text| match text.trim() {
            "" => Ok(None),
            text => {
                let moment = DateBound::parse(text).map(|date| date.start(zone));
                let kept = moment.filter(|moment| clock::KEPT_YEARS.contains(&moment.year()));
                kept.map(Some).ok_or(CellProblem::NotADate)
            }
        })?,
    })
}

fn read<T>(
    column: Column,
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, CellProblem>,
) -> Result<T, Refusal> {
    parse(text).map_err(|problem| Refusal { column: Some(column), value: text.to_owned(), problem })
}

fn optional_id(text: &str) -> Result<Option<i64>, CellProblem> {
    match text.trim() {
        "" => Ok(None),
        digits => parse_id(digits).map(Some).map_err(|_| CellProblem::NotAnId),
    }
}

fn category(text: &str) -> Result<String, CellProblem> {
    let text = spreadsheet::restore(text);
    match text.chars().count() {
        _ if text.trim().is_empty() => Ok(DEFAULT_CATEGORY.to_owned()),
        0..=MAX_CATEGORY => Ok(text.to_owned()),
        _ => Err(CellProblem::CategoryTooLong),
    }
}

fn value(text: &str) -> Result<Option<i32>, CellProblem> {
    match text.trim() {
        "" => Ok(None),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().map(Some).map_err(|_| CellProblem::NotAValue)
        }
        _ => Err(CellProblem::NotAValue),
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz::{America__Bogota, UTC};

    use super::super::records::{READ_BYTES, Records};
    use super::*;
    use crate::models::snapshot_table::SnapshotTable;

    /// Checks the one row of this file.
    fn row(file: &str, zone: Tz) -> Result<StagedSnapshot, Refusal> {
        let mut records = Records::open(file.as_bytes(), READ_BYTES).unwrap();
        let header = Header::read(&records.next().unwrap().unwrap(), SnapshotTable::Student).unwrap();
        check(&records.next().unwrap().unwrap(), &header, zone)
    }

    #[test]
    fn missing_columns_are_as_good_as_blank_ones() {
        let bare = row("user_id\n7\n", UTC);
        assert_eq!(bare, row("user_id,category,value,captured_at,payload,scope\n 7 ,, ,,,\n", UTC));
        assert_eq!(bare.unwrap().category, "custom");
    }

    #[test]
    fn a_day_begins_at_midnight_in_the_hubs_time_zone() {
        let row = row("user_id,captured_at\n7,2026-11-16\n", America__Bogota).unwrap();
        assert_eq!(row.captured_at.unwrap().to_rfc3339(), "2026-11-16T05:00:00+00:00");
    }

    #[test]
    fn guarded_text_is_restored() {
        let row = row("user_id,category,scope,payload\n7,'=sum,'+1,'=x\n", UTC).unwrap();
        assert_eq!((row.category.as_str(), row.scope.as_deref()), ("=sum", Some("+1")));
        assert_eq!(row.payload.as_deref(), Some(r#"{"raw":"=x"}"#));
    }

    #[test]
    fn the_first_wrong_cell_is_named() {
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
        ] {
            assert_eq!(row(file, UTC), Err(Refusal { column, value: value.to_owned(), problem }), "{file}");
        }
        let long = "ñ".repeat(51);
        assert_eq!(
            row(&format!("user_id,category\n7,{long}\n"), UTC).unwrap_err().problem,
            CellProblem::CategoryTooLong
        );
    }
}
