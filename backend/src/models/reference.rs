//! Rows that other rows point to.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

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
        match self {
            Self::User => users::table.filter(users::id.eq_any(ids)).select(users::id).load(conn).await,
            Self::Course => {
                courses::table.filter(courses::id.eq_any(ids)).select(courses::id).load(conn).await
            }
            Self::Lesson => {
                lessons::table.filter(lessons::id.eq_any(ids)).select(lessons::id).load(conn).await
            }
            Self::Package => {
                practice_packages::table
                    .filter(practice_packages::id.eq_any(ids))
                    .select(practice_packages::id)
                    .load(conn)
                    .await
            }
        }
    }
}
