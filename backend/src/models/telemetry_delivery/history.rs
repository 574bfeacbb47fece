//! Recent events of viewers, from which the sessions of later events are derived.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryResult;
use diesel::deserialize::Queryable;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::db::Connection;

/// Maximum age of the events that can belong to the same session.
const MAX_SESSION: TimeDelta = TimeDelta::hours(12);

/// The part of an event that determines the sessions of later events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable)]
pub struct ViewedEvent {
    pub user_id: i64,
    pub recorded_at: DateTime<Utc>,
    pub lesson_id: Option<i64>,
    /// Position in the video, in seconds.
    pub playback_seconds: i32,
}

/// Each viewer's events in the twelve hours before the given time, in order.
pub async fn viewer_history(
    conn: &mut Connection,
    viewers: &[(i64, DateTime<Utc>)],
) -> QueryResult<Vec<ViewedEvent>> {
    let (users, moments): (Vec<i64>, Vec<DateTime<Utc>>) = viewers.iter().copied().unzip();
    let starts = moments.iter().map(|moment| *moment - MAX_SESSION).collect();
    ViewerHistory { users, moments, starts }.load(conn).await
}

/// PostgreSQL plans this statement once per connection.
struct ViewerHistory {
    users: Vec<i64>,
    moments: Vec<DateTime<Utc>>,
    starts: Vec<DateTime<Utc>>,
}

impl QueryFragment<Pg> for ViewerHistory {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "SELECT event.user_id, event.recorded_at, event.lesson_id, event.playback_seconds FROM unnest(",
        );
        out.push_bind_param::<Array<BigInt>, _>(&self.users)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamptz>, _>(&self.starts)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamptz>, _>(&self.moments)?;
        out.push_sql(
            ") AS asked (user_id, start, moment) \
             CROSS JOIN LATERAL ( \
                 SELECT * FROM video_player_events \
                 WHERE user_id = asked.user_id AND recorded_at >= asked.start AND recorded_at < asked.moment OFFSET 0 \
             ) AS event \
             ORDER BY event.user_id, event.recorded_at, event.id",
        );
        Ok(())
    }
}

impl QueryId for ViewerHistory {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for ViewerHistory {
    type SqlType = (BigInt, Timestamptz, Nullable<BigInt>, Integer);
}
