//! A database that nothing was put into yet, and the ids of what is about to be.

use diesel::dsl::{exists, select};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection as _};

use crate::db::Connection;
use crate::db::schema::{courses, users, video_player_events};

#[derive(QueryableByName)]
struct Next {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Keeps everybody else from writing into the tables that all others hang on, until the transaction ends.
pub async fn lock(conn: &mut Connection) -> QueryResult<()> {
    conn.batch_execute(
        "LOCK TABLE users, courses, lessons, practice_packages, practice_package_orders, discord_practices, \
         discord_practice_reservations, teacher_submissions, video_player_events IN SHARE ROW EXCLUSIVE MODE",
    )
    .await
}

/// Whether there is nobody, nothing to learn and nothing recorded.
pub async fn is_empty(conn: &mut Connection) -> QueryResult<bool> {
    let filled: bool = select(
        exists(users::table.select(users::id))
            .or(exists(courses::table.select(courses::id)))
            .or(exists(video_player_events::table.select(video_player_events::id))),
    )
    .get_result(conn)
    .await?;
    Ok(!filled)
}

/// The next id of a table, whose sequence then stands behind it.
pub async fn next_id(conn: &mut Connection, table: &str) -> QueryResult<i64> {
    let next: Next = diesel::sql_query("SELECT nextval(pg_get_serial_sequence($1, 'id')) AS id")
        .bind::<Text, _>(table)
        .get_result(conn)
        .await?;
    Ok(next.id)
}

/// Moves a table's sequence on, so that its next id is greater than this one.
pub async fn advance(conn: &mut Connection, table: &str, last: i64) -> QueryResult<()> {
    diesel::sql_query("SELECT setval(pg_get_serial_sequence($1, 'id'), $2)")
        .bind::<Text, _>(table)
        .bind::<BigInt, _>(last)
        .execute(conn)
        .await?;
    Ok(())
}

/// Has the planner look at everything anew.
pub async fn analyze(conn: &mut Connection) -> QueryResult<()> {
    conn.batch_execute(
        "ANALYZE users, courses, lessons, course_teacher, practice_packages, practice_package_orders, \
         discord_practices, discord_practice_reservations, discord_practice_requests, teacher_submissions, \
         teacher_submission_histories, video_progress, video_player_events, student_activity_snapshots, \
         teacher_activity_snapshots",
    )
    .await
}
