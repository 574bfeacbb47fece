//! The datasets' filters as GraphQL inputs.
//!
//! Values travel as text to [`Filter::parse`], so that GraphQL, links and the command line are checked by the same code.

use async_graphql::{ID, InputObject, InputValueError, InputValueResult, Scalar, ScalarType, Value};
use domain::{Dataset, Filter};

use crate::error::{Error, Invalid, Result};

/// A calendar date (a whole day in the hub's time zone) or an RFC 3339 timestamp, as one end of a range, both inclusive.
#[derive(Clone, Debug)]
pub struct DateBound(String);

#[Scalar]
impl ScalarType for DateBound {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self(text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A GraphQL filter as machine names and values.
pub trait IntoFilter: Send {
    /// The values that are set.
    fn pairs(self) -> Vec<(&'static str, String)>;
}

/// Checks a filter; what is wrong is named by its GraphQL path.
pub fn parse(dataset: Dataset, filter: Option<impl IntoFilter>) -> Result<Filter> {
    let pairs = filter.map(IntoFilter::pairs).unwrap_or_default();
    let parsed = Filter::parse(dataset, pairs.iter().map(|(key, value)| (*key, value.as_str())));
    parsed.map_err(|problems| match Error::from(problems) {
        Error::Invalid(fields) => Error::Invalid(fields.into_iter().map(in_graphql).collect()),
        other => other,
    })
}

fn in_graphql(invalid: Invalid) -> Invalid {
    let mut path = String::from("filter.");
    let mut capital = false;
    for character in invalid.field.chars() {
        match character {
            '_' => capital = true,
            _ if capital => {
                path.extend(character.to_uppercase());
                capital = false;
            }
            _ => path.push(character),
        }
    }
    Invalid { field: path, ..invalid }
}

fn set(pairs: impl IntoIterator<Item = (&'static str, Option<String>)>) -> Vec<(&'static str, String)> {
    pairs.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

/// Which rows of `VideoPlayerEvent` are wanted; what is not given lets all pass.
#[derive(Clone, Debug, Default, InputObject)]
pub struct VideoPlayerEventFilter {
    /// Not before this day or moment.
    pub date_from: Option<DateBound>,
    /// Not after this moment; a day counts as a whole.
    pub date_to: Option<DateBound>,
    /// One course.
    pub course_id: Option<ID>,
    /// One lesson; together with a course of which it is not, nothing passes.
    pub lesson_id: Option<ID>,
    /// One kind of event.
    pub event: Option<String>,
    /// One video provider.
    pub provider: Option<String>,
}

impl IntoFilter for VideoPlayerEventFilter {
    fn pairs(self) -> Vec<(&'static str, String)> {
        let Self { date_from, date_to, course_id, lesson_id, event, provider } = self;
        set([
            ("date_from", date_from.map(|bound| bound.0)),
            ("date_to", date_to.map(|bound| bound.0)),
            ("course_id", course_id.map(|id| id.0)),
            ("lesson_id", lesson_id.map(|id| id.0)),
            ("event", event),
            ("provider", provider),
        ])
    }
}

/// Which rows of `StudentActivitySnapshot` are wanted; what is not given lets all pass.
#[derive(Clone, Debug, Default, InputObject)]
pub struct StudentActivitySnapshotFilter {
    /// Not before this day or moment.
    pub date_from: Option<DateBound>,
    /// Not after this moment; a day counts as a whole.
    pub date_to: Option<DateBound>,
    /// One course.
    pub course_id: Option<ID>,
    /// One lesson; together with a course of which it is not, nothing passes.
    pub lesson_id: Option<ID>,
    /// One practice pack.
    pub practice_package_id: Option<ID>,
    /// One category.
    pub category: Option<String>,
}

impl IntoFilter for StudentActivitySnapshotFilter {
    fn pairs(self) -> Vec<(&'static str, String)> {
        let Self { date_from, date_to, course_id, lesson_id, practice_package_id, category } = self;
        set([
            ("date_from", date_from.map(|bound| bound.0)),
            ("date_to", date_to.map(|bound| bound.0)),
            ("course_id", course_id.map(|id| id.0)),
            ("lesson_id", lesson_id.map(|id| id.0)),
            ("practice_package_id", practice_package_id.map(|id| id.0)),
            ("category", category),
        ])
    }
}

/// Which rows of `TeacherActivitySnapshot` are wanted; what is not given lets all pass.
#[derive(Clone, Debug, Default, InputObject)]
pub struct TeacherActivitySnapshotFilter {
    /// Not before this day or moment.
    pub date_from: Option<DateBound>,
    /// Not after this moment; a day counts as a whole.
    pub date_to: Option<DateBound>,
    /// One course.
    pub course_id: Option<ID>,
    /// One lesson; together with a course of which it is not, nothing passes.
    pub lesson_id: Option<ID>,
    /// One category.
    pub category: Option<String>,
}

impl IntoFilter for TeacherActivitySnapshotFilter {
    fn pairs(self) -> Vec<(&'static str, String)> {
        let Self { date_from, date_to, course_id, lesson_id, category } = self;
        set([
            ("date_from", date_from.map(|bound| bound.0)),
            ("date_to", date_to.map(|bound| bound.0)),
            ("course_id", course_id.map(|id| id.0)),
            ("lesson_id", lesson_id.map(|id| id.0)),
            ("category", category),
        ])
    }
}

/// Which rows of `DiscordPractice` are wanted; what is not given lets all pass.
#[derive(Clone, Debug, Default, InputObject)]
pub struct DiscordPracticeFilter {
    /// Not before this day or moment.
    pub date_from: Option<DateBound>,
    /// Not after this moment; a day counts as a whole.
    pub date_to: Option<DateBound>,
    /// One course.
    pub course_id: Option<ID>,
    /// One lesson; together with a course of which it is not, nothing passes.
    pub lesson_id: Option<ID>,
    /// One status.
    pub status: Option<String>,
    /// One type.
    #[graphql(name = "type")]
    pub kind: Option<String>,
    /// One creator.
    pub creator_id: Option<ID>,
}

impl IntoFilter for DiscordPracticeFilter {
    fn pairs(self) -> Vec<(&'static str, String)> {
        let Self { date_from, date_to, course_id, lesson_id, status, kind, creator_id } = self;
        set([
            ("date_from", date_from.map(|bound| bound.0)),
            ("date_to", date_to.map(|bound| bound.0)),
            ("course_id", course_id.map(|id| id.0)),
            ("lesson_id", lesson_id.map(|id| id.0)),
            ("status", status),
            ("type", kind),
            ("creator_id", creator_id.map(|id| id.0)),
        ])
    }
}

/// Which rows of `PracticePackageOrder` are wanted; what is not given lets all pass.
#[derive(Clone, Debug, Default, InputObject)]
pub struct PracticePackageOrderFilter {
    /// Not before this day or moment.
    pub date_from: Option<DateBound>,
    /// Not after this moment; a day counts as a whole.
    pub date_to: Option<DateBound>,
    /// One course.
    pub course_id: Option<ID>,
    /// One lesson; together with a course of which it is not, nothing passes.
    pub lesson_id: Option<ID>,
    /// One status.
    pub status: Option<String>,
    /// One practice pack.
    pub practice_package_id: Option<ID>,
    /// One student.
    pub user_id: Option<ID>,
}

impl IntoFilter for PracticePackageOrderFilter {
    fn pairs(self) -> Vec<(&'static str, String)> {
        let Self { date_from, date_to, course_id, lesson_id, status, practice_package_id, user_id } = self;
        set([
            ("date_from", date_from.map(|bound| bound.0)),
            ("date_to", date_to.map(|bound| bound.0)),
            ("course_id", course_id.map(|id| id.0)),
            ("lesson_id", lesson_id.map(|id| id.0)),
            ("status", status),
            ("practice_package_id", practice_package_id.map(|id| id.0)),
            ("user_id", user_id.map(|id| id.0)),
        ])
    }
}

/// Which rows of `TeacherSubmission` are wanted; what is not given lets all pass.
#[derive(Clone, Debug, Default, InputObject)]
pub struct TeacherSubmissionFilter {
    /// Not before this day or moment.
    pub date_from: Option<DateBound>,
    /// Not after this moment; a day counts as a whole.
    pub date_to: Option<DateBound>,
    /// One course.
    pub course_id: Option<ID>,
    /// One status.
    pub status: Option<String>,
    /// One type.
    #[graphql(name = "type")]
    pub kind: Option<String>,
    /// One teacher.
    pub teacher_id: Option<ID>,
}

impl IntoFilter for TeacherSubmissionFilter {
    fn pairs(self) -> Vec<(&'static str, String)> {
        let Self { date_from, date_to, course_id, status, kind, teacher_id } = self;
        set([
            ("date_from", date_from.map(|bound| bound.0)),
            ("date_to", date_to.map(|bound| bound.0)),
            ("course_id", course_id.map(|id| id.0)),
            ("status", status),
            ("type", kind),
            ("teacher_id", teacher_id.map(|id| id.0)),
        ])
    }
}

/// Which rows of `CourseTeacherAssignment` are wanted; what is not given lets all pass.
#[derive(Clone, Debug, Default, InputObject)]
pub struct CourseTeacherAssignmentFilter {
    /// One course.
    pub course_id: Option<ID>,
    /// One teacher.
    pub teacher_id: Option<ID>,
}

impl IntoFilter for CourseTeacherAssignmentFilter {
    fn pairs(self) -> Vec<(&'static str, String)> {
        let Self { course_id, teacher_id } = self;
        set([("course_id", course_id.map(|id| id.0)), ("teacher_id", teacher_id.map(|id| id.0))])
    }
}
