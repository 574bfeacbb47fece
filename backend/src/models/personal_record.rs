//! What the hub stores about a person outside the datasets.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Json};
use diesel_async::RunQueryDsl;
use serde_json::Value;

use crate::db::Connection;

/// `$1` is the user.
const QUERY: &str = "\
    SELECT json_build_object( \
        'account', (SELECT to_json(account) FROM ( \
            SELECT id, name, email, role, active, locale, timezone, created_at, updated_at, erased_at \
            FROM users WHERE id = $1) AS account), \
        'sign_ins', (SELECT coalesce(json_agg(sign_in), '[]') FROM ( \
            SELECT created_at, expires_at, revoked_at, host(address) AS address, user_agent \
            FROM sessions WHERE user_id = $1 ORDER BY created_at, id) AS sign_in), \
        'video_progress', (SELECT coalesce(json_agg(progress), '[]') FROM ( \
            SELECT lesson_id, last_second, furthest_second, watched_seconds, duration, playback_rate, source, \
                created_at, updated_at \
            FROM video_progress WHERE user_id = $1 ORDER BY created_at, lesson_id) AS progress), \
        'practice_requests', (SELECT coalesce(json_agg(request), '[]') FROM ( \
            SELECT id, lesson_id, status, created_at, escalated_at \
            FROM discord_practice_requests WHERE user_id = $1 ORDER BY created_at, id) AS request), \
        'practice_reservations', (SELECT coalesce(json_agg(reservation), '[]') FROM ( \
            SELECT id, practice_id, status, order_id, reserved_at, cancelled_at, attended_at \
            FROM discord_practice_reservations WHERE user_id = $1 ORDER BY reserved_at, id) AS reservation) \
    ) AS record";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Json)]
    record: Value,
}

/// The account of a person, its sign-ins, and what belongs to no dataset: progress in videos, and requests and reservations of
/// practices. Secrets are not part of it.
pub async fn personal_record(conn: &mut Connection, user_id: i64) -> QueryResult<Value> {
    let row: Row = sql_query(QUERY).bind::<BigInt, _>(user_id).get_result(conn).await?;
    Ok(row.record)
}
