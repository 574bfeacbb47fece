//! What a student did, summed up.

use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use domain::access::CourseScope;
use domain::{Dataset, Grant};
use serde_json::Value;

use crate::db::schema::{lessons, student_activity_snapshots as snapshots};
use crate::id::Id;
use crate::source::{Boxed, Cursor, FilterSome as _, Ordered as _, Seek, Source, Within as _};

/// One summary of a student's activity at a moment.
#[derive(Debug, HasQuery, SimpleObject)]
#[diesel(table_name = snapshots)]
#[graphql(complex)]
pub struct StudentActivitySnapshot {
    /// Identifies the snapshot.
    pub id: Id,
    /// The moment that it describes.
    pub captured_at: DateTime<Utc>,
    /// The student.
    pub user_id: Id,
    /// The course that it concerns.
    pub course_id: Option<Id>,
    /// The lesson that it concerns.
    pub lesson_id: Option<Id>,
    /// The practice pack that it concerns.
    pub practice_package_id: Option<Id>,
    /// What kind of activity.
    pub category: String,
    /// What the value is about.
    pub scope: Option<String>,
    /// The figure; what it counts depends on the category.
    pub value: Option<i32>,
    /// Details; their shape depends on the category.
    pub payload: Option<Value>,
}

impl Source for StudentActivitySnapshot {
    const DATASET: Dataset = Dataset::StudentActivitySnapshots;
    const FIELDS: &'static [&'static str] = &[
        "id",
        "captured_at",
        "user_id",
        "course_id",
        "lesson_id",
        "practice_package_id",
        "category",
        "scope",
        "value",
        "payload",
    ];
    const EMAILS: &'static [(&'static str, &'static str)] = &[("user_email", "user_id")];
    type Query = Boxed<Self>;

    fn query(grant: &Grant, zone: Tz, seek: Seek) -> Boxed<Self> {
        let filter = grant.filter();
        let mut query = <Self as HasQuery<_>>::query().into_boxed();
        if let CourseScope::Assigned(courses) = grant.courses() {
            // A row that names a lesson only is of the lesson's course.
            let lessons = lessons::table
                .filter(lessons::course_id.eq_any(courses.clone()))
                .select(lessons::id.nullable());
            let by_lesson = snapshots::course_id.is_null().and(snapshots::lesson_id.eq_any(lessons));
            query = query.filter(snapshots::course_id.eq_any(courses.clone()).or(by_lesson));
        }
        query
            .within(snapshots::captured_at, filter, zone)
            .filter_some(filter.course_id, |id| snapshots::course_id.eq(id))
            .filter_some(filter.lesson_id, |id| snapshots::lesson_id.eq(id))
            .filter_some(filter.practice_package_id, |id| snapshots::practice_package_id.eq(id))
            .filter_some(filter.category.clone(), |category| snapshots::category.eq(category))
            .ordered(snapshots::captured_at, snapshots::id, seek)
    }

    fn cursor(&self) -> Cursor {
        Cursor { at: self.captured_at, id: self.id.0 }
    }
}
