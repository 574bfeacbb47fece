//! Assignments of teachers to courses: made, or ended.

use chrono::{DateTime, Utc};
use diesel::QueryResult;

use super::Mirrored;
use crate::db::Connection;
use crate::error::Result;
use crate::models::mirrored::course_teacher::MirroredAssignment;

/// What the platform says of one teacher and one course.
#[derive(Debug, PartialEq)]
pub enum Assignment {
    /// The teacher is assigned to the course.
    Made(MirroredAssignment),
    /// The teacher is no longer assigned to it, or never was.
    Ended {
        /// The course.
        course_id: i64,
        /// The teacher.
        teacher_id: i64,
    },
}

impl Mirrored for Assignment {
    const TABLE: &'static str = "course_teacher";
    const KEY_FIELD: &'static str = "teacherId";
    type Key = (i64, i64);

    fn key(&self) -> (i64, i64) {
        match self {
            Self::Made(MirroredAssignment { course_id, teacher_id, .. })
            | Self::Ended { course_id, teacher_id } => (*course_id, *teacher_id),
        }
    }

    async fn stored(conn: &mut Connection, pairs: &[(i64, i64)]) -> QueryResult<Vec<Self>> {
        Ok(MirroredAssignment::stored(conn, pairs).await?.into_iter().map(Self::Made).collect())
    }

    fn is_stored(&self, stored: Option<&Self>) -> bool {
        match self {
            Self::Made(_) => stored == Some(self),
            Self::Ended { .. } => stored.is_none(),
        }
    }

    /// Calls take turns, and nobody else changes assignments.
    async fn lock(_conn: &mut Connection, _pairs: &[(i64, i64)]) -> QueryResult<()> {
        Ok(())
    }

    async fn store(conn: &mut Connection, rows: Vec<Self>, _now: DateTime<Utc>) -> Result<usize> {
        let (mut made, mut ended) = (Vec::new(), Vec::new());
        for row in rows {
            match row {
                Self::Made(assignment) => made.push(assignment),
                Self::Ended { course_id, teacher_id } => ended.push((course_id, teacher_id)),
            }
        }
        let removed = MirroredAssignment::remove(conn, &ended).await?;
        Ok(removed + MirroredAssignment::upsert(conn, &made).await?)
    }
}
