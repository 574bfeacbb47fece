//! The transaction of an import: it stages rows, records those that do not exist yet, and stores the result.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio_postgres::{Error, Statement};

use super::import_rejection::COPY as COPY_REJECTIONS;
use super::snapshot_table::SnapshotTable;
use super::staged_snapshot::{self, record_pages};
use crate::db::CopyConnection;
use crate::db::advisory_lock::AdvisoryLock;

/// The number of pages of staged rows per statement, which is about 100,000 rows. After each one, the progress is known.
const PAGES_PER_STATEMENT: i64 = 1_500;

/// An open transaction on a connection of its own. If it is dropped, nothing was written.
pub struct ImportTransaction {
    conn: CopyConnection,
    stage: Statement,
    reject: Statement,
}

/// How an import ended that read its file to the end.
#[derive(Debug)]
pub struct ImportResult<'a> {
    /// [`domain::import::ImportState::key`].
    pub state: &'static str,
    /// SHA-256 of the file.
    pub content_sha256: &'a [u8],
    /// The names of the file's columns.
    pub columns: &'a [String],
    pub rows_read: i64,
    /// Number of rows inserted. In a dry run, the number that would be inserted.
    pub rows_inserted: i64,
    /// Number of rows that already existed.
    pub rows_duplicate: i64,
    pub rows_rejected: i64,
    /// Why it was rejected.
    pub message: Option<String>,
    pub finished_at: DateTime<Utc>,
}

/// What became of staged rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// They are stored when the transaction commits.
    Keep,
    /// They were only counted.
    Discard,
}

const STORE: &str = "\
    UPDATE imports SET state = $2, content_sha256 = $3, file_columns = $4, bytes_read = size_bytes, rows_read = $5, \
        rows_inserted = $6, rows_duplicate = $7, rows_rejected = $8, message = $9, finished_at = $10 \
    WHERE id = $1";

impl ImportTransaction {
    /// Begins the transaction on a connection of its own. Until it ends, other processes can see that this one works on the
    /// import.
    pub async fn begin(conn: CopyConnection, import_id: i64) -> Result<Self, Error> {
        let alive = AdvisoryLock::ImportAlive(import_id).statement_to_acquire_in_transaction();
        conn.batch_execute(&format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; {alive}; {}",
            staged_snapshot::CREATE_TABLE
        ))
        .await?;
        let stage = conn.prepare(staged_snapshot::COPY).await?;
        let reject = conn.prepare(COPY_REJECTIONS).await?;
        Ok(Self { conn, stage, reject })
    }

    /// Stages valid rows, encoded by [`staged_snapshot::StagedSnapshot::encode`].
    pub async fn stage(&self, rows: Bytes) -> Result<(), Error> {
        self.conn.copy(&self.stage, rows).await
    }

    /// Stores rejected rows, encoded by [`super::import_rejection::NewImportRejection::encode`].
    pub async fn reject(&self, rows: Bytes) -> Result<(), Error> {
        self.conn.copy(&self.reject, rows).await
    }

    /// Waits for other imports into this table, then blocks them until the transaction ends.
    pub async fn lock_table(&self, table: SnapshotTable) -> Result<(), Error> {
        self.conn
            .batch_execute(&AdvisoryLock::Import(table.name()).statement_to_acquire_in_transaction())
            .await
    }

    /// Records the staged rows that do not exist yet, and returns their number. Rows without a date get `default_date`.
    ///
    /// `on_progress` receives the number of rows inserted so far, and the part of the staged rows that they come from,
    /// from 0 to 1.
    pub async fn record(
        &self,
        table: SnapshotTable,
        import_id: i64,
        (default_date, now): (DateTime<Utc>, DateTime<Utc>),
        fate: Fate,
        on_progress: impl Fn(u64, f64),
    ) -> Result<u64, Error> {
        self.conn.batch_execute("SAVEPOINT recorded").await?;
        let statement = self.conn.prepare(&record_pages(table)).await?;
        let pages: i64 = self.conn.query_one(staged_snapshot::COUNT_PAGES, &[]).await?.get(0);
        let (mut first_page, mut inserted) = (0, 0);
        while first_page < pages {
            let end = first_page + PAGES_PER_STATEMENT;
            let range = [first_page, end].map(|page| format!("({page},0)"));
            let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
                [&import_id, &now, &default_date, &range[0], &range[1]];
            inserted += self.conn.execute(&statement, &parameters).await?;
            first_page = end;
            #[expect(clippy::cast_precision_loss, reason = "a table has at most 2³² pages")]
            on_progress(inserted, (first_page as f64 / pages as f64).min(1.0));
        }
        if fate == Fate::Discard {
            self.conn.batch_execute("ROLLBACK TO SAVEPOINT recorded").await?;
        }
        Ok(inserted)
    }

    /// Stores the result and commits.
    pub async fn commit(self, import_id: i64, result: &ImportResult<'_>) -> Result<(), Error> {
        let ImportResult { state, content_sha256, columns, rows_read, .. } = result;
        self.conn
            .execute(
                STORE,
                &[
                    &import_id,
                    state,
                    content_sha256,
                    columns,
                    rows_read,
                    &result.rows_inserted,
                    &result.rows_duplicate,
                    &result.rows_rejected,
                    &result.message,
                    &result.finished_at,
                ],
            )
            .await?;
        self.conn.batch_execute("COMMIT").await
    }
}
