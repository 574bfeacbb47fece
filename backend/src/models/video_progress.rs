//! How far each user is in each lesson's video.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::db::schema::video_progress;

/// A user's progress in a lesson that they had none in.
#[derive(Debug, Insertable)]
#[diesel(table_name = video_progress)]
pub struct NewVideoProgress {
    /// Who watches.
    pub user_id: i64,
    /// The lesson.
    pub lesson_id: i64,
    /// When they began.
    pub created_at: DateTime<Utc>,
    /// When they last went on.
    pub updated_at: DateTime<Utc>,
    /// How fast they watch.
    pub playback_rate: f64,
    /// Where they are, in seconds.
    pub last_second: i32,
    /// How far they ever were, in seconds.
    pub furthest_second: i32,
    /// Seconds watched in all.
    pub watched_seconds: i32,
    /// The video's length in seconds.
    pub duration: Option<i32>,
    /// Who plays the video.
    pub source: &'static str,
}

impl NewVideoProgress {
    /// Stores progress of users in lessons that they had none in.
    pub async fn insert(conn: &mut Connection, progress: &[Self]) -> QueryResult<usize> {
        diesel::insert_into(video_progress::table).values(progress).execute(conn).await
    }
}
