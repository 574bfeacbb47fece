//! Records the rows of an import.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Timestamptz};
use diesel_async::RunQueryDsl;

use super::StagedSnapshot;
use crate::db::Connection;
use crate::models::snapshot_table::SnapshotTable;

/// Inserts the staged snapshots of an import that do not exist yet, and returns their number.
///
/// Rows with the same timestamp keep the order of the file.
pub async fn record_staged_snapshots(
    conn: &mut Connection,
    table: SnapshotTable,
    import_id: i64,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    let (name, person) = (table.name(), table.person_column());
    let new = StagedSnapshot::new_rows(table);
    sql_query(format!(
        "INSERT INTO {name} (captured_at, {person}, course_id, lesson_id, practice_package_id, category, scope, value, \
             payload, import_id, created_at) \
         SELECT captured_at, person_id, course_id, lesson_id, practice_package_id, category, scope, value, payload, \
             $1, $2 \
         FROM ({new}) AS new \
         ORDER BY captured_at, line"
    ))
    .bind::<BigInt, _>(import_id)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await
}
