//! The seven datasets. Each one is described as plain data in its own file.

pub mod course_teacher_assignments;
pub mod discord_practices;
mod filter_field;
mod name_column;
pub mod practice_package_orders;
pub mod student_activity_snapshots;
pub mod teacher_activity_snapshots;
pub mod teacher_submissions;
pub mod video_player_events;

use serde::{Deserialize, Serialize};

use crate::names::camel_case;
use crate::text::Text;

use filter_field::{COURSE, DATE_FROM, DATE_TO, LESSON};
pub use filter_field::{Choice, FilterField, FilterKey, FilterKind};
pub use name_column::{NAME_COLUMNS, NameColumn, NameKind};

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

impl FilterKey {
    /// Every filter of any dataset.
    pub fn all() -> Vec<Self> {
        let mut keys: Vec<Self> = Vec::new();
        for field in Dataset::ALL.iter().flat_map(|dataset| dataset.describe().filters) {
            if !keys.contains(&field.key) {
                keys.push(field.key);
            }
        }
        keys
    }

    /// The filter with this machine name.
    pub fn parse(key: &str) -> Option<Self> {
        let fields = Dataset::ALL.iter().flat_map(|dataset| dataset.describe().filters);
        fields.map(|field| field.key).find(|known| known.key() == key)
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
    /// The GraphQL field with its subfields, if it is not the key in the spelling of GraphQL.
    selection: Option<&'static str>,
}

impl Column {
    /// A column.
    pub const fn new(key: &'static str, kind: ColumnKind, title: Text) -> Self {
        Self { key, kind, title, selection: None }
    }

    const fn selected_as(self, selection: &'static str) -> Self {
        Self { selection: Some(selection), ..self }
    }

    /// The GraphQL field: `courseId`.
    pub fn graphql_field(&self) -> String {
        match self.selection {
            Some(selection) => selection.split(' ').next().unwrap_or_default().to_owned(),
            None => camel_case(self.key),
        }
    }

    /// The GraphQL selection of the column under its key: `courseId`, or `orderId: id`.
    pub fn graphql_selection(&self) -> String {
        let name = camel_case(self.key);
        match self.selection {
            Some(selection) if self.graphql_field() == name => selection.to_owned(),
            Some(selection) => format!("{name}: {selection}"),
            None => name,
        }
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
    TeacherAdminAccess::OneOf(&[FilterKey::COURSE_ID, FilterKey::LESSON_ID]);

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
