//! Students' requests for a practice of a lesson that has none planned.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::db::schema::discord_practice_requests as requests;

/// Marks the pending requests of a lesson as escalated. Returns their number.
pub async fn escalate(conn: &mut Connection, lesson: i64, at: DateTime<Utc>) -> QueryResult<usize> {
    let pending =
        requests::table.filter(requests::lesson_id.eq(lesson)).filter(requests::status.eq("pending"));
    let escalated = (requests::status.eq("escalated"), requests::escalated_at.eq(at));
    diesel::update(pending).set(escalated).execute(conn).await
}
