//! Columns that a file can have beside those of its dataset: the names of what ids refer to.

use super::{Column, ColumnKind, Description};
use crate::text::Text;

/// What a name belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    Person,
    Course,
    Lesson,
}

/// The column with the names for a column of ids.
#[derive(Debug)]
pub struct NameColumn {
    /// The key of the column with the ids.
    pub id: &'static str,
    pub kind: NameKind,
    pub column: Column,
}

impl NameColumn {
    const fn new(id: &'static str, kind: NameKind, key: &'static str, title: Text) -> Self {
        Self { id, kind, column: Column::new(key, ColumnKind::Text, title) }
    }
}

/// All columns with names.
pub static NAME_COLUMNS: [NameColumn; 7] = [
    NameColumn::new(
        "user_id",
        NameKind::Person,
        "user_name",
        Text::new("Nombre del estudiante", "Student name"),
    ),
    NameColumn::new(
        "teacher_id",
        NameKind::Person,
        "teacher_name",
        Text::new("Nombre del docente", "Teacher name"),
    ),
    NameColumn::new(
        "creator_id",
        NameKind::Person,
        "creator_name",
        Text::new("Nombre del creador", "Creator name"),
    ),
    NameColumn::new(
        "assigned_by",
        NameKind::Person,
        "assigner_name",
        Text::new("Nombre de quien asignó", "Assigner name"),
    ),
    NameColumn::new(
        "reviewed_by",
        NameKind::Person,
        "reviewer_name",
        Text::new("Nombre de quien revisó", "Reviewer name"),
    ),
    NameColumn::new(
        "course_id",
        NameKind::Course,
        "course_title",
        Text::new("Título del curso", "Course title"),
    ),
    NameColumn::new(
        "lesson_id",
        NameKind::Lesson,
        "lesson_title",
        Text::new("Título de la lección", "Lesson title"),
    ),
];

impl Description {
    /// The column with the names for this column of ids. `None` if the dataset has it already.
    pub fn name_column(&self, id: &str) -> Option<&'static Column> {
        let name = NAME_COLUMNS.iter().find(|name| name.id == id)?;
        self.column(name.column.key).is_none().then_some(&name.column)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Dataset, Locale};

    #[test]
    fn names_have_other_titles_than_the_columns_of_the_dataset() {
        for dataset in Dataset::ALL.map(Dataset::describe) {
            let names: Vec<_> =
                dataset.columns.iter().filter_map(|column| dataset.name_column(column.key)).collect();
            assert!(!names.is_empty(), "{}", dataset.key);
            for locale in Locale::ALL {
                let titles = dataset.columns.iter().map(|column| column.title.in_locale(locale));
                let titles: Vec<&str> = titles.collect();
                assert!(names.iter().all(|name| !titles.contains(&name.title.in_locale(locale))));
            }
        }
    }
}
