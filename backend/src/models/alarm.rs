//! What people were told of alarms, and who of many processes is to tell them.
//!
//! Both questions are decided by one statement: a second process waits for the first one's transaction, and then finds
//! it answered, or open again where the first one failed.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Interval, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::db::schema::alarms;

/// A time further ahead than one pause was set by a clock that went wrong, and holds nobody up.
const CLAIM: &str = "\
    INSERT INTO alarms (name, notified_at, standing_since) VALUES ($1, $2, $2) \
    ON CONFLICT (name) DO UPDATE SET notified_at = excluded.notified_at, \
    standing_since = coalesce(alarms.standing_since, excluded.standing_since) \
    WHERE alarms.notified_at <= $2 - $3 OR alarms.notified_at > $2 + $3";

/// Whether whoever asks is to tell people that there is cause for the alarm; `pause` is the least time between two times.
pub async fn claim(
    conn: &mut Connection,
    name: &str,
    now: DateTime<Utc>,
    pause: TimeDelta,
) -> QueryResult<bool> {
    let claimed = sql_query(CLAIM)
        .bind::<Text, _>(name)
        .bind::<Timestamptz, _>(now)
        .bind::<Interval, _>(pause)
        .execute(conn)
        .await?;
    Ok(claimed > 0)
}

/// When people were last told that there is cause for the alarm.
pub async fn notified_at(conn: &mut Connection, name: &str) -> QueryResult<Option<DateTime<Utc>>> {
    alarms::table.find(name).select(alarms::notified_at).first(conn).await.optional()
}

/// Whether whoever asks is to tell people that the cause is gone: they were told of it, and of nothing since.
pub async fn settle(conn: &mut Connection, name: &str) -> QueryResult<bool> {
    let settled = diesel::update(alarms::table.find(name))
        .filter(alarms::standing_since.is_not_null())
        .set(alarms::standing_since.eq(None::<DateTime<Utc>>))
        .execute(conn)
        .await?;
    Ok(settled > 0)
}
