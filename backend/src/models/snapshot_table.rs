//! The two snapshot tables: alike but for whom they are about.

use domain::Dataset;
use domain::UnknownName;

/// A table of snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotTable {
    /// What students did.
    Student,
    /// What concerns teachers.
    Teacher,
}

impl SnapshotTable {
    /// Both tables.
    pub const ALL: [Self; 2] = [Self::Student, Self::Teacher];

    /// The table behind this dataset, if it is one of snapshots.
    pub const fn of(dataset: Dataset) -> Option<Self> {
        match dataset {
            Dataset::StudentActivitySnapshots => Some(Self::Student),
            Dataset::TeacherActivitySnapshots => Some(Self::Teacher),
            Dataset::VideoPlayerEvents
            | Dataset::DiscordPractices
            | Dataset::PracticePackageOrders
            | Dataset::TeacherSubmissions
            | Dataset::CourseTeacherAssignments => None,
        }
    }

    /// The dataset that is read from it.
    pub const fn dataset(self) -> Dataset {
        match self {
            Self::Student => Dataset::StudentActivitySnapshots,
            Self::Teacher => Dataset::TeacherActivitySnapshots,
        }
    }

    /// The table's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Student => "student_activity_snapshots",
            Self::Teacher => "teacher_activity_snapshots",
        }
    }

    /// The column with the id of the person whom a row is about.
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
    fn what_can_be_imported_has_a_table() {
        for dataset in Dataset::ALL {
            let table = SnapshotTable::of(dataset);
            assert_eq!(table.is_some(), dataset.describe().import.is_some(), "{}", dataset.key());
            assert!(table.is_none_or(|table| table.dataset() == dataset));
        }
    }
}
