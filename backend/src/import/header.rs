//! The header of a file. Columns are matched by key, or by title in either language.

use domain::Locale;
use unicode_normalization::UnicodeNormalization as _;

use super::cell_problem::CellProblem;
use super::column::Column;
use super::file_problem::{FileProblem, UnknownColumn};
use super::record::Record;
use crate::models::snapshot_table::SnapshotTable;

/// The columns that a file of rejected rows has after the others. They are ignored.
pub const REJECTION_COLUMNS: [&str; 2] = ["line", "error"];

/// Whether a column of this name is one of them.
pub fn is_rejection_column(name: &str) -> bool {
    REJECTION_COLUMNS.contains(&normalize(name).as_str())
}

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
    /// The names, as they are in the file.
    names: Vec<String>,
    /// Whether text that a spreadsheet would take for a formula has a guard.
    pub has_guards: bool,
}

/// What a column of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownColumn {
    /// A column that is imported.
    Imported(Column),
    /// A column of our files that is not imported: e-mail addresses, names, and the reasons of rejected rows.
    Ignored,
}

impl KnownColumn {
    /// The column with this key, or with this title in either language.
    pub fn find(name: &str, table: SnapshotTable) -> Option<Self> {
        if is_rejection_column(name) {
            return Some(Self::Ignored);
        }
        let name = normalize(name);
        let known = table.dataset().describe();
        let names = known.columns.iter().filter_map(|column| known.name_column(column.key));
        let known = known.columns.iter().chain(names).find(|column| {
            column.key == name
                || Locale::ALL.into_iter().any(|locale| normalize(column.title.in_locale(locale)) == name)
        })?;
        let imported = Column::ALL.into_iter().find(|column| column.key(table) == known.key);
        Some(imported.map_or(Self::Ignored, Self::Imported))
    }
}

impl Header {
    /// The header of a file of objects for this table, whose columns are found by their names in each object.
    pub fn of_objects(table: SnapshotTable) -> Self {
        let names = Column::ALL.map(|column| column.key(table).to_owned());
        Self {
            positions: Column::ALL.map(|column| Some(column as usize)),
            named_columns: names.len(),
            columns: names.len(),
            person_name: names[Column::Person as usize].clone(),
            names: names.to_vec(),
            has_guards: false,
        }
    }

    /// Parses the header of a file for this table.
    ///
    /// The read-only columns of our exports are ignored, as are blank columns at the end. Unknown columns are an
    /// error that names them.
    pub fn read(record: &Record<'_>, table: SnapshotTable, max_columns: usize) -> Result<Self, FileProblem> {
        let names: Vec<String> = record.cells().map(clean).collect();
        let named_columns = names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
        if record.len() > max_columns {
            return Err(FileProblem::TooManyColumns(record.line, max_columns));
        }
        let mut positions = [None; Column::ALL.len()];
        let mut unknown = Vec::new();
        for (position, name) in names[..named_columns].iter().enumerate() {
            match KnownColumn::find(name, table) {
                Some(KnownColumn::Imported(column)) => {
                    if positions[column as usize].replace(position).is_some() {
                        return Err(FileProblem::RepeatedColumn(column.key(table)));
                    }
                }
                Some(KnownColumn::Ignored) => {}
                None => unknown.push(UnknownColumn { position: position + 1, name: name.clone() }),
            }
        }
        if !unknown.is_empty() {
            return Err(FileProblem::UnknownColumns { columns: unknown, accepted: accepted(table) });
        }
        let Some(person) = positions[Column::Person as usize] else {
            return Err(FileProblem::MissingColumn(table.person_column()));
        };
        Ok(Self {
            positions,
            named_columns,
            columns: record.len(),
            person_name: normalize(&names[person]),
            names: names.into_iter().take(named_columns).collect(),
            has_guards: true,
        })
    }

    /// The names of the columns, as they are in the file, without those at the end that have no name.
    pub fn names(&self) -> &[String] {
        &self.names
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

/// The columns that are accepted for this table.
pub fn accepted(table: SnapshotTable) -> &'static [&'static str] {
    table.dataset().describe().import.unwrap_or_default()
}

/// A name without spaces around it. A byte order mark may stand before the names.
fn clean(name: &str) -> String {
    name.trim_matches(|character: char| character.is_whitespace() || character == '\u{feff}').to_owned()
}

/// A name without spaces around it, in lower case and with composed accents. Some systems write an accented
/// letter as two characters.
fn normalize(name: &str) -> String {
    clean(name).nfc().flat_map(char::to_lowercase).collect()
}

fn is_blank(cell: Option<&str>) -> bool {
    cell.is_none_or(|cell| cell.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::records::tests::open;
    use super::*;

    fn read(header: &str) -> Result<Header, FileProblem> {
        let mut records = open(header.as_bytes(), 64).unwrap();
        Header::read(&records.next().unwrap().unwrap(), SnapshotTable::Student, 1_000)
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
        assert_eq!(
            read(&format!("user_id{}", ",".repeat(1_000))),
            Err(FileProblem::TooManyColumns(1, 1_000))
        );
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
        let mut file = open(&b"user_id;value;;\n7;1;;\n7;1\n7;1; \n7;1;x\n7\n7;1;;;\n"[..], 1).unwrap();
        let header = Header::read(&file.next().unwrap().unwrap(), SnapshotTable::Student, 1_000).unwrap();
        assert_eq!(header.names(), ["user_id", "value"]);
        let mut checks = Vec::new();
        while let Some(record) = file.next().unwrap() {
            checks.push(header.check(&record));
        }
        let (few, nameless) = (Err(CellProblem::WrongCellCount), Err(CellProblem::NamelessColumn));
        assert_eq!(checks, [Ok(()), Ok(()), Ok(()), nameless, few, few]);
    }

    #[test]
    fn columns_of_files_of_rejected_rows_are_ignored() {
        assert_eq!(
            read("user_id,value").unwrap().positions,
            read("user_id,value,line,error").unwrap().positions
        );
    }

    #[test]
    fn columns_are_unique_and_the_person_is_required() {
        assert_eq!(read("user_id,value,Valor"), Err(FileProblem::RepeatedColumn("value")));
        assert_eq!(read("course_id,value"), Err(FileProblem::MissingColumn("user_id")));
    }
}
