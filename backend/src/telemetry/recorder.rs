//! Writes snapshots down: those of the moment and those of an import alike. Nothing else inserts into their tables.

pub mod player_events;
pub mod sent_events;
pub mod staged_snapshots;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;

use crate::db::Connection;
use crate::db::schema::{student_activity_snapshots, teacher_activity_snapshots};

/// A snapshot of a student to be recorded.
#[derive(Debug, Insertable)]
#[diesel(table_name = student_activity_snapshots)]
pub struct NewStudentSnapshot<'a> {
    /// The moment that it describes.
    pub captured_at: DateTime<Utc>,
    /// The student.
    pub user_id: i64,
    /// The course that it concerns.
    pub course_id: Option<i64>,
    /// The lesson that it concerns.
    pub lesson_id: Option<i64>,
    /// The practice pack that it concerns.
    pub practice_package_id: Option<i64>,
    /// What kind of activity, 1 to 50 characters.
    pub category: &'a str,
    /// What the value is about.
    pub scope: Option<&'a str>,
    /// The figure, not negative.
    pub value: Option<i32>,
    /// Details.
    pub payload: Option<Value>,
}

/// A snapshot of a teacher to be recorded.
#[derive(Debug, Insertable)]
#[diesel(table_name = teacher_activity_snapshots)]
pub struct NewTeacherSnapshot<'a> {
    /// The moment that it describes.
    pub captured_at: DateTime<Utc>,
    /// The teacher.
    pub teacher_id: i64,
    /// The course that it concerns.
    pub course_id: Option<i64>,
    /// The lesson that it concerns.
    pub lesson_id: Option<i64>,
    /// The practice pack that it concerns.
    pub practice_package_id: Option<i64>,
    /// What kind of activity, 1 to 50 characters.
    pub category: &'a str,
    /// What the value is about.
    pub scope: Option<&'a str>,
    /// The figure, not negative.
    pub value: Option<i32>,
    /// Details.
    pub payload: Option<Value>,
}

/// Records snapshots of students, and answers with their ids in order.
pub async fn record_student_snapshots(
    conn: &mut Connection,
    snapshots: &[NewStudentSnapshot<'_>],
) -> QueryResult<Vec<i64>> {
    diesel::insert_into(student_activity_snapshots::table)
        .values(snapshots)
        .returning(student_activity_snapshots::id)
        .get_results(conn)
        .await
}

/// Records snapshots of teachers, and answers with their ids in order.
pub async fn record_teacher_snapshots(
    conn: &mut Connection,
    snapshots: &[NewTeacherSnapshot<'_>],
) -> QueryResult<Vec<i64>> {
    diesel::insert_into(teacher_activity_snapshots::table)
        .values(snapshots)
        .returning(teacher_activity_snapshots::id)
        .get_results(conn)
        .await
}
