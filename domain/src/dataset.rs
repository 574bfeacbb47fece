//! The seven datasets, each stated once as plain data in a file of its own.

mod course_teacher_assignments;
mod discord_practices;
mod practice_package_orders;
mod student_activity_snapshots;
mod teacher_activity_snapshots;
mod teacher_submissions;
mod video_player_events;

use serde::{Deserialize, Serialize};

use crate::filter::{FilterKey, FilterKind};
use crate::text::Text;

/// One of the seven datasets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dataset {
    /// What the video player reported.
    VideoPlayerEvents,
    /// What a student did, summed up.
    StudentActivitySnapshots,
    /// What a Teacher Admin did, summed up.
    TeacherActivitySnapshots,
    /// Live practices on Discord.
    DiscordPractices,
    /// Orders of practice packs.
    PracticePackageOrders,
    /// Modules, lessons and packs that teachers proposed.
    TeacherSubmissions,
    /// Which teacher is assigned to which course.
    CourseTeacherAssignments,
}

impl Dataset {
    /// Every dataset, in the order in which people see them.
    pub const ALL: [Self; 7] = [
        Self::VideoPlayerEvents,
        Self::StudentActivitySnapshots,
        Self::TeacherActivitySnapshots,
        Self::DiscordPractices,
        Self::PracticePackageOrders,
        Self::TeacherSubmissions,
        Self::CourseTeacherAssignments,
    ];

    /// All that is known of the dataset.
    pub const fn describe(self) -> &'static Description {
        match self {
            Self::VideoPlayerEvents => &video_player_events::DATASET,
            Self::StudentActivitySnapshots => &student_activity_snapshots::DATASET,
            Self::TeacherActivitySnapshots => &teacher_activity_snapshots::DATASET,
            Self::DiscordPractices => &discord_practices::DATASET,
            Self::PracticePackageOrders => &practice_package_orders::DATASET,
            Self::TeacherSubmissions => &teacher_submissions::DATASET,
            Self::CourseTeacherAssignments => &course_teacher_assignments::DATASET,
        }
    }

    /// The machine name, as in URLs and file names.
    pub const fn key(self) -> &'static str {
        self.describe().key
    }

    /// The dataset with this machine name.
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dataset| dataset.key() == key)
    }
}

/// All that forms, files, documents and rules need to know of a dataset.
#[derive(Debug)]
pub struct Description {
    /// The machine name.
    pub key: &'static str,
    /// The name that people read.
    pub title: Text,
    /// One sentence on what a row is.
    pub about: Text,
    /// The column that rows are ordered by, newest first, and that the date filters mean.
    pub date_column: &'static str,
    /// The columns in export order.
    pub columns: &'static [Column],
    /// The filters that it takes.
    pub filters: &'static [FilterField],
    /// What a Teacher Admin must give to read it.
    pub teacher_admin: TeacherAdminAccess,
    /// The columns of its import file in order, when it can be imported.
    pub import: Option<&'static [&'static str]>,
}

impl Description {
    /// The filter with this key.
    pub fn filter(&self, key: FilterKey) -> Option<&'static FilterField> {
        self.filters.iter().find(|field| field.key == key)
    }

    /// The column with this key.
    pub fn column(&self, key: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.key == key)
    }
}

/// A column of a dataset.
#[derive(Debug, PartialEq, Eq)]
pub struct Column {
    /// JSON key and machine CSV header.
    pub key: &'static str,
    /// What its values are.
    pub kind: ColumnKind,
    /// The readable CSV header.
    pub title: Text,
}

impl Column {
    /// A column from its parts.
    pub const fn new(key: &'static str, kind: ColumnKind, title: Text) -> Self {
        Self { key, kind, title }
    }
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// An id: a whole number that is only compared.
    Id,
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Decimal,
    /// Text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A moment.
    Timestamp,
    /// Any JSON value.
    Json,
}

/// A filter as one dataset takes it.
#[derive(Debug)]
pub struct FilterField {
    /// Its name.
    pub key: FilterKey,
    /// What its value is.
    pub kind: FilterKind,
    /// Values to choose from (or suggestions, when the kind is text).
    pub choices: &'static [Choice],
}

/// A value to choose from.
#[derive(Debug, PartialEq, Eq)]
pub struct Choice {
    /// The value, as rows and requests have it.
    pub value: &'static str,
    /// The name that people read.
    pub title: Text,
}

impl Choice {
    const fn new(value: &'static str, title: Text) -> Self {
        Self { value, title }
    }
}

impl FilterField {
    const fn new(key: FilterKey, kind: FilterKind) -> Self {
        Self { key, kind, choices: &[] }
    }

    /// The choice with this value.
    pub fn choice(&self, value: &str) -> Option<&'static Choice> {
        self.choices.iter().find(|choice| choice.value == value)
    }

    const fn with_choices(key: FilterKey, kind: FilterKind, choices: &'static [Choice]) -> Self {
        Self { key, kind, choices }
    }
}

const DATE_FROM: FilterField = FilterField::new(FilterKey::DateFrom, FilterKind::Date);
const DATE_TO: FilterField = FilterField::new(FilterKey::DateTo, FilterKind::Date);
const COURSE: FilterField = FilterField::new(FilterKey::CourseId, FilterKind::Course);
const LESSON: FilterField = FilterField::new(FilterKey::LessonId, FilterKind::Lesson);

/// Categories that the product itself records; an import may bring others.
const CATEGORIES: &[Choice] = &[
    Choice::new("practice_reservation", Text::new("Reserva de práctica", "Practice reservation")),
    Choice::new("practice_pack_purchase", Text::new("Compra de pack", "Pack purchase")),
    Choice::new("practice_pack_consumption", Text::new("Consumo de pack", "Pack consumption")),
    Choice::new("practice_attendance", Text::new("Asistencia a práctica", "Practice attendance")),
    Choice::new("practice_cancellation", Text::new("Cancelación de práctica", "Practice cancellation")),
    Choice::new("custom", Text::new("Otra", "Custom")),
];

/// What a Teacher Admin must give to read a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeacherAdminAccess {
    /// At least one of these filters.
    OneOf(&'static [FilterKey]),
    /// Nothing would do: they may not read it.
    Never,
}

const COURSE_OR_LESSON: TeacherAdminAccess =
    TeacherAdminAccess::OneOf(&[FilterKey::CourseId, FilterKey::LessonId]);

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_dataset_has_a_key_and_columns_of_its_own() {
        let keys: HashSet<&str> = Dataset::ALL.iter().map(|dataset| dataset.key()).collect();
        assert_eq!(keys.len(), Dataset::ALL.len());
        for dataset in Dataset::ALL {
            let columns: HashSet<&str> = dataset.describe().columns.iter().map(|column| column.key).collect();
            assert_eq!(columns.len(), dataset.describe().columns.len(), "{}", dataset.key());
            assert_eq!(Dataset::parse(dataset.key()), Some(dataset));
        }
    }

    #[test]
    fn import_columns_are_columns_of_the_dataset() {
        for dataset in Dataset::ALL {
            for column in dataset.describe().import.unwrap_or_default() {
                assert!(dataset.describe().column(column).is_some(), "{column} of {}", dataset.key());
            }
        }
    }
}
