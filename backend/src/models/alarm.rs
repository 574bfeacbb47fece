//! Alarms: when people were last notified of each, and which of several processes sends the next
//! notification.
//!
//! One statement updates the row and decides who sends. A second process waits until the transaction of the
//! first one ends. If that transaction failed, the second process sends the notification instead.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Interval, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::db::schema::alarms;

/// A time more than one pause in the future was set by a wrong clock, so it does not prevent a notification.
const CLAIM: &str = "\
    INSERT INTO alarms (name, notified_at, active_since) VALUES ($1, $2, $2) \
    ON CONFLICT (name) DO UPDATE SET notified_at = excluded.notified_at, \
    active_since = coalesce(alarms.active_since, excluded.active_since) \
    WHERE alarms.notified_at <= $2 - $3 OR alarms.notified_at > $2 + $3";

/// Claims the next notification of an active alarm. Returns whether the caller has to send it. `pause` is the
/// minimum time between two notifications.
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

/// When people were last notified that the alarm is active.
pub async fn notified_at(conn: &mut Connection, name: &str) -> QueryResult<Option<DateTime<Utc>>> {
    alarms::table.find(name).select(alarms::notified_at).first(conn).await.optional()
}

/// Marks an alarm as resolved. Returns whether the caller has to notify people, which is the case if they
/// were notified of the alarm and not yet of its end.
pub async fn resolve(conn: &mut Connection, name: &str) -> QueryResult<bool> {
    let resolved = diesel::update(alarms::table.find(name))
        .filter(alarms::active_since.is_not_null())
        .set(alarms::active_since.eq(None::<DateTime<Utc>>))
        .execute(conn)
        .await?;
    Ok(resolved > 0)
}
