//! Inserts snapshots and player events.

pub mod incoming_events;
pub mod player_events;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;

use crate::db::Connection;
use crate::db::schema::{student_activity_snapshots, teacher_activity_snapshots};

/// A student's snapshot to insert.
#[derive(Debug, Insertable)]
#[diesel(table_name = student_activity_snapshots)]
pub struct NewStudentSnapshot<'a> {
    pub captured_at: DateTime<Utc>,
    pub user_id: i64,
    pub course_id: Option<i64>,
    pub lesson_id: Option<i64>,
    pub practice_package_id: Option<i64>,
    /// 1 to 50 characters.
    pub category: &'a str,
    pub scope: Option<&'a str>,
    /// Not negative.
    pub value: Option<i32>,
    pub payload: Option<Value>,
}

/// A teacher's snapshot to insert.
#[derive(Debug, Insertable)]
#[diesel(table_name = teacher_activity_snapshots)]
pub struct NewTeacherSnapshot<'a> {
    pub captured_at: DateTime<Utc>,
    pub teacher_id: i64,
    pub course_id: Option<i64>,
    pub lesson_id: Option<i64>,
    pub practice_package_id: Option<i64>,
    /// 1 to 50 characters.
    pub category: &'a str,
    pub scope: Option<&'a str>,
    /// Not negative.
    pub value: Option<i32>,
    pub payload: Option<Value>,
}

/// Inserts students' snapshots. Returns their ids, in order.
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

/// Inserts teachers' snapshots. Returns their ids, in order.
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
