//! The header of a file. Columns are matched by key, or by title in either language.

use domain::Locale;

use super::column::Column;
use super::file_problem::FileProblem;
use super::records::Record;
use crate::models::snapshot_table::SnapshotTable;

/// The positions of the columns in a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    positions: [Option<usize>; Column::ALL.len()],
    cell_count: usize,
}

impl Header {
    /// Parses the header of a file for this table.
    ///
    /// The read-only columns of our exports are ignored. Unknown columns are an error that names them.
    pub fn read(record: &Record<'_>, table: SnapshotTable) -> Result<Self, FileProblem> {
        let known = table.dataset().describe();
        let mut header = Self { positions: [None; Column::ALL.len()], cell_count: record.len() };
        let mut unknown = Vec::new();
        for (position, name) in record.cells().enumerate() {
            let name = name.trim();
            let column = known.columns.iter().find(|column| {
                column.key.eq_ignore_ascii_case(name)
                    || Locale::ALL
                        .into_iter()
                        .any(|locale| column.title.in_locale(locale).to_lowercase() == name.to_lowercase())
            });
            let Some(column) = column else {
                unknown.push(name.to_owned());
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
            return Err(FileProblem::UnknownColumns { names: unknown, accepted });
        }
        if header.position(Column::Person).is_none() {
            return Err(FileProblem::MissingColumn(table.person_column()));
        }
        Ok(header)
    }

    /// The number of cells that each record must have.
    pub fn cell_count(&self) -> usize {
        self.cell_count
    }

    /// The cell of a column. A column that is missing from the file is blank in every record.
    pub fn cell<'a>(&self, record: &Record<'a>, column: Column) -> &'a str {
        self.position(column).and_then(|position| record.get(position)).unwrap_or_default()
    }

    fn position(&self, column: Column) -> Option<usize> {
        self.positions[column as usize]
    }
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
        assert_eq!(keys, read("Capturado;Correo del estudiante;ID de estudiante;valor").unwrap());
        assert_eq!(keys, read("Captured at,Student e-mail,Student ID,Value").unwrap());
        assert_eq!(keys.position(Column::CapturedAt), Some(0));
        assert_eq!(keys.position(Column::Person), Some(2));
        assert_eq!(keys.position(Column::Course), None);
    }

    #[test]
    fn an_unknown_column_is_named() {
        let Err(FileProblem::UnknownColumns { names, .. }) = read("user_id,colour,,value") else {
            panic!("the header must be rejected")
        };
        assert_eq!(names, ["colour", ""]);
    }

    #[test]
    fn columns_are_unique_and_the_person_is_required() {
        assert_eq!(read("user_id,value,Valor"), Err(FileProblem::RepeatedColumn("value")));
        assert_eq!(read("course_id,value"), Err(FileProblem::MissingColumn("user_id")));
    }
}
