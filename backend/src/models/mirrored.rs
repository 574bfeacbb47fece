//! Rows as the learning platform states them: stored by id, new or not, and left alone where nothing changes.
//!
//! Each statement writes a whole call's rows at once. What a row must agree with is for `mirror` to see to before.

pub mod course;
pub mod course_teacher;
pub mod discord_practice;
pub mod lesson;
pub mod practice_package;
pub mod practice_package_order;
pub mod price;
pub mod teacher_submission;
pub mod user;

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;

use crate::db::Connection;

/// Waits until no other call mirrors this table, and keeps the others waiting until the transaction ends.
pub async fn take_turn(conn: &mut Connection, table: &str) -> QueryResult<()> {
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended('mirror ' || $1, 0))")
        .bind::<Text, _>(table)
        .execute(conn)
        .await?;
    Ok(())
}
