//! Queries for filling an empty database, and for reserving the ids of its rows.

use diesel::dsl::{exists, select};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection as _};

use crate::db::Connection;
use crate::db::schema::{courses, users, video_player_events};

#[derive(QueryableByName)]
struct NextId {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Blocks other writes to the tables that all others refer to, until the transaction ends.
pub async fn lock_tables(conn: &mut Connection) -> QueryResult<()> {
    conn.batch_execute(
        "LOCK TABLE users, courses, lessons, practice_packages, practice_package_orders, discord_practices, \
         discord_practice_reservations, teacher_submissions, video_player_events IN SHARE ROW EXCLUSIVE MODE",
    )
    .await
}

/// Whether there are no users, courses or player events.
pub async fn is_database_empty(conn: &mut Connection) -> QueryResult<bool> {
    let has_rows: bool = select(
        exists(users::table.select(users::id))
            .or(exists(courses::table.select(courses::id)))
            .or(exists(video_player_events::table.select(video_player_events::id))),
    )
    .get_result(conn)
    .await?;
    Ok(!has_rows)
}

/// Takes the next id from a table's sequence.
pub async fn next_id(conn: &mut Connection, table: &str) -> QueryResult<i64> {
    let next: NextId = diesel::sql_query("SELECT nextval(pg_get_serial_sequence($1, 'id')) AS id")
        .bind::<Text, _>(table)
        .get_result(conn)
        .await?;
    Ok(next.id)
}

/// Takes this many ids from a table's sequence.
pub async fn next_ids(conn: &mut Connection, table: &str, count: usize) -> QueryResult<Vec<i64>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let ids: Vec<NextId> = diesel::sql_query(
        "SELECT nextval(pg_get_serial_sequence($1, 'id')) AS id FROM generate_series(1, $2)",
    )
    .bind::<Text, _>(table)
    .bind::<BigInt, _>(count)
    .load(conn)
    .await?;
    Ok(ids.into_iter().map(|next| next.id).collect())
}

/// Advances a table's sequence, so that its next id is greater than `last`.
pub async fn advance_sequence(conn: &mut Connection, table: &str, last: i64) -> QueryResult<()> {
    diesel::sql_query("SELECT setval(pg_get_serial_sequence($1, 'id'), $2)")
        .bind::<Text, _>(table)
        .bind::<BigInt, _>(last)
        .execute(conn)
        .await?;
    Ok(())
}

/// Updates the planner's statistics of the tables that were filled.
pub async fn analyze(conn: &mut Connection) -> QueryResult<()> {
    conn.batch_execute(
        "ANALYZE users, courses, lessons, course_teacher, practice_packages, practice_package_orders, \
         discord_practices, discord_practice_reservations, discord_practice_requests, teacher_submissions, \
         teacher_submission_histories, video_progress, video_player_events, student_activity_snapshots, \
         teacher_activity_snapshots",
    )
    .await
}
