//! Assignments of teachers to courses, as sent by the learning platform.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt};
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::db::schema::course_teacher as assignments;

/// An assignment of a teacher to a course.
#[derive(Debug, PartialEq, Insertable, Queryable, Selectable)]
#[diesel(table_name = assignments)]
pub struct MirroredAssignment {
    pub course_id: i64,
    pub teacher_id: i64,
    /// Id of the user who assigned the teacher.
    pub assigned_by: Option<i64>,
    pub assigned_at: DateTime<Utc>,
}

impl MirroredAssignment {
    /// The stored assignments of these pairs of course and teacher. The result may include other assignments
    /// of the same courses and teachers.
    pub async fn stored(conn: &mut Connection, pairs: &[(i64, i64)]) -> QueryResult<Vec<Self>> {
        let (courses, teachers): (Vec<i64>, Vec<i64>) = pairs.iter().copied().unzip();
        assignments::table
            .filter(assignments::course_id.eq_any(courses))
            .filter(assignments::teacher_id.eq_any(teachers))
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Inserts or updates the rows, and returns the number of new and changed rows.
    pub async fn upsert(conn: &mut Connection, rows: &[Self]) -> QueryResult<usize> {
        use diesel::query_dsl::methods::FilterDsl as _;

        diesel::insert_into(assignments::table)
            .values(rows)
            .on_conflict((assignments::course_id, assignments::teacher_id))
            .do_update()
            .set((
                assignments::assigned_by.eq(excluded(assignments::assigned_by)),
                assignments::assigned_at.eq(excluded(assignments::assigned_at)),
            ))
            .filter(
                assignments::assigned_by
                    .is_distinct_from(excluded(assignments::assigned_by))
                    .or(assignments::assigned_at.is_distinct_from(excluded(assignments::assigned_at))),
            )
            .execute(conn)
            .await
    }

    /// Deletes the assignments of these pairs of course and teacher, and returns the number of deleted rows.
    pub async fn remove(conn: &mut Connection, pairs: &[(i64, i64)]) -> QueryResult<usize> {
        let (courses, teachers): (Vec<i64>, Vec<i64>) = pairs.iter().copied().unzip();
        diesel::sql_query(
            "DELETE FROM course_teacher USING unnest($1, $2) AS removed (course_id, teacher_id) \
             WHERE course_teacher.course_id = removed.course_id \
               AND course_teacher.teacher_id = removed.teacher_id",
        )
        .bind::<Array<BigInt>, _>(courses)
        .bind::<Array<BigInt>, _>(teachers)
        .execute(conn)
        .await
    }
}
