//! The filters that a dataset can have.

use crate::text::Text;

/// The name of a filter. The datasets share some filters; others are declared next to their dataset.
#[derive(Clone, Copy, Debug)]
pub struct FilterKey {
    key: &'static str,
    title: Text,
}

impl PartialEq for FilterKey {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for FilterKey {}

impl FilterKey {
    /// Rows at or after this date or time.
    pub const DATE_FROM: Self = Self::new("date_from", Text::new("Desde", "From"));
    /// Rows at or before this date or time. A date includes the whole day.
    pub const DATE_TO: Self = Self::new("date_to", Text::new("Hasta", "To"));
    /// A course.
    pub const COURSE_ID: Self = Self::new("course_id", Text::new("Curso", "Course"));
    /// A lesson.
    pub const LESSON_ID: Self = Self::new("lesson_id", Text::new("Lección", "Lesson"));
    /// A practice pack.
    pub const PRACTICE_PACKAGE_ID: Self =
        Self::new("practice_package_id", Text::new("Pack de prácticas", "Practice pack"));
    /// A teacher.
    pub const TEACHER_ID: Self = Self::new("teacher_id", Text::new("Docente", "Teacher"));
    /// A category of snapshots.
    pub const CATEGORY: Self = Self::new("category", Text::new("Categoría", "Category"));
    /// A status.
    pub const STATUS: Self = Self::new("status", Text::new("Estado", "Status"));
    /// A type of practice or submission.
    pub const TYPE: Self = Self::new("type", Text::new("Tipo", "Type"));

    /// A filter with this machine name, and the name that people read.
    pub(super) const fn new(key: &'static str, title: Text) -> Self {
        Self { key, title }
    }

    /// The machine name.
    pub const fn key(self) -> &'static str {
        self.key
    }

    /// The name that people read.
    pub const fn title(self) -> Text {
        self.title
    }
}

/// The kind of a filter's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
pub enum FilterKind {
    /// A date or a timestamp.
    Date,
    /// A course's id.
    Course,
    /// A lesson's id.
    Lesson,
    /// Another id.
    Id,
    /// Free text. Choices are only suggestions.
    Text,
    /// One of the choices.
    Choice,
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
    pub(super) const fn new(value: &'static str, title: Text) -> Self {
        Self { value, title }
    }
}

impl FilterField {
    pub(super) const fn new(key: FilterKey, kind: FilterKind) -> Self {
        Self { key, kind, choices: &[] }
    }

    /// The choice with this value.
    pub fn choice(&self, value: &str) -> Option<&'static Choice> {
        self.choices.iter().find(|choice| choice.value == value)
    }

    pub(super) const fn with_choices(key: FilterKey, kind: FilterKind, choices: &'static [Choice]) -> Self {
        Self { key, kind, choices }
    }
}

pub(super) const DATE_FROM: FilterField = FilterField::new(FilterKey::DATE_FROM, FilterKind::Date);
pub(super) const DATE_TO: FilterField = FilterField::new(FilterKey::DATE_TO, FilterKind::Date);
pub(super) const COURSE: FilterField = FilterField::new(FilterKey::COURSE_ID, FilterKind::Course);
pub(super) const LESSON: FilterField = FilterField::new(FilterKey::LESSON_ID, FilterKind::Lesson);
