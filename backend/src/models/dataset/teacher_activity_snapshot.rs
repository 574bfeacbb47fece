//! Summaries of Teacher Admins' activity.

use async_graphql::{ComplexObject, Context, ID, InputObject, SimpleObject};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::dataset::FilterKey;
use domain::{Dataset, Grant};
use serde_json::Value;

use crate::date_bound::DateBound;
use crate::db::Connection;
use crate::db::schema::teacher_activity_snapshots as snapshots;
use crate::error::{Result, SharedError};
use crate::id::Id;
use crate::models::user_email::user_email;
use crate::source::{
    BoxedQuery, Cursor, FilterSome as _, InCourses as _, InDateRange as _, Ordered as _, Seek, Source,
};

/// A summary of a Teacher Admin's activity.
#[derive(Debug, HasQuery, SimpleObject)]
#[diesel(table_name = snapshots)]
#[graphql(complex)]
pub struct TeacherActivitySnapshot {
    /// ID of the snapshot.
    pub id: Id,
    /// Time that the snapshot describes.
    pub captured_at: DateTime<Utc>,
    /// ID of the teacher.
    pub teacher_id: Id,
    /// ID of the course.
    pub course_id: Option<Id>,
    /// ID of the lesson.
    pub lesson_id: Option<Id>,
    /// ID of the practice pack.
    pub practice_package_id: Option<Id>,
    /// Category of the activity.
    pub category: String,
    /// Subject of the value.
    pub scope: Option<String>,
    /// A number whose meaning depends on the category.
    pub value: Option<i32>,
    /// Details whose structure depends on the category.
    pub payload: Option<Value>,
}

/// Filter of `TeacherActivitySnapshot` rows. Fields that are not set match every row.
#[derive(Clone, Debug, Default, InputObject)]
pub struct TeacherActivitySnapshotFilter {
    /// Rows at or after this date or time.
    date_from: Option<DateBound>,
    /// Rows at or before this date or time. A date includes the whole day.
    date_to: Option<DateBound>,
    /// Rows of this course.
    course_id: Option<ID>,
    /// Rows of this lesson. If a course is given too, the lesson must belong to it.
    lesson_id: Option<ID>,
    /// Rows of this category.
    category: Option<String>,
}

impl Source for TeacherActivitySnapshot {
    const DATASET: Dataset = Dataset::TeacherActivitySnapshots;
    const TABLE: &'static str = "teacher_activity_snapshots";
    const HIDDEN: &'static [&'static str] = &["created_at", "id", "import_id"];
    const FIELDS: &'static [&'static str] = &[
        "id",
        "captured_at",
        "teacher_id",
        "course_id",
        "lesson_id",
        "practice_package_id",
        "category",
        "scope",
        "value",
        "payload",
    ];
    const EMAILS: &'static [(&'static str, &'static str)] = &[("teacher_email", "teacher_id")];
    type Filter = TeacherActivitySnapshotFilter;
    type Query = BoxedQuery<Self>;

    fn query(grant: &Grant, zone: Tz, seek: Seek) -> BoxedQuery<Self> {
        let filter = grant.filter();
        <Self as HasQuery<_>>::query()
            .into_boxed()
            .in_date_range(snapshots::captured_at, filter, zone)
            .filter_some(filter.id(FilterKey::COURSE_ID), |id| snapshots::course_id.eq(id))
            .filter_some(filter.id(FilterKey::LESSON_ID), |id| snapshots::lesson_id.eq(id))
            .filter_some(filter.text(FilterKey::CATEGORY), |category| snapshots::category.eq(category))
            .in_courses(snapshots::course_id, grant.courses())
            .filter_some(grant.person(), |id| snapshots::teacher_id.eq(id))
            .ordered(snapshots::captured_at, snapshots::id, seek)
    }

    fn cursor(&self) -> Cursor {
        Cursor { at: self.captured_at, id: self.id.0 }
    }
}

#[ComplexObject]
impl TeacherActivitySnapshot {
    /// E-mail address of the teacher.
    async fn teacher_email(&self, ctx: &Context<'_>) -> Result<String, SharedError> {
        user_email(ctx, self.teacher_id).await
    }
}

/// A teacher's snapshot to insert.
#[derive(Debug, Insertable)]
#[diesel(table_name = snapshots)]
pub struct NewTeacherSnapshot<'a> {
    pub captured_at: DateTime<Utc>,
    pub teacher_id: i64,
    pub course_id: Option<i64>,
    pub lesson_id: Option<i64>,
    pub practice_package_id: Option<i64>,
    /// 1 to 50 characters.
    pub category: &'a str,
    pub scope: Option<&'a str>,
    /// Not negative.
    pub value: Option<i32>,
    pub payload: Option<Value>,
}

impl NewTeacherSnapshot<'_> {
    /// Inserts snapshots. Returns their ids, in order.
    pub async fn insert(conn: &mut Connection, rows: &[Self]) -> QueryResult<Vec<i64>> {
        let into = diesel::insert_into(snapshots::table);
        match rows {
            // A statement whose length varies is planned each time.
            [row] => Ok(vec![into.values(row).returning(snapshots::id).get_result(conn).await?]),
            rows => into.values(rows).returning(snapshots::id).get_results(conn).await,
        }
    }
}
