//! Tables that other tables reference.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::access::CourseScope;

use crate::db::Connection;
use crate::db::schema::{courses, lessons, practice_packages, users};

/// A table that other tables reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReferencedTable {
    /// Users.
    User,
    /// Courses.
    Course,
    /// Lessons.
    Lesson,
    /// Practice packs.
    Package,
}

impl ReferencedTable {
    /// The ids that exist in the table.
    pub async fn existing(self, conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<i64>> {
        match self {
            Self::User => users::table.filter(users::id.eq_any(ids)).select(users::id).load(conn).await,
            Self::Course | Self::Lesson | Self::Package => {
                self.existing_in_courses(conn, ids, &CourseScope::Any).await
            }
        }
    }

    /// The first one of these courses.
    pub async fn first_course(conn: &mut Connection, courses: &CourseScope) -> QueryResult<Option<i64>> {
        let mut found = courses::table.select(courses::id).order(courses::id).into_boxed();
        if let CourseScope::Assigned(assigned) = courses {
            found = found.filter(courses::id.eq_any(assigned));
        }
        found.first(conn).await.optional()
    }

    /// The ids that exist in the table and belong to these courses. Users belong to no course and are not
    /// limited, but those whose data was erased do not count.
    pub async fn existing_in_courses(
        self,
        conn: &mut Connection,
        ids: &[i64],
        courses: &CourseScope,
    ) -> QueryResult<Vec<i64>> {
        let assigned = match courses {
            CourseScope::Any => None,
            CourseScope::Assigned(courses) => Some(courses),
        };
        match self {
            Self::User => {
                let known = users::table.filter(users::id.eq_any(ids)).filter(users::erased_at.is_null());
                known.select(users::id).load(conn).await
            }
            Self::Course => {
                let mut found =
                    courses::table.filter(courses::id.eq_any(ids)).select(courses::id).into_boxed();
                if let Some(assigned) = assigned {
                    found = found.filter(courses::id.eq_any(assigned));
                }
                found.load(conn).await
            }
            Self::Lesson => {
                let mut found =
                    lessons::table.filter(lessons::id.eq_any(ids)).select(lessons::id).into_boxed();
                if let Some(assigned) = assigned {
                    found = found.filter(lessons::course_id.eq_any(assigned));
                }
                found.load(conn).await
            }
            Self::Package => {
                let mut found = practice_packages::table
                    .filter(practice_packages::id.eq_any(ids))
                    .select(practice_packages::id)
                    .into_boxed();
                if let Some(assigned) = assigned {
                    let lessons = lessons::table
                        .filter(lessons::course_id.eq_any(assigned))
                        .select(lessons::id.nullable());
                    found = found.filter(practice_packages::lesson_id.eq_any(lessons));
                }
                found.load(conn).await
            }
        }
    }
}
