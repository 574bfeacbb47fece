//! Rows that the learning platform sends. They are inserted or updated by id. Unchanged rows are not written.
//!
//! Each statement writes all rows of a call. `mirror` validates the rows first.

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
use diesel::sql_types::{Array, BigInt};
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::db::advisory_lock::AdvisoryLock;

/// Waits for other calls that mirror this table, then blocks them until the transaction ends.
pub async fn acquire_table_lock(conn: &mut Connection, table: &'static str) -> QueryResult<()> {
    AdvisoryLock::Mirror(table).acquire_in_transaction(conn).await
}

/// Locks the stored rows with these ids, in the order of the ids, until the transaction ends.
///
/// It is the lock that an update takes if it does not change the id. Other transactions can still insert
/// references to the row.
pub async fn lock_rows(conn: &mut Connection, table: &str, ids: &[i64]) -> QueryResult<()> {
    diesel::sql_query(format!("SELECT FROM {table} WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE"))
        .bind::<Array<BigInt>, _>(ids)
        .execute(conn)
        .await?;
    Ok(())
}
