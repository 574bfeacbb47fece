//! The two snapshot tables. They differ in the name and in the column with the person.

use domain::Dataset;
use domain::UnknownName;

/// A table of snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotTable {
    /// Snapshots of students' activity.
    Student,
    /// Snapshots of Teacher Admins' activity.
    Teacher,
}

impl SnapshotTable {
    /// Both tables.
    pub const ALL: [Self; 2] = [Self::Student, Self::Teacher];

    /// The table of this dataset, if the dataset consists of snapshots.
    pub fn of(dataset: Dataset) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.dataset() == dataset)
    }

    /// The dataset that consists of the table's rows.
    pub const fn dataset(self) -> Dataset {
        match self {
            Self::Student => Dataset::StudentActivitySnapshots,
            Self::Teacher => Dataset::TeacherActivitySnapshots,
        }
    }

    /// Name of the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Student => "student_activity_snapshots",
            Self::Teacher => "teacher_activity_snapshots",
        }
    }

    /// The column with the id of the student or teacher.
    pub const fn person_column(self) -> &'static str {
        match self {
            Self::Student => "user_id",
            Self::Teacher => "teacher_id",
        }
    }
}

impl TryFrom<String> for SnapshotTable {
    type Error = UnknownName;

    fn try_from(dataset: String) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|table| table.dataset().key() == dataset).ok_or(UnknownName(dataset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_importable_datasets_have_a_table() {
        for dataset in Dataset::ALL {
            let table = SnapshotTable::of(dataset);
            assert_eq!(table.is_some(), dataset.describe().import.is_some(), "{}", dataset.key());
            assert!(table.is_none_or(|table| table.dataset() == dataset));
        }
    }
}
