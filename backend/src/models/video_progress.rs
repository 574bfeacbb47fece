//! The progress of users in the videos of lessons.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::db::schema::video_progress;

/// The progress of a user in a lesson that the user has not watched before.
#[derive(Debug, Insertable)]
#[diesel(table_name = video_progress)]
pub struct NewVideoProgress {
    pub user_id: i64,
    pub lesson_id: i64,
    pub created_at: DateTime<Utc>,
    /// When the user last watched.
    pub updated_at: DateTime<Utc>,
    /// Playback speed. 1 is normal.
    pub playback_rate: f64,
    /// Current position, in seconds.
    pub last_second: i32,
    /// Furthest position so far, in seconds.
    pub furthest_second: i32,
    /// Total seconds watched.
    pub watched_seconds: i32,
    /// Length of the video, in seconds.
    pub duration: Option<i32>,
    /// Video provider.
    pub source: &'static str,
}

impl NewVideoProgress {
    /// Inserts the rows and returns their number.
    pub async fn insert(conn: &mut Connection, progress: &[Self]) -> QueryResult<usize> {
        diesel::insert_into(video_progress::table).values(progress).execute(conn).await
    }
}
