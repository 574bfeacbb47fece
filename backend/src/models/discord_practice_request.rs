//! Students who wait for a live practice of a lesson.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::db::schema::discord_practice_requests as requests;

/// A request to be stored.
#[derive(Debug, Insertable)]
#[diesel(table_name = requests)]
pub struct NewRequest {
    /// The lesson.
    pub lesson_id: i64,
    /// Who waits.
    pub user_id: i64,
    /// `pending`, `escalated`, `resolved` or `cancelled`.
    pub status: &'static str,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// When the teachers were told.
    pub escalated_at: Option<DateTime<Utc>>,
}

impl NewRequest {
    /// Stores new requests.
    pub async fn insert(conn: &mut Connection, rows: &[Self]) -> QueryResult<usize> {
        diesel::insert_into(requests::table).values(rows).execute(conn).await
    }
}
