//! Modules, lessons and packs that teachers proposed.

use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Json;
use domain::{Dataset, Grant};
use serde::Deserialize;
use serde_json::Value;

use crate::db::schema::{courses, teacher_submissions as submissions};
use crate::id::Id;
use crate::source::{
    Boxed, Cursor, FilterSome as _, InCourses as _, Ordered as _, Seek, Source, Within as _,
};

/// One proposal of a teacher.
#[derive(Debug, HasQuery, SimpleObject)]
#[diesel(table_name = submissions)]
#[diesel(base_query = submissions::table.left_join(courses::table))]
#[graphql(complex)]
pub struct TeacherSubmission {
    /// Identifies the submission.
    pub id: Id,
    /// When it was handed in.
    pub created_at: DateTime<Utc>,
    /// Who handed it in.
    pub teacher_id: Id,
    /// The course that it is for.
    pub course_id: Option<Id>,
    /// The course's short name in addresses.
    #[diesel(select_expression = courses::slug.nullable())]
    pub course_slug: Option<String>,
    /// `module`, `lesson` or `pack`.
    #[diesel(column_name = type_)]
    #[graphql(name = "type")]
    pub kind: String,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub summary: Option<String>,
    /// `pending`, `approved` or `rejected`.
    pub status: String,
    /// What the reviewer said.
    pub feedback: Option<String>,
    /// Who reviewed it.
    pub reviewed_by: Option<Id>,
    /// When it was reviewed.
    pub reviewed_at: Option<DateTime<Utc>>,
    /// What became of it: the kind of thing.
    pub result_type: Option<String>,
    /// What became of it: the thing's id.
    pub result_id: Option<Id>,
    #[diesel(select_expression = history(), select_expression_type = SqlLiteral<Json>)]
    #[graphql(skip)]
    history: Value,
}

/// One change of a submission's status.
#[derive(Debug, Deserialize, SimpleObject)]
pub struct SubmissionChange {
    /// The status from then on.
    pub status: String,
    /// Who changed it.
    #[serde(deserialize_with = "id_or_null")]
    pub changed_by: Option<Id>,
    /// When.
    pub changed_at: DateTime<Utc>,
    /// Why.
    pub notes: Option<String>,
}

fn id_or_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Id>, D::Error> {
    Ok(Option::<i64>::deserialize(deserializer)?.map(Id))
}

impl TeacherSubmission {
    /// The changes of its status, oldest first.
    pub fn changes(&self) -> Result<Vec<SubmissionChange>, serde_json::Error> {
        Vec::deserialize(&self.history)
    }
}

/// The changes of the submission at hand, oldest first, as JSON with moments in UTC, which files move into their zone.
fn history() -> SqlLiteral<Json> {
    sql("(SELECT coalesce(json_agg(json_build_object(\
            'status', status, \
            'changed_by', changed_by, \
            'changed_at', to_char(changed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), \
            'notes', notes) ORDER BY changed_at, id), '[]') \
          FROM teacher_submission_histories WHERE submission_id = teacher_submissions.id)")
}

impl Source for TeacherSubmission {
    const DATASET: Dataset = Dataset::TeacherSubmissions;
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
    type Query = Boxed<Self>;

    fn query(grant: &Grant, zone: Tz, seek: Seek) -> Boxed<Self> {
        let filter = grant.filter();
        <Self as HasQuery<_>>::query()
            .into_boxed()
            .within(submissions::created_at, filter, zone)
            .filter_some(filter.course_id, |id| submissions::course_id.eq(id))
            .filter_some(filter.status.clone(), |status| submissions::status.eq(status))
            .filter_some(filter.kind.clone(), |kind| submissions::type_.eq(kind))
            .filter_some(filter.teacher_id, |id| submissions::teacher_id.eq(id))
            .in_courses(submissions::course_id, grant.courses())
            .ordered(submissions::created_at, submissions::id, seek)
    }

    fn cursor(&self) -> Cursor {
        Cursor { at: self.created_at, id: self.id.0 }
    }
}
