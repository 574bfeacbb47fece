//! Modules, lessons and packs proposed by teachers.

use async_graphql::{ComplexObject, Context, ID, InputObject, SimpleObject};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Json;
use domain::dataset::FilterKey;
use domain::{Dataset, Grant};
use serde::Deserialize;
use serde_json::Value;

use crate::date_bound::DateBound;
use crate::db::schema::{courses, teacher_submissions as submissions};
use crate::error::{Error, Result, SharedError};
use crate::id::Id;
use crate::models::user_email::user_email;
use crate::source::{
    BoxedQuery, Cursor, FilterSome as _, InCourses as _, InDateRange as _, Ordered as _, Seek, Source,
};

/// A proposal of a teacher.
#[derive(Debug, HasQuery, SimpleObject)]
#[diesel(table_name = submissions)]
#[diesel(base_query = submissions::table.left_join(courses::table))]
#[graphql(complex)]
pub struct TeacherSubmission {
    /// ID of the submission.
    pub id: Id,
    /// When it was submitted.
    pub created_at: DateTime<Utc>,
    /// ID of the teacher who submitted it.
    pub teacher_id: Id,
    /// ID of the course.
    pub course_id: Option<Id>,
    /// Slug of the course.
    #[diesel(select_expression = courses::slug.nullable())]
    pub course_slug: Option<String>,
    /// `module`, `lesson` or `pack`.
    #[diesel(column_name = type_)]
    #[graphql(name = "type")]
    pub kind: String,
    /// Its title.
    pub title: String,
    /// Summary of the content.
    pub summary: Option<String>,
    /// `pending`, `approved` or `rejected`.
    pub status: String,
    /// Feedback of the reviewer.
    pub feedback: Option<String>,
    /// ID of the reviewer.
    pub reviewed_by: Option<Id>,
    /// When it was reviewed.
    pub reviewed_at: Option<DateTime<Utc>>,
    /// Type of the object that was created from it.
    pub result_type: Option<String>,
    /// ID of the object that was created from it.
    pub result_id: Option<Id>,
    #[diesel(select_expression = history(), select_expression_type = SqlLiteral<Json>)]
    #[graphql(skip)]
    history: Value,
}

/// A change of a submission's status.
#[derive(Debug, Deserialize, SimpleObject)]
pub struct SubmissionChange {
    /// The new status.
    pub status: String,
    /// ID of the user who changed it.
    #[serde(deserialize_with = "id_or_null")]
    pub changed_by: Option<Id>,
    /// When it was changed.
    pub changed_at: DateTime<Utc>,
    /// Notes on the change.
    pub notes: Option<String>,
}

fn id_or_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Id>, D::Error> {
    Ok(Option::<i64>::deserialize(deserializer)?.map(Id))
}

/// Changes of the submission in the outer query, oldest first, as JSON with timestamps in UTC. Exports
/// convert them to their time zone.
fn history() -> SqlLiteral<Json> {
    sql("(SELECT coalesce(json_agg(json_build_object(\
            'status', status, \
            'changed_by', changed_by, \
            'changed_at', to_char(changed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), \
            'notes', notes) ORDER BY changed_at, id), '[]') \
          FROM teacher_submission_histories WHERE submission_id = teacher_submissions.id)")
}

/// Filter of `TeacherSubmission` rows. Fields that are not set match every row.
#[derive(Clone, Debug, Default, InputObject)]
pub struct TeacherSubmissionFilter {
    /// Rows at or after this date or time.
    date_from: Option<DateBound>,
    /// Rows at or before this date or time. A date includes the whole day.
    date_to: Option<DateBound>,
    /// Rows of this course.
    course_id: Option<ID>,
    /// Rows with this status.
    status: Option<String>,
    /// Rows of this type.
    #[graphql(name = "type")]
    kind: Option<String>,
    /// Rows of this teacher.
    teacher_id: Option<ID>,
}

impl Source for TeacherSubmission {
    const DATASET: Dataset = Dataset::TeacherSubmissions;
    const TABLE: &'static str = "teacher_submissions";
    const HIDDEN: &'static [&'static str] = &["payload", "updated_at"];
    const FIELDS: &'static [&'static str] = &[
        "submission_id",
        "created_at",
        "teacher_id",
        "course_id",
        "course_slug",
        "type",
        "title",
        "summary",
        "status",
        "feedback",
        "reviewed_by",
        "reviewed_at",
        "result_type",
        "result_id",
        "history",
    ];
    const EMAILS: &'static [(&'static str, &'static str)] = &[("teacher_email", "teacher_id")];
    type Filter = TeacherSubmissionFilter;
    type Query = BoxedQuery<Self>;

    fn query(grant: &Grant, zone: Tz, seek: Seek) -> BoxedQuery<Self> {
        let filter = grant.filter();
        <Self as HasQuery<_>>::query()
            .into_boxed()
            .in_date_range(submissions::created_at, filter, zone)
            .filter_some(filter.id(FilterKey::COURSE_ID), |id| submissions::course_id.eq(id))
            .filter_some(filter.text(FilterKey::STATUS), |status| submissions::status.eq(status))
            .filter_some(filter.text(FilterKey::TYPE), |kind| submissions::type_.eq(kind))
            .filter_some(filter.id(FilterKey::TEACHER_ID), |id| submissions::teacher_id.eq(id))
            .in_courses(submissions::course_id, grant.courses())
            .filter_some(grant.person(), |id| submissions::teacher_id.eq(id))
            .ordered(submissions::created_at, submissions::id, seek)
    }

    fn cursor(&self) -> Cursor {
        Cursor { at: self.created_at, id: self.id.0 }
    }
}

#[ComplexObject]
impl TeacherSubmission {
    /// E-mail address of the teacher.
    async fn teacher_email(&self, ctx: &Context<'_>) -> Result<String, SharedError> {
        user_email(ctx, self.teacher_id).await
    }

    /// Changes of the status, oldest first.
    async fn history(&self) -> Result<Vec<SubmissionChange>> {
        Vec::deserialize(&self.history).map_err(|error| Error::Internal(error.into()))
    }
}
