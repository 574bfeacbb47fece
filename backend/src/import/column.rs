//! The columns of an import file.

use crate::models::reference::ReferencedTable;
use crate::models::snapshot_table::SnapshotTable;

/// A column of an import file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The student or teacher.
    Person,
    /// The course.
    Course,
    /// The lesson.
    Lesson,
    /// The practice pack.
    PracticePackage,
    /// What kind of activity.
    Category,
    /// What the value refers to.
    Scope,
    /// The number.
    Value,
    /// Details.
    Payload,
    /// The time of the snapshot.
    CapturedAt,
}

impl Column {
    /// All columns, in the order of the file.
    pub const ALL: [Self; 9] = [
        Self::Person,
        Self::Course,
        Self::Lesson,
        Self::PracticePackage,
        Self::Category,
        Self::Scope,
        Self::Value,
        Self::Payload,
        Self::CapturedAt,
    ];

    /// The column's name in files for this table.
    pub const fn key(self, table: SnapshotTable) -> &'static str {
        match self {
            Self::Person => table.person_column(),
            Self::Course => "course_id",
            Self::Lesson => "lesson_id",
            Self::PracticePackage => "practice_package_id",
            Self::Category => "category",
            Self::Scope => "scope",
            Self::Value => "value",
            Self::Payload => "payload",
            Self::CapturedAt => "captured_at",
        }
    }
}

impl From<ReferencedTable> for Column {
    fn from(table: ReferencedTable) -> Self {
        match table {
            ReferencedTable::User => Self::Person,
            ReferencedTable::Course => Self::Course,
            ReferencedTable::Lesson => Self::Lesson,
            ReferencedTable::Package => Self::PracticePackage,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_match_the_catalogue() {
        for table in SnapshotTable::ALL {
            let keys = Column::ALL.map(|column| column.key(table));
            assert_eq!(Some(&keys[..]), table.dataset().describe().import);
        }
    }
}
