//! Assignments of teachers to courses.

use async_graphql::{ComplexObject, Context, ID, InputObject, SimpleObject};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use domain::dataset::FilterKey;
use domain::{Dataset, Grant};

use crate::db::schema::{course_teacher as assignments, courses};
use crate::error::{Result, SharedError};
use crate::id::Id;
use crate::models::user_email::{optional_user_email, user_email};
use crate::source::{BoxedQuery, Cursor, FilterSome as _, InCourses as _, Ordered as _, Seek, Source};

/// A current assignment of a teacher to a course.
#[derive(Debug, HasQuery, SimpleObject)]
#[diesel(table_name = assignments)]
#[diesel(base_query = assignments::table.inner_join(courses::table))]
#[graphql(complex)]
pub struct CourseTeacherAssignment {
    /// ID of the assignment.
    pub id: Id,
    /// When the teacher was assigned.
    pub assigned_at: DateTime<Utc>,
    /// ID of the course.
    pub course_id: Id,
    /// Slug of the course.
    #[diesel(select_expression = courses::slug)]
    pub course_slug: String,
    /// ID of the teacher.
    pub teacher_id: Id,
    /// ID of the user who assigned the teacher.
    pub assigned_by: Option<Id>,
}

/// Filter of `CourseTeacherAssignment` rows. Fields that are not set match every row.
#[derive(Clone, Debug, Default, InputObject)]
pub struct CourseTeacherAssignmentFilter {
    /// Rows of this course.
    course_id: Option<ID>,
    /// Rows of this teacher.
    teacher_id: Option<ID>,
}

impl Source for CourseTeacherAssignment {
    const DATASET: Dataset = Dataset::CourseTeacherAssignments;
    const TABLE: &'static str = "course_teacher";
    const HIDDEN: &'static [&'static str] = &["id"];
    const FIELDS: &'static [&'static str] =
        &["id", "assigned_at", "course_id", "course_slug", "teacher_id", "assigned_by"];
    const EMAILS: &'static [(&'static str, &'static str)] =
        &[("teacher_email", "teacher_id"), ("assigner_email", "assigned_by")];
    type Filter = CourseTeacherAssignmentFilter;
    type Query = BoxedQuery<Self>;

    fn query(grant: &Grant, _: Tz, seek: Seek) -> BoxedQuery<Self> {
        let filter = grant.filter();
        <Self as HasQuery<_>>::query()
            .into_boxed()
            .filter_some(filter.id(FilterKey::COURSE_ID), |id| assignments::course_id.eq(id))
            .filter_some(filter.id(FilterKey::TEACHER_ID), |id| assignments::teacher_id.eq(id))
            .in_courses(assignments::course_id, grant.courses())
            .filter_some(grant.person(), |id| assignments::teacher_id.eq(id))
            .ordered(assignments::assigned_at, assignments::id, seek)
    }

    fn cursor(&self) -> Cursor {
        Cursor { at: self.assigned_at, id: self.id.0 }
    }
}

#[ComplexObject]
impl CourseTeacherAssignment {
    /// E-mail address of the teacher.
    async fn teacher_email(&self, ctx: &Context<'_>) -> Result<String, SharedError> {
        user_email(ctx, self.teacher_id).await
    }

    /// E-mail address of the user who assigned the teacher.
    async fn assigner_email(&self, ctx: &Context<'_>) -> Result<Option<String>, SharedError> {
        optional_user_email(ctx, self.assigned_by).await
    }
}
