//! Valid rows of an import file, in a temporary table. PostgreSQL drops the table when the transaction ends.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::copy_rows::CopyRows;
use super::snapshot_table::SnapshotTable;

/// A row of an import file with valid cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedSnapshot<'a> {
    /// Line of the file on which the row starts, from 1.
    pub line: i64,
    /// Id of the student or teacher.
    pub person_id: i64,
    pub course_id: Option<i64>,
    pub lesson_id: Option<i64>,
    pub practice_package_id: Option<i64>,
    /// Category of the activity.
    pub category: Cow<'a, str>,
    /// Subject of the value.
    pub scope: Option<Cow<'a, str>>,
    pub value: Option<i32>,
    /// Details, as JSON that PostgreSQL accepts.
    pub payload: Option<Cow<'a, str>>,
    /// Time that the snapshot describes. `None` gets the date of the import.
    pub captured_at: Option<DateTime<Utc>>,
}

/// Creates the temporary table. The statement that records its rows has one generic plan, which is made while the tables
/// may be empty and must be good when they are large, so only index scans in nested loops are left.
pub const CREATE_TABLE: &str = "\
    SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; \
    SET LOCAL work_mem = '64MB'; \
    SET LOCAL plan_cache_mode = force_generic_plan; \
    SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off; \
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

/// Inserts rows into the temporary table.
pub const COPY: &str = "COPY staged_snapshots FROM STDIN (FORMAT binary)";

/// The number of pages of the temporary table.
pub const COUNT_PAGES: &str =
    "SELECT pg_relation_size('staged_snapshots') / current_setting('block_size')::bigint";

/// The number of columns.
const COLUMNS: i16 = 10;

impl StagedSnapshot<'_> {
    /// Encodes the row for [`COPY`].
    pub fn encode(&self, rows: &mut CopyRows) {
        rows.begin_row(COLUMNS);
        rows.bigint(Some(self.line));
        rows.bigint(Some(self.person_id));
        rows.bigint(self.course_id);
        rows.bigint(self.lesson_id);
        rows.bigint(self.practice_package_id);
        rows.integer(self.value);
        rows.timestamp(self.captured_at);
        rows.text(Some(&self.category));
        rows.text(self.scope.as_deref());
        rows.jsonb(self.payload.as_deref());
    }
}

/// The statement that records the staged rows on some pages, unless they exist in the table or appear earlier on the
/// pages. Its parameters are the import, the time of recording, the date of rows without one, and the range of pages
/// as two positions.
///
/// Rows are equal if all columns are equal. Nulls are equal. JSON values are compared as `jsonb`. Recorded rows keep the
/// order of the file.
///
/// An equal row is found by the index with its person and hash, among any number of rows. No other index may be chosen,
/// so the other columns are compared by an operator that uses none, and `OFFSET 0` prevents a
/// join, whose plan may scan a whole index of a table that was empty.
pub fn record_pages(table: SnapshotTable) -> String {
    let (name, person) = (table.name(), table.person_column());
    let hash = |row: &str, captured_at: &str| {
        let columns =
            ["course_id", "lesson_id", "practice_package_id", "value", "category", "scope", "payload"];
        let columns = columns.map(|column| format!("{row}.{column}")).join(", ");
        format!("hash_record_extended(ROW({captured_at}, {columns}), 0)")
    };
    let hash_of_staged = hash("row", "coalesce(row.captured_at, $3)");
    let hash_of_present = hash("present", "present.captured_at");
    format!(
        "INSERT INTO {name} (captured_at, {person}, course_id, lesson_id, practice_package_id, category, scope, value, \
             payload, import_id, created_at) \
         SELECT captured_at, person_id, course_id, lesson_id, practice_package_id, category, scope, value, payload, \
             $1, $2 \
         FROM ( \
             SELECT DISTINCT ON (hash, captured_at, person_id, course_id, lesson_id, practice_package_id, category, \
                 scope, value, payload) staged.* \
             FROM ( \
                 SELECT line, person_id, course_id, lesson_id, practice_package_id, value, category, scope, payload, \
                     coalesce(captured_at, $3) AS captured_at, {hash_of_staged} AS hash \
                 FROM staged_snapshots AS row WHERE ctid >= $4::text::tid AND ctid < $5::text::tid \
             ) AS staged \
             WHERE NOT EXISTS ( \
                 SELECT FROM {name} AS present \
                 WHERE present.{person} = staged.person_id \
                   AND {hash_of_present} = staged.hash \
                   AND present.captured_at IS NOT DISTINCT FROM staged.captured_at \
                   AND present.course_id IS NOT DISTINCT FROM staged.course_id \
                   AND present.lesson_id IS NOT DISTINCT FROM staged.lesson_id \
                   AND present.practice_package_id IS NOT DISTINCT FROM staged.practice_package_id \
                   AND present.category IS NOT DISTINCT FROM staged.category \
                   AND present.scope IS NOT DISTINCT FROM staged.scope \
                   AND present.value IS NOT DISTINCT FROM staged.value \
                   AND present.payload IS NOT DISTINCT FROM staged.payload \
                 OFFSET 0) \
             ORDER BY hash, captured_at, person_id, course_id, lesson_id, practice_package_id, category, scope, value, \
                 payload, line \
         ) AS new \
         ORDER BY line"
    )
}
