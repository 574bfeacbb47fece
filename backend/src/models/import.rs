//! Imports of files, including dry runs.

use chrono::{DateTime, Utc};
use diesel::dsl::{auto_type, sql};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection as _};
use domain::import::{ImportMode, ImportState};

use super::snapshot_table::SnapshotTable;
use crate::db::Connection;
use crate::db::advisory_lock::{AdvisoryLock, IS_IMPORT_ABANDONED};
use crate::db::schema::imports;
use crate::source::Cursor;

/// An import of a file.
#[derive(Debug, Clone, PartialEq, Eq, HasQuery)]
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
    /// Number of bytes that were read.
    pub bytes_read: i64,
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

/// The file of an import that was read to its end.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = imports)]
pub struct ImportFile {
    file_columns: Option<Vec<String>>,
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

/// How far an import in progress is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = imports)]
pub struct ImportProgress {
    pub bytes_read: i64,
    pub rows_read: i64,
    pub rows_inserted: i64,
    pub rows_duplicate: i64,
    pub rows_rejected: i64,
}

/// How an import ended that stored nothing.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = imports)]
pub struct ImportFailure<'a> {
    /// [`ImportState::key`].
    pub state: &'static str,
    /// Why it was rejected or failed.
    pub message: &'a str,
    pub finished_at: DateTime<Utc>,
}

/// What became of an attempt to undo an import.
#[derive(Debug)]
pub enum Undone {
    /// It was undone.
    Import(Import),
    /// It did not store rows, or was undone before.
    Nothing,
    /// Another import records rows in its table.
    TableInUse,
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

impl ImportFile {
    /// The file of this import.
    pub async fn find(conn: &mut Connection, id: i64) -> QueryResult<Self> {
        Self::query().filter(imports::id.eq(id)).first(conn).await
    }

    /// The names of its columns.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.file_columns.iter().flatten().map(String::as_str)
    }
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

impl ImportProgress {
    /// Records the progress of an import, unless it has ended.
    pub async fn store(&self, conn: &mut Connection, id: i64) -> QueryResult<()> {
        diesel::update(running(id)).set(self).execute(conn).await?;
        Ok(())
    }
}

impl ImportFailure<'_> {
    /// Records that an import stored nothing, unless it has ended. None of its rows count.
    pub async fn store(&self, conn: &mut Connection, id: i64) -> QueryResult<()> {
        diesel::update(running(id)).set((self, ImportProgress::default())).execute(conn).await?;
        Ok(())
    }
}

/// The import with this id while it is running.
#[auto_type]
fn running(id: i64) -> _ {
    let key: &'static str = ImportState::Running.key();
    imports::table.find(id).filter(imports::state.eq(key))
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
                ImportProgress::default(),
            ))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Undoes an import in a transaction: deletes its rows and returns the updated import.
    ///
    /// Not while another import records rows in the same table, which may count rows as duplicates that are deleted here.
    pub async fn undo(
        &self,
        conn: &mut Connection,
        undone_by: i64,
        now: DateTime<Utc>,
    ) -> QueryResult<Undone> {
        conn.batch_execute("SET LOCAL statement_timeout = 0").await?;
        if !AdvisoryLock::Import(self.table.name()).try_acquire_in_transaction(conn).await? {
            return Ok(Undone::TableInUse);
        }
        let stored = imports::table
            .find(self.id)
            .filter(imports::state.eq(ImportState::Done.key()))
            .filter(imports::dry_run.eq(false));
        let undone: Option<Self> = diesel::update(stored)
            .set((
                imports::state.eq(ImportState::Undone.key()),
                imports::undone_at.eq(now),
                imports::undone_by.eq(undone_by),
            ))
            .returning(Self::as_returning())
            .get_result(conn)
            .await
            .optional()?;
        let Some(undone) = undone else { return Ok(Undone::Nothing) };
        sql_query(format!("DELETE FROM {} WHERE import_id = $1", self.table.name()))
            .bind::<BigInt, _>(self.id)
            .execute(conn)
            .await?;
        Ok(Undone::Import(undone))
    }
}
