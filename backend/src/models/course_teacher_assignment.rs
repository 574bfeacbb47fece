//! Which teacher is assigned to which course.

use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use domain::{Dataset, Grant};

use crate::db::schema::{course_teacher as assignments, courses};
use crate::id::Id;
use crate::source::{Boxed, Cursor, FilterSome as _, InCourses as _, Ordered as _, Seek, Source};

/// One current assignment of a teacher to a course.
#[derive(Debug, HasQuery, SimpleObject)]
#[diesel(table_name = assignments)]
#[diesel(base_query = assignments::table.inner_join(courses::table))]
#[graphql(complex)]
pub struct CourseTeacherAssignment {
    /// Identifies the assignment.
    pub id: Id,
    /// When the teacher was assigned.
    pub assigned_at: DateTime<Utc>,
    /// The course.
    pub course_id: Id,
    /// The course's short name in addresses.
    #[diesel(select_expression = courses::slug)]
    pub course_slug: String,
    /// The teacher.
    pub teacher_id: Id,
    /// Who assigned them.
    pub assigned_by: Option<Id>,
}

impl Source for CourseTeacherAssignment {
    const DATASET: Dataset = Dataset::CourseTeacherAssignments;
    const FIELDS: &'static [&'static str] =
        &["id", "assigned_at", "course_id", "course_slug", "teacher_id", "assigned_by"];
    const EMAILS: &'static [(&'static str, &'static str)] =
        &[("teacher_email", "teacher_id"), ("assigner_email", "assigned_by")];
    type Query = Boxed<Self>;

    fn query(grant: &Grant, _: Tz, seek: Seek) -> Boxed<Self> {
        let filter = grant.filter();
        <Self as HasQuery<_>>::query()
            .into_boxed()
            .filter_some(filter.course_id, |id| assignments::course_id.eq(id))
            .filter_some(filter.teacher_id, |id| assignments::teacher_id.eq(id))
            .in_courses(assignments::course_id, grant.courses())
            .ordered(assignments::assigned_at, assignments::id, seek)
    }

    fn cursor(&self) -> Cursor {
        Cursor { at: self.assigned_at, id: self.id.0 }
    }
}
