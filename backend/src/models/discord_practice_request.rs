//! Requests of students for a live practice of a lesson.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::db::schema::discord_practice_requests as requests;

/// A new request.
#[derive(Debug, Insertable)]
#[diesel(table_name = requests)]
pub struct NewPracticeRequest {
    pub lesson_id: i64,
    pub user_id: i64,
    /// `pending`, `escalated`, `resolved` or `cancelled`.
    pub status: &'static str,
    pub created_at: DateTime<Utc>,
    /// When the teachers were notified.
    pub escalated_at: Option<DateTime<Utc>>,
}

impl NewPracticeRequest {
    /// Inserts the requests and returns their number.
    pub async fn insert(conn: &mut Connection, rows: &[Self]) -> QueryResult<usize> {
        diesel::insert_into(requests::table).values(rows).execute(conn).await
    }
}
