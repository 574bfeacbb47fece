//! Imports of files, including dry runs.

mod incomplete;
mod unverified;

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use domain::import::{ImportMode, ImportState};

use super::snapshot_table::SnapshotTable;
use crate::db::Connection;
use crate::db::advisory_lock::{AdvisoryLock, IS_IMPORT_ABANDONED};
use crate::db::schema::imports;
use crate::source::Cursor;
pub use incomplete::IncompleteImport;
pub use unverified::{OLD_READ_BYTES, UnverifiedImport};

/// An import of a file.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = imports)]
pub struct Import {
    pub id: i64,
    /// The table that its rows are inserted into.
    #[diesel(column_name = dataset, deserialize_as = String)]
    pub table: SnapshotTable,
    #[diesel(deserialize_as = String)]
    pub state: ImportState,
    /// What happens to valid rows if other rows are invalid.
    #[diesel(deserialize_as = String)]
    pub mode: ImportMode,
    /// Whether it only checked and counted the rows.
    pub dry_run: bool,
    /// Name of the file, as uploaded.
    pub filename: String,
    /// Size of the file, in bytes.
    pub size_bytes: i64,
    pub rows_read: i64,
    /// Number of rows inserted. In a dry run, the number that would be inserted.
    pub rows_inserted: i64,
    /// Number of rows that already existed.
    pub rows_duplicate: i64,
    pub rows_rejected: i64,
    /// Why it was rejected or failed.
    pub message: Option<String>,
    /// Id of the user.
    pub imported_by: i64,
    /// When it started. Rows without a date get this one.
    pub started_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// A new import.
#[derive(Debug, Insertable)]
#[diesel(table_name = imports)]
pub struct NewImport<'a> {
    /// [`domain::Dataset::key`].
    pub dataset: &'a str,
    /// [`ImportMode::key`].
    pub mode: &'a str,
    /// Whether it only checks and counts the rows.
    pub dry_run: bool,
    /// Name of the file, as uploaded.
    pub filename: &'a str,
    /// Size of the file, in bytes.
    pub size_bytes: i64,
    /// Id of the user.
    pub imported_by: i64,
    pub started_at: DateTime<Utc>,
}

/// How an import ended.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = imports)]
pub struct ImportOutcome {
    /// [`ImportState::key`].
    pub state: &'static str,
    /// SHA-256 of the file, if it was read to the end.
    pub content_sha256: Option<Vec<u8>>,
    /// Number of bytes read, if the file was read to the end.
    pub bytes_read: Option<i64>,
    pub rows_read: i64,
    /// Number of rows inserted. In a dry run, the number that would be inserted.
    pub rows_inserted: i64,
    /// Number of rows that already existed.
    pub rows_duplicate: i64,
    pub rows_rejected: i64,
    /// Why it was rejected or failed.
    pub message: Option<String>,
    pub finished_at: DateTime<Utc>,
}

/// The imports that a query applies to, by user. Rejected rows show parts of the file, so access to them is
/// limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportedBy {
    /// The imports of every user.
    Any,
    /// The imports of the user with this id.
    User(i64),
}

impl NewImport<'_> {
    /// Inserts the import and returns it.
    pub async fn insert(&self, conn: &mut Connection) -> QueryResult<Import> {
        diesel::insert_into(imports::table)
            .values(self)
            .returning(Import::as_returning())
            .get_result(conn)
            .await
    }
}

impl ImportOutcome {
    /// Records how the import ended, and returns the updated import.
    pub async fn store(&self, conn: &mut Connection, id: i64) -> QueryResult<Import> {
        diesel::update(imports::table.find(id))
            .set(self)
            .returning(Import::as_returning())
            .get_result(conn)
            .await
    }
}

impl Import {
    /// Position in the order of [`Import::page`].
    pub fn cursor(&self) -> Cursor {
        Cursor { at: self.started_at, id: self.id }
    }

    /// The import with this id, if `imported_by` includes it.
    pub async fn find(conn: &mut Connection, id: i64, imported_by: ImportedBy) -> QueryResult<Option<Self>> {
        let mut found = imports::table.find(id).select(Self::as_select()).into_boxed();
        if let ImportedBy::User(user) = imported_by {
            found = found.filter(imports::imported_by.eq(user));
        }
        found.first(conn).await.optional()
    }

    /// At most `limit` imports, newest first, after the position `after`.
    pub async fn page(
        conn: &mut Connection,
        imported_by: ImportedBy,
        after: Option<Cursor>,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        let mut page =
            Self::query().order((imports::started_at.desc(), imports::id.desc())).limit(limit).into_boxed();
        if let ImportedBy::User(user) = imported_by {
            page = page.filter(imports::imported_by.eq(user));
        }
        if let Some(Cursor { at, id }) = after {
            page = page
                .filter(imports::started_at.lt(at).or(imports::started_at.eq(at).and(imports::id.lt(id))));
        }
        page.load(conn).await
    }

    /// The number of imports.
    pub async fn count(conn: &mut Connection, imported_by: ImportedBy) -> QueryResult<i64> {
        let mut all = imports::table.into_boxed();
        if let ImportedBy::User(user) = imported_by {
            all = all.filter(imports::imported_by.eq(user));
        }
        all.count().get_result(conn).await
    }

    /// When the file with this SHA-256 was first imported into this table. Imports that were undone are not
    /// counted.
    pub async fn first_with_content(
        conn: &mut Connection,
        table: SnapshotTable,
        sha256: &[u8],
    ) -> QueryResult<Option<DateTime<Utc>>> {
        imports::table
            .filter(imports::content_sha256.eq(sha256))
            .filter(imports::dataset.eq(table.dataset().key()))
            .filter(imports::state.eq(ImportState::Done.key()))
            .filter(imports::dry_run.eq(false))
            .order((imports::started_at, imports::id))
            .select(imports::started_at)
            .first(conn)
            .await
            .optional()
    }

    /// Shows other processes that this one works on the import. PostgreSQL releases the lock when the
    /// transaction ends, even if the process dies.
    pub async fn acquire_alive_lock(conn: &mut Connection, id: i64) -> QueryResult<()> {
        AdvisoryLock::ImportAlive(id).acquire_in_transaction(conn).await
    }

    /// Marks imports as failed if they started before this time and no process works on them.
    pub async fn fail_abandoned(
        conn: &mut Connection,
        before: DateTime<Utc>,
        now: DateTime<Utc>,
        message: &str,
    ) -> QueryResult<()> {
        let is_abandoned = sql::<Bool>(IS_IMPORT_ABANDONED);
        let running = imports::table
            .filter(imports::state.eq(ImportState::Running.key()))
            .filter(imports::started_at.lt(before))
            .filter(is_abandoned);
        diesel::update(running)
            .set((
                imports::state.eq(ImportState::Failed.key()),
                imports::message.eq(message),
                imports::finished_at.eq(now),
            ))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Waits for other imports into this table, then blocks them until the transaction ends.
    pub async fn acquire_table_lock(conn: &mut Connection, table: SnapshotTable) -> QueryResult<()> {
        AdvisoryLock::Import(table.name()).acquire_in_transaction(conn).await
    }
}
