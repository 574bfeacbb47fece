//! Valid rows of an import file, in a temporary table. PostgreSQL drops the table when the transaction ends.

mod record;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection as _};

use super::snapshot_table::SnapshotTable;
use crate::db::Connection;
pub use record::record_staged_snapshots;

/// A row of an import file with valid cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedSnapshot {
    /// Line of the file on which the row starts, from 1.
    pub line: i64,
    /// Id of the student or teacher.
    pub person_id: i64,
    pub course_id: Option<i64>,
    pub lesson_id: Option<i64>,
    pub practice_package_id: Option<i64>,
    /// Category of the activity.
    pub category: String,
    /// Subject of the value.
    pub scope: Option<String>,
    pub value: Option<i32>,
    /// Details, as JSON that PostgreSQL accepts.
    pub payload: Option<String>,
    /// Time that the snapshot describes. `None` gets the date of the import.
    pub captured_at: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// An import sorts or hashes all rows once. With more memory than usual, PostgreSQL rarely uses temporary
/// files.
const CREATE_TABLE: &str = "\
    SET LOCAL work_mem = '64MB'; \
    CREATE TEMPORARY TABLE staged_snapshots ( \
        line bigint NOT NULL, \
        person_id bigint NOT NULL, \
        course_id bigint, \
        lesson_id bigint, \
        practice_package_id bigint, \
        value integer, \
        captured_at timestamptz, \
        category text NOT NULL, \
        scope text, \
        payload jsonb \
    ) ON COMMIT DROP";

const INSERT: &str = "\
    INSERT INTO staged_snapshots \
        (line, person_id, course_id, lesson_id, practice_package_id, value, captured_at, category, scope, payload) \
    SELECT line, person_id, course_id, lesson_id, practice_package_id, value, captured_at, category, scope, \
        payload::jsonb \
    FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS chunk \
        (line, person_id, course_id, lesson_id, practice_package_id, value, captured_at, category, scope, payload)";

impl StagedSnapshot {
    /// Creates the temporary table of this transaction.
    pub async fn create_table(conn: &mut Connection) -> QueryResult<()> {
        conn.batch_execute(CREATE_TABLE).await
    }

    /// Inserts rows into the temporary table.
    pub async fn insert_all(conn: &mut Connection, rows: &[&Self]) -> QueryResult<()> {
        sql_query(INSERT)
            .bind::<Array<BigInt>, _>(column(rows, |row| row.line))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.person_id))
            .bind::<Array<Nullable<BigInt>>, _>(column(rows, |row| row.course_id))
            .bind::<Array<Nullable<BigInt>>, _>(column(rows, |row| row.lesson_id))
            .bind::<Array<Nullable<BigInt>>, _>(column(rows, |row| row.practice_package_id))
            .bind::<Array<Nullable<Integer>>, _>(column(rows, |row| row.value))
            .bind::<Array<Nullable<Timestamptz>>, _>(column(rows, |row| row.captured_at))
            .bind::<Array<Text>, _>(column(rows, |row| row.category.as_str()))
            .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.scope.as_deref()))
            .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.payload.as_deref()))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Sets the date of rows without one, and updates the planner's statistics.
    pub async fn fill_missing_dates(conn: &mut Connection, date: DateTime<Utc>) -> QueryResult<()> {
        sql_query("UPDATE staged_snapshots SET captured_at = $1 WHERE captured_at IS NULL")
            .bind::<Timestamptz, _>(date)
            .execute(conn)
            .await?;
        conn.batch_execute("ANALYZE staged_snapshots").await
    }

    /// The number of rows returned by [`StagedSnapshot::new_rows`].
    pub async fn count_new(conn: &mut Connection, table: SnapshotTable) -> QueryResult<usize> {
        let new = Self::new_rows(table);
        let counted: CountRow =
            sql_query(format!("SELECT count(*) AS count FROM ({new}) AS new")).get_result(conn).await?;
        Ok(usize::try_from(counted.count).unwrap_or_default())
    }

    /// An SQL query for the rows that neither exist in the table nor appear earlier in the file.
    ///
    /// Rows are equal if all columns are equal. Nulls are equal. JSON values are compared as `jsonb`.
    pub fn new_rows(table: SnapshotTable) -> String {
        let (name, person) = (table.name(), table.person_column());
        format!(
            "SELECT DISTINCT ON (captured_at, person_id, course_id, lesson_id, practice_package_id, category, scope, \
                 value, payload) staged.* \
             FROM staged_snapshots AS staged \
             WHERE NOT EXISTS ( \
                 SELECT FROM {name} AS present \
                 WHERE present.{person} = staged.person_id \
                   AND present.captured_at = staged.captured_at \
                   AND present.course_id IS NOT DISTINCT FROM staged.course_id \
                   AND present.lesson_id IS NOT DISTINCT FROM staged.lesson_id \
                   AND present.practice_package_id IS NOT DISTINCT FROM staged.practice_package_id \
                   AND present.category = staged.category \
                   AND present.scope IS NOT DISTINCT FROM staged.scope \
                   AND present.value IS NOT DISTINCT FROM staged.value \
                   AND present.payload IS NOT DISTINCT FROM staged.payload) \
             ORDER BY captured_at, person_id, course_id, lesson_id, practice_package_id, category, scope, value, \
                 payload, line"
        )
    }
}

fn column<'a, T>(rows: &[&'a StagedSnapshot], cell: impl Fn(&'a StagedSnapshot) -> T) -> Vec<T> {
    rows.iter().copied().map(cell).collect()
}
