//! The header of a file: which column stands where, by machine names or by the readable ones of either language.

use domain::Locale;

use super::column::Column;
use super::file_problem::FileProblem;
use super::records::Record;
use crate::models::snapshot_table::SnapshotTable;

/// Where in a record the columns stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    places: [Option<usize>; Column::ALL.len()],
    cells: usize,
}

impl Header {
    /// Reads the header of a file for this table.
    ///
    /// Columns that our exports have beside those of an import are passed over; any other is refused by name.
    pub fn read(record: &Record<'_>, table: SnapshotTable) -> Result<Self, FileProblem> {
        let known = table.dataset().describe();
        let mut header = Self { places: [None; Column::ALL.len()], cells: record.len() };
        let mut unknown = Vec::new();
        for (place, name) in record.cells().enumerate() {
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
                && header.places[index].replace(place).is_some()
            {
                return Err(FileProblem::RepeatedColumn(column.key));
            }
        }
        if !unknown.is_empty() {
            let accepted = known.import.unwrap_or_default();
            return Err(FileProblem::UnknownColumns { names: unknown, accepted });
        }
        if header.place(Column::Person).is_none() {
            return Err(FileProblem::MissingColumn(table.person_column()));
        }
        Ok(header)
    }

    /// The number of cells that each record must have.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// The cell of a column; a column that the file does not have is blank in every record.
    pub fn cell<'a>(&self, record: &Record<'a>, column: Column) -> &'a str {
        self.place(column).and_then(|place| record.get(place)).unwrap_or_default()
    }

    fn place(&self, column: Column) -> Option<usize> {
        self.places[column as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::super::records::{READ_BYTES, Records};
    use super::*;

    fn read(header: &str) -> Result<Header, FileProblem> {
        let mut records = Records::open(header.as_bytes(), READ_BYTES).unwrap();
        Header::read(&records.next().unwrap().unwrap(), SnapshotTable::Student)
    }

    #[test]
    fn columns_are_known_by_key_and_by_title_in_any_order() {
        let keys = read("captured_at,user_email,USER_ID, value").unwrap();
        assert_eq!(keys, read("Capturado;Correo del estudiante;ID de estudiante;valor").unwrap());
        assert_eq!(keys, read("Captured at,Student e-mail,Student ID,Value").unwrap());
        assert_eq!(keys.place(Column::CapturedAt), Some(0));
        assert_eq!(keys.place(Column::Person), Some(2));
        assert_eq!(keys.place(Column::Course), None);
    }

    #[test]
    fn a_column_that_is_not_known_is_named() {
        let Err(FileProblem::UnknownColumns { names, .. }) = read("user_id,colour,,value") else {
            panic!("it is refused")
        };
        assert_eq!(names, ["colour", ""]);
    }

    #[test]
    fn a_column_is_there_once_and_the_person_always() {
        assert_eq!(read("user_id,value,Valor"), Err(FileProblem::RepeatedColumn("value")));
        assert_eq!(read("course_id,value"), Err(FileProblem::MissingColumn("user_id")));
    }
}
