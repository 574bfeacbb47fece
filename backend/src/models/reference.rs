//! Rows that other rows point to.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::access::CourseScope;

use crate::db::Connection;
use crate::db::schema::{courses, lessons, practice_packages, users};

/// A table whose rows others point to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Referenced {
    /// Users.
    User,
    /// Courses.
    Course,
    /// Lessons.
    Lesson,
    /// Practice packs.
    Package,
}

impl Referenced {
    /// Which of these ids are there.
    pub async fn existing(self, conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<i64>> {
        self.existing_in(conn, ids, &CourseScope::Any).await
    }

    /// Which of these ids are there, in these courses where rows of the table belong to one.
    pub async fn existing_in(
        self,
        conn: &mut Connection,
        ids: &[i64],
        courses: &CourseScope,
    ) -> QueryResult<Vec<i64>> {
        let within = match courses {
            CourseScope::Any => None,
            CourseScope::Assigned(courses) => Some(courses),
        };
        match self {
            Self::User => users::table.filter(users::id.eq_any(ids)).select(users::id).load(conn).await,
            Self::Course => {
                let mut found =
                    courses::table.filter(courses::id.eq_any(ids)).select(courses::id).into_boxed();
                if let Some(within) = within {
                    found = found.filter(courses::id.eq_any(within));
                }
                found.load(conn).await
            }
            Self::Lesson => {
                let mut found =
                    lessons::table.filter(lessons::id.eq_any(ids)).select(lessons::id).into_boxed();
                if let Some(within) = within {
                    found = found.filter(lessons::course_id.eq_any(within));
                }
                found.load(conn).await
            }
            Self::Package => {
                let mut found = practice_packages::table
                    .filter(practice_packages::id.eq_any(ids))
                    .select(practice_packages::id)
                    .into_boxed();
                if let Some(within) = within {
                    let lessons = lessons::table
                        .filter(lessons::course_id.eq_any(within))
                        .select(lessons::id.nullable());
                    found = found.filter(practice_packages::lesson_id.eq_any(lessons));
                }
                found.load(conn).await
            }
        }
    }
}
