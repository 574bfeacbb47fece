//! A viewer's recent events, from which the session of the next one follows.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryResult;
use diesel::deserialize::Queryable;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::db::Connection;

/// How far back a session may reach.
const MAX_SESSION: TimeDelta = TimeDelta::hours(12);

/// What the session of a later event depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable)]
pub struct Viewing {
    /// Who watched.
    pub user_id: i64,
    /// When.
    pub recorded_at: DateTime<Utc>,
    /// The lesson.
    pub lesson_id: Option<i64>,
    /// Position in the video, in seconds.
    pub playback_seconds: i32,
}

/// These viewers' events in the twelve hours before these times, each viewer's in order.
pub async fn viewed_before(
    conn: &mut Connection,
    viewers: &[(i64, DateTime<Utc>)],
) -> QueryResult<Vec<Viewing>> {
    let (users, moments): (Vec<i64>, Vec<DateTime<Utc>>) = viewers.iter().copied().unzip();
    let starts = moments.iter().map(|moment| *moment - MAX_SESSION).collect();
    ViewedBefore { users, moments, starts }.load(conn).await
}

/// Planned once per connection.
struct ViewedBefore {
    users: Vec<i64>,
    moments: Vec<DateTime<Utc>>,
    starts: Vec<DateTime<Utc>>,
}

impl QueryFragment<Pg> for ViewedBefore {
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

impl QueryId for ViewedBefore {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for ViewedBefore {
    type SqlType = (BigInt, Timestamptz, Nullable<BigInt>, Integer);
}
