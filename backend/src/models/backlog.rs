//! The player events that the analytics services are still owed.

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, min};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::db::schema::video_player_events as events;

/// How many there are, and when the oldest happened: one pass over the index of what is pending, which holds nothing else.
pub async fn count_and_oldest(conn: &mut Connection) -> QueryResult<(i64, Option<DateTime<Utc>>)> {
    events::table
        .filter(events::synced_at.is_null())
        .select((count_star(), min(events::recorded_at)))
        .first(conn)
        .await
}
