//! The header of a file. Columns are matched by key, or by title in either language.

use domain::Locale;
use unicode_normalization::UnicodeNormalization as _;

use super::cell_problem::CellProblem;
use super::column::Column;
use super::file_problem::{FileProblem, UnknownColumn};
use super::records::Record;
use crate::models::snapshot_table::SnapshotTable;

/// The maximum number of columns of a file.
const MAX_COLUMNS: usize = 1_000;

/// The positions of the columns in a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    positions: [Option<usize>; Column::ALL.len()],
    /// The number of columns, without those at the end that have no name.
    named_columns: usize,
    /// The number of columns.
    columns: usize,
    /// The header's cell of the person column.
    person_name: String,
}

impl Header {
    /// Parses the header of a file for this table.
    ///
    /// The read-only columns of our exports are ignored, as are blank columns at the end. Unknown columns are an
    /// error that names them.
    pub fn read(record: &Record<'_>, table: SnapshotTable) -> Result<Self, FileProblem> {
        if record.len() > MAX_COLUMNS {
            return Err(FileProblem::TooManyColumns(MAX_COLUMNS));
        }
        let known = table.dataset().describe();
        let names: Vec<String> = record.cells().map(normalize).collect();
        let named_columns = names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
        let mut header = Self {
            positions: [None; Column::ALL.len()],
            named_columns,
            columns: record.len(),
            person_name: String::new(),
        };
        let mut unknown = Vec::new();
        for (position, name) in names[..named_columns].iter().enumerate() {
            let column = known.columns.iter().find(|column| {
                column.key == name
                    || Locale::ALL
                        .into_iter()
                        .any(|locale| normalize(column.title.in_locale(locale)) == *name)
            });
            let Some(column) = column else {
                let cell = record.get(position).unwrap_or_default().trim();
                unknown.push(UnknownColumn { position: position + 1, name: cell.to_owned() });
                continue;
            };
            if let Some(index) = Column::ALL.iter().position(|import| import.key(table) == column.key)
                && header.positions[index].replace(position).is_some()
            {
                return Err(FileProblem::RepeatedColumn(column.key));
            }
        }
        if !unknown.is_empty() {
            let accepted = known.import.unwrap_or_default();
            return Err(FileProblem::UnknownColumns { columns: unknown, accepted });
        }
        match header.position(Column::Person) {
            Some(position) => header.person_name.clone_from(&names[position]),
            None => return Err(FileProblem::MissingColumn(table.person_column())),
        }
        Ok(header)
    }

    /// Checks that a record has a cell for each column, and none in a column without a name.
    pub fn check(&self, record: &Record<'_>) -> Result<(), CellProblem> {
        if !(self.named_columns..=self.columns).contains(&record.len()) {
            Err(CellProblem::WrongCellCount)
        } else if (self.named_columns..record.len()).any(|position| !is_blank(record.get(position))) {
            Err(CellProblem::NamelessColumn)
        } else if self.repeats_name(self.cell(record, Column::Person)) {
            Err(CellProblem::RepeatedHeader)
        } else {
            Ok(())
        }
    }

    /// The cell of a column. A column that is missing from the file is blank in every record.
    pub fn cell<'a>(&self, record: &Record<'a>, column: Column) -> &'a str {
        self.position(column).and_then(|position| record.get(position)).unwrap_or_default()
    }

    /// Whether the cell of the person column has the name of the column.
    fn repeats_name(&self, cell: &str) -> bool {
        // Most cells are numbers, and no name starts with a digit.
        !cell.starts_with(|first: char| first.is_ascii_digit()) && normalize(cell) == self.person_name
    }

    fn position(&self, column: Column) -> Option<usize> {
        self.positions[column as usize]
    }
}

/// A name without spaces around it, in lower case and with composed accents. Some systems write an accented
/// letter as two characters. A byte order mark may stand before the names.
fn normalize(name: &str) -> String {
    let name = name.trim_matches(|character: char| character.is_whitespace() || character == '\u{feff}');
    name.nfc().flat_map(char::to_lowercase).collect()
}

fn is_blank(cell: Option<&str>) -> bool {
    cell.is_none_or(|cell| cell.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::records::{READ_BYTES, RecordReader};
    use super::*;

    fn read(header: &str) -> Result<Header, FileProblem> {
        let mut records = RecordReader::open(header.as_bytes(), READ_BYTES).unwrap();
        Header::read(&records.next().unwrap().unwrap(), SnapshotTable::Student)
    }

    #[test]
    fn columns_are_matched_by_key_or_title_in_any_order() {
        let keys = read("captured_at,user_email,USER_ID, value").unwrap();
        let spanish = read("Capturado;Correo del estudiante;ID de estudiante;valor").unwrap();
        assert_eq!(keys.positions, spanish.positions);
        let english = read("Captured at,Student e-mail,Student ID,Value").unwrap();
        assert_eq!(keys.positions, english.positions);
        assert_eq!(keys.position(Column::CapturedAt), Some(0));
        assert_eq!(keys.position(Column::Person), Some(2));
        assert_eq!(keys.position(Column::Course), None);
    }

    #[test]
    fn an_unknown_column_is_named() {
        let Err(problem) = read("user_id, Colour,,value,") else { panic!("the header must be rejected") };
        let message = problem.phrase().into_locale(Locale::En);
        assert!(
            message.starts_with("Unknown columns: “Colour”, column 3 (without a name). Accepted: "),
            "{message}"
        );
    }

    #[test]
    fn a_wide_header_is_rejected_with_a_short_message() {
        assert_eq!(read(&format!("user_id{}", ",".repeat(1_000))), Err(FileProblem::TooManyColumns(1_000)));
        let problem = read(&format!("user_id{}", format!(",{}", "x".repeat(100)).repeat(999))).unwrap_err();
        assert!(problem.phrase().into_locale(Locale::En).len() < 1_000);
    }

    #[test]
    fn names_are_compared_without_case_spaces_and_composition() {
        let plain = read("user_id,scope").unwrap();
        let decomposed = "\u{feff}ID de estudiante ;\u{a0}A\u{301}MBITO\t";
        assert_eq!(plain.positions, read(decomposed).unwrap().positions);
    }

    #[test]
    fn blank_columns_at_the_end_are_ignored() {
        let mut file =
            RecordReader::open(&b"user_id;value;;\n7;1;;\n7;1\n7;1; \n7;1;x\n7\n7;1;;;\n"[..], 1).unwrap();
        let header = Header::read(&file.next().unwrap().unwrap(), SnapshotTable::Student).unwrap();
        let mut checks = Vec::new();
        while let Some(record) = file.next().unwrap() {
            checks.push(header.check(&record));
        }
        let (few, nameless) = (Err(CellProblem::WrongCellCount), Err(CellProblem::NamelessColumn));
        assert_eq!(checks, [Ok(()), Ok(()), Ok(()), nameless, few, few]);
    }

    #[test]
    fn columns_are_unique_and_the_person_is_required() {
        assert_eq!(read("user_id,value,Valor"), Err(FileProblem::RepeatedColumn("value")));
        assert_eq!(read("course_id,value"), Err(FileProblem::MissingColumn("user_id")));
    }
}
