//! The filters of the datasets.

mod date_bound;
mod problem;

pub use date_bound::{DateBound, Until};
pub use problem::{FieldProblem, Problem};

use std::collections::HashSet;

use crate::dataset::{Dataset, FilterField};
use crate::text::Text;

/// The name of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FilterKey {
    /// Rows at or after this date or time.
    DateFrom,
    /// Rows at or before this date or time. A date includes the whole day.
    DateTo,
    /// A course.
    CourseId,
    /// A lesson.
    LessonId,
    /// A practice pack.
    PracticePackageId,
    /// The creator of a practice.
    CreatorId,
    /// A student.
    UserId,
    /// A teacher.
    TeacherId,
    /// A kind of player event.
    Event,
    /// A video provider.
    Provider,
    /// A category of snapshots.
    Category,
    /// A status.
    Status,
    /// A type of practice or submission.
    Type,
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

impl FilterKey {
    /// Every filter, in the order in which links and logs list them.
    pub const ALL: [Self; 13] = [
        Self::DateFrom,
        Self::DateTo,
        Self::CourseId,
        Self::LessonId,
        Self::PracticePackageId,
        Self::CreatorId,
        Self::UserId,
        Self::TeacherId,
        Self::Event,
        Self::Provider,
        Self::Category,
        Self::Status,
        Self::Type,
    ];

    /// The machine name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::DateFrom => "date_from",
            Self::DateTo => "date_to",
            Self::CourseId => "course_id",
            Self::LessonId => "lesson_id",
            Self::PracticePackageId => "practice_package_id",
            Self::CreatorId => "creator_id",
            Self::UserId => "user_id",
            Self::TeacherId => "teacher_id",
            Self::Event => "event",
            Self::Provider => "provider",
            Self::Category => "category",
            Self::Status => "status",
            Self::Type => "type",
        }
    }

    /// The filter with this machine name.
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.key() == key)
    }

    /// The name that people read.
    pub const fn title(self) -> Text {
        match self {
            Self::DateFrom => Text::new("Desde", "From"),
            Self::DateTo => Text::new("Hasta", "To"),
            Self::CourseId => Text::new("Curso", "Course"),
            Self::LessonId => Text::new("Lección", "Lesson"),
            Self::PracticePackageId => Text::new("Pack de prácticas", "Practice pack"),
            Self::CreatorId => Text::new("Creador", "Creator"),
            Self::UserId => Text::new("Estudiante", "Student"),
            Self::TeacherId => Text::new("Docente", "Teacher"),
            Self::Event => Text::new("Evento", "Event"),
            Self::Provider => Text::new("Proveedor", "Provider"),
            Self::Category => Text::new("Categoría", "Category"),
            Self::Status => Text::new("Estado", "Status"),
            Self::Type => Text::new("Tipo", "Type"),
        }
    }
}

/// The conditions that rows must meet. A field that is `None` matches every row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Rows at or after this.
    pub date_from: Option<DateBound>,
    /// Rows at or before this.
    pub date_to: Option<DateBound>,
    pub course_id: Option<i64>,
    pub lesson_id: Option<i64>,
    pub practice_package_id: Option<i64>,
    /// The creator of a practice.
    pub creator_id: Option<i64>,
    /// The student.
    pub user_id: Option<i64>,
    pub teacher_id: Option<i64>,
    /// The kind of player event.
    pub event: Option<String>,
    /// The video provider.
    pub provider: Option<String>,
    /// The category of a snapshot.
    pub category: Option<String>,
    pub status: Option<String>,
    /// The filter `type`.
    pub kind: Option<String>,
}

impl Filter {
    /// Reads a dataset's filter from machine names and values. Blank values are ignored.
    ///
    /// Reports every problem at once, at most one per field.
    pub fn parse<'a>(
        dataset: Dataset,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Vec<FieldProblem>> {
        let mut filter = Self::default();
        let mut problems = Vec::new();
        let mut seen = HashSet::new();
        for (key, value) in pairs {
            let problem = if seen.insert(key) {
                filter.set(dataset, key, value.trim()).err()
            } else {
                Some(Problem::Repeated)
            };
            if let Some(problem) = problem {
                problems.push(FieldProblem { field: key.to_owned(), problem });
            }
        }
        if filter.is_reversed() {
            problems
                .push(FieldProblem { field: FilterKey::DateTo.key().to_owned(), problem: Problem::Reversed });
        }
        if problems.is_empty() { Ok(filter) } else { Err(problems) }
    }

    fn set(&mut self, dataset: Dataset, key: &str, value: &str) -> Result<(), Problem> {
        let fields = dataset.describe().filters;
        let field =
            fields.iter().find(|field| field.key.key() == key).ok_or(Problem::UnknownFilter(dataset))?;
        if value.is_empty() {
            return Ok(());
        }
        match field.key {
            FilterKey::DateFrom => self.date_from = Some(DateBound::parse(value).ok_or(Problem::NotADate)?),
            FilterKey::DateTo => self.date_to = Some(DateBound::parse(value).ok_or(Problem::NotADate)?),
            FilterKey::CourseId => self.course_id = Some(parse_id(value)?),
            FilterKey::LessonId => self.lesson_id = Some(parse_id(value)?),
            FilterKey::PracticePackageId => self.practice_package_id = Some(parse_id(value)?),
            FilterKey::CreatorId => self.creator_id = Some(parse_id(value)?),
            FilterKey::UserId => self.user_id = Some(parse_id(value)?),
            FilterKey::TeacherId => self.teacher_id = Some(parse_id(value)?),
            FilterKey::Event => self.event = Some(parse_text(field, value)?),
            FilterKey::Provider => self.provider = Some(parse_text(field, value)?),
            FilterKey::Category => self.category = Some(parse_text(field, value)?),
            FilterKey::Status => self.status = Some(parse_text(field, value)?),
            FilterKey::Type => self.kind = Some(parse_text(field, value)?),
        }
        Ok(())
    }

    /// The value of one filter as text that [`Filter::parse`] reads back.
    pub fn value(&self, key: FilterKey) -> Option<String> {
        match key {
            FilterKey::DateFrom => self.date_from.map(|bound| bound.to_string()),
            FilterKey::DateTo => self.date_to.map(|bound| bound.to_string()),
            FilterKey::CourseId => self.course_id.map(|id| id.to_string()),
            FilterKey::LessonId => self.lesson_id.map(|id| id.to_string()),
            FilterKey::PracticePackageId => self.practice_package_id.map(|id| id.to_string()),
            FilterKey::CreatorId => self.creator_id.map(|id| id.to_string()),
            FilterKey::UserId => self.user_id.map(|id| id.to_string()),
            FilterKey::TeacherId => self.teacher_id.map(|id| id.to_string()),
            FilterKey::Event => self.event.clone(),
            FilterKey::Provider => self.provider.clone(),
            FilterKey::Category => self.category.clone(),
            FilterKey::Status => self.status.clone(),
            FilterKey::Type => self.kind.clone(),
        }
    }

    /// The filters that are set, in the order of [`FilterKey::ALL`].
    pub fn pairs(&self) -> Vec<(FilterKey, String)> {
        FilterKey::ALL.into_iter().filter_map(|key| Some((key, self.value(key)?))).collect()
    }

    fn is_reversed(&self) -> bool {
        // A day and a moment can only be compared in a time zone, which is not known here.
        match (self.date_from, self.date_to) {
            (Some(DateBound::Day(from)), Some(DateBound::Day(to))) => from > to,
            (Some(DateBound::Moment(from)), Some(DateBound::Moment(to))) => from > to,
            _ => false,
        }
    }
}

/// The largest accepted id: the largest integer that a JavaScript number represents exactly.
pub const MAX_ID: i64 = (1 << 53) - 1;

/// Reads an id: a whole number from 1 to [`MAX_ID`], digits only.
pub fn parse_id(text: &str) -> Result<i64, Problem> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::NotAnId);
    }
    match text.parse() {
        Ok(id) if (1..=MAX_ID).contains(&id) => Ok(id),
        Ok(_) | Err(_) => Err(Problem::NotAnId),
    }
}

fn parse_text(field: &FilterField, value: &str) -> Result<String, Problem> {
    match field.kind {
        FilterKind::Choice if field.choice(value).is_none() => Err(Problem::NotAChoice(field.choices)),
        _ if value.chars().count() > MAX_TEXT => Err(Problem::TooLong(MAX_TEXT)),
        _ if value.contains('\0') => Err(Problem::NullCharacter),
        _ => Ok(value.to_owned()),
    }
}

/// Maximum length of a filter's text, in characters.
const MAX_TEXT: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Locale;

    #[test]
    fn every_wrong_field_is_reported_at_once() {
        let pairs = [("course_id", "12abc"), ("date_from", "ayer"), ("colour", "red"), ("lesson_id", "0")];
        let problems = Filter::parse(Dataset::VideoPlayerEvents, pairs).unwrap_err();
        let fields: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(fields, ["course_id", "date_from", "colour", "lesson_id"]);
    }

    #[test]
    fn the_same_filter_twice_is_refused() {
        let pairs = [("course_id", "1"), ("course_id", "2"), ("event", ""), ("event", "play")];
        let problems = Filter::parse(Dataset::VideoPlayerEvents, pairs).unwrap_err();
        let problems: Vec<_> = problems.into_iter().map(|found| (found.field, found.problem)).collect();
        let repeated = |key: &str| (key.to_owned(), Problem::Repeated);
        assert_eq!(problems, [repeated("course_id"), repeated("event")]);
    }

    #[test]
    fn a_choice_must_be_one_of_the_known_values() {
        let refused = Filter::parse(Dataset::PracticePackageOrders, [("status", "lost")]).unwrap_err();
        assert!(
            refused[0]
                .problem
                .message()
                .in_locale(Locale::En)
                .contains("pending, paid, cancelled, completed")
        );
    }

    #[test]
    fn a_filter_reads_back_what_it_writes() {
        let pairs =
            [("date_from", "2026-11-01"), ("date_to", "2026-11-16T10:00:00.5+01:00"), ("event", "play")];
        let filter = Filter::parse(Dataset::VideoPlayerEvents, pairs).unwrap();
        let written = filter.pairs();
        let again = Filter::parse(
            Dataset::VideoPlayerEvents,
            written.iter().map(|(key, value)| (key.key(), value.as_str())),
        );
        assert_eq!(again, Ok(filter));
    }
}
