//! Assignments of teachers to courses.

use chrono::{DateTime, Utc};
use diesel::QueryResult;

use super::Mirrored;
use crate::db::Connection;
use crate::error::Result;
use crate::models::mirrored::course_teacher::MirroredAssignment;

/// Whether a teacher is assigned to a course.
#[derive(Debug, PartialEq)]
pub enum Assignment {
    /// The teacher is assigned to the course.
    Assigned(MirroredAssignment),
    /// The teacher is no longer assigned to it, or never was.
    Unassigned { course_id: i64, teacher_id: i64 },
}

impl Mirrored for Assignment {
    const TABLE: &'static str = "course_teacher";
    const KEY_FIELD: &'static str = "teacherId";
    type Key = (i64, i64);

    fn key(&self) -> (i64, i64) {
        match self {
            Self::Assigned(MirroredAssignment { course_id, teacher_id, .. })
            | Self::Unassigned { course_id, teacher_id } => (*course_id, *teacher_id),
        }
    }

    async fn stored(conn: &mut Connection, pairs: &[(i64, i64)]) -> QueryResult<Vec<Self>> {
        Ok(MirroredAssignment::stored(conn, pairs).await?.into_iter().map(Self::Assigned).collect())
    }

    fn is_stored(&self, stored: Option<&Self>) -> bool {
        match self {
            Self::Assigned(_) => stored == Some(self),
            Self::Unassigned { .. } => stored.is_none(),
        }
    }

    /// Needs no lock: calls run one at a time, and only they change assignments.
    async fn lock(_conn: &mut Connection, _pairs: &[(i64, i64)]) -> QueryResult<()> {
        Ok(())
    }

    async fn store(conn: &mut Connection, rows: Vec<Self>, _now: DateTime<Utc>) -> Result<usize> {
        let (mut assigned, mut unassigned) = (Vec::new(), Vec::new());
        for row in rows {
            match row {
                Self::Assigned(assignment) => assigned.push(assignment),
                Self::Unassigned { course_id, teacher_id } => unassigned.push((course_id, teacher_id)),
            }
        }
        let removed = MirroredAssignment::remove(conn, &unassigned).await?;
        Ok(removed + MirroredAssignment::upsert(conn, &assigned).await?)
    }
}
