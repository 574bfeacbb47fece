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

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection as _};

use crate::db::Connection;

/// Fails statements of this transaction that wait longer than this for what others hold.
pub async fn limit_waits(conn: &mut Connection, timeout: Duration) -> QueryResult<()> {
    conn.batch_execute(&format!("SET LOCAL lock_timeout = {}", timeout.as_millis())).await
}

/// Waits until no other call mirrors this table, and keeps the others waiting until the transaction ends.
pub async fn take_turn(conn: &mut Connection, table: &str) -> QueryResult<()> {
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended('mirror ' || $1, 0))")
        .bind::<Text, _>(table)
        .execute(conn)
        .await?;
    Ok(())
}

/// Locks the stored rows of these ids, in the order of the ids, until the transaction ends.
///
/// The lock is the one that a change of anything but the id takes. It keeps nobody from referring to the row.
pub async fn lock_rows(conn: &mut Connection, table: &str, ids: &[i64]) -> QueryResult<()> {
    diesel::sql_query(format!("SELECT FROM {table} WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE"))
        .bind::<Array<BigInt>, _>(ids)
        .execute(conn)
        .await?;
    Ok(())
}
