//! The seven datasets. Each one is described as plain data in its own file.

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
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
#[serde(rename_all = "snake_case")]
pub enum Dataset {
    /// Events that the video player reported.
    VideoPlayerEvents,
    /// Summaries of students' activity.
    StudentActivitySnapshots,
    /// Summaries of Teacher Admins' activity.
    TeacherActivitySnapshots,
    /// Live practices on Discord.
    DiscordPractices,
    /// Orders of practice packs.
    PracticePackageOrders,
    /// Modules, lessons and packs proposed by teachers.
    TeacherSubmissions,
    /// Assignments of teachers to courses.
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

    /// The dataset's description.
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

/// The facts about a dataset that forms, files, documentation and rules are made from.
#[derive(Debug)]
pub struct Description {
    /// The machine name.
    pub key: &'static str,
    /// The name that people read.
    pub title: Text,
    /// One sentence that says what a row is.
    pub about: Text,
    /// The column that rows are sorted by, newest first, and that the date filters apply to.
    pub date_column: &'static str,
    /// The columns in export order.
    pub columns: &'static [Column],
    /// Its filters.
    pub filters: &'static [FilterField],
    /// The filters that a Teacher Admin needs to read it.
    pub teacher_admin: TeacherAdminAccess,
    /// The columns of its import files in order. `None` if it cannot be imported.
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
    pub kind: ColumnKind,
    /// The readable CSV header.
    pub title: Text,
}

impl Column {
    /// A column.
    pub const fn new(key: &'static str, kind: ColumnKind, title: Text) -> Self {
        Self { key, kind, title }
    }
}

/// The type of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum), graphql(name = "ColumnType"))]
pub enum ColumnKind {
    /// An ID: a whole number that is only compared for equality.
    Id,
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Decimal,
    /// Text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A point in time, as an RFC 3339 timestamp.
    Timestamp,
    /// Any JSON value.
    Json,
}

/// A filter of a dataset.
#[derive(Debug)]
pub struct FilterField {
    pub key: FilterKey,
    pub kind: FilterKind,
    /// The accepted values, or suggestions if the kind is text.
    pub choices: &'static [Choice],
}

/// A value of a filter.
#[derive(Debug, PartialEq, Eq)]
pub struct Choice {
    /// The value in rows and requests.
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

/// The categories that the product records. Imports may contain others.
const CATEGORIES: &[Choice] = &[
    Choice::new("practice_reservation", Text::new("Reserva de práctica", "Practice reservation")),
    Choice::new("practice_pack_purchase", Text::new("Compra de pack", "Pack purchase")),
    Choice::new("practice_pack_consumption", Text::new("Consumo de pack", "Pack consumption")),
    Choice::new("practice_attendance", Text::new("Asistencia a práctica", "Practice attendance")),
    Choice::new("practice_cancellation", Text::new("Cancelación de práctica", "Practice cancellation")),
    Choice::new("custom", Text::new("Otra", "Custom")),
];

/// Whether, and with which filters, a Teacher Admin may read a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeacherAdminAccess {
    /// With at least one of these filters.
    OneOf(&'static [FilterKey]),
    /// Not at all.
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
