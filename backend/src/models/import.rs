//! Imports: each one, dry runs included.

mod incomplete;
mod unverified;

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel_async::RunQueryDsl;
use domain::import::{ImportMode, ImportState};

use super::snapshot_table::SnapshotTable;
use crate::db::Connection;
use crate::db::schema::imports;
use crate::source::Cursor;
pub use incomplete::IncompleteImport;
pub use unverified::{OLD_READ_BYTES, UnverifiedImport};

/// An import of a file.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = imports)]
pub struct Import {
    /// Identifies the import.
    pub id: i64,
    /// Where its rows go.
    #[diesel(column_name = dataset, deserialize_as = String)]
    pub table: SnapshotTable,
    /// How far it has come.
    #[diesel(deserialize_as = String)]
    pub state: ImportState,
    /// What happens to good rows when others are bad.
    #[diesel(deserialize_as = String)]
    pub mode: ImportMode,
    /// Whether it only checked and counted.
    pub dry_run: bool,
    /// The file's name as its sender wrote it.
    pub filename: String,
    /// The file's size.
    pub size_bytes: i64,
    /// Rows read.
    pub rows_read: i64,
    /// Rows inserted; in a dry run, that would be.
    pub rows_inserted: i64,
    /// Rows that were already there.
    pub rows_duplicate: i64,
    /// Rows that were refused.
    pub rows_rejected: i64,
    /// Why it was rejected or failed.
    pub message: Option<String>,
    /// Who imported it.
    pub imported_by: i64,
    /// When it began; also the date of rows without one.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// An import that begins.
#[derive(Debug, Insertable)]
#[diesel(table_name = imports)]
pub struct NewImport<'a> {
    /// [`domain::Dataset::key`].
    pub dataset: &'a str,
    /// [`ImportMode::key`].
    pub mode: &'a str,
    /// Whether it only checks and counts.
    pub dry_run: bool,
    /// The file's name as its sender wrote it.
    pub filename: &'a str,
    /// The file's size.
    pub size_bytes: i64,
    /// Who imports it.
    pub imported_by: i64,
    /// When.
    pub started_at: DateTime<Utc>,
}

/// How an import ended.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = imports)]
pub struct Outcome {
    /// [`ImportState::key`].
    pub state: &'static str,
    /// SHA-256 of the file, if it was read to its end.
    pub content_sha256: Option<Vec<u8>>,
    /// How many bytes were read, if it was read to its end.
    pub bytes_read: Option<i64>,
    /// Rows read.
    pub rows_read: i64,
    /// Rows inserted; in a dry run, that would be.
    pub rows_inserted: i64,
    /// Rows that were already there.
    pub rows_duplicate: i64,
    /// Rows that were refused.
    pub rows_rejected: i64,
    /// Why it was rejected or failed.
    pub message: Option<String>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
}

/// Whose imports somebody may see: refused rows show what is in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportedBy {
    /// Everybody's.
    Anybody,
    /// Those of the user with this id.
    User(i64),
}

impl NewImport<'_> {
    /// Writes down that it begins.
    pub async fn insert(&self, conn: &mut Connection) -> QueryResult<Import> {
        diesel::insert_into(imports::table)
            .values(self)
            .returning(Import::as_returning())
            .get_result(conn)
            .await
    }
}

impl Outcome {
    /// Writes down how the import ended, and answers with it as it is now.
    pub async fn store(&self, conn: &mut Connection, id: i64) -> QueryResult<Import> {
        diesel::update(imports::table.find(id))
            .set(self)
            .returning(Import::as_returning())
            .get_result(conn)
            .await
    }
}

impl Import {
    /// Where it stands in the order of [`Import::page`].
    pub fn cursor(&self) -> Cursor {
        Cursor { at: self.started_at, id: self.id }
    }

    /// The import with this id.
    pub async fn find(conn: &mut Connection, id: i64, whose: ImportedBy) -> QueryResult<Option<Self>> {
        let mut found = imports::table.find(id).select(Self::as_select()).into_boxed();
        if let ImportedBy::User(user) = whose {
            found = found.filter(imports::imported_by.eq(user));
        }
        found.first(conn).await.optional()
    }

    /// Imports, the newest first, from the one behind `after` on.
    pub async fn page(
        conn: &mut Connection,
        whose: ImportedBy,
        after: Option<Cursor>,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        let mut page =
            Self::query().order((imports::started_at.desc(), imports::id.desc())).limit(limit).into_boxed();
        if let ImportedBy::User(user) = whose {
            page = page.filter(imports::imported_by.eq(user));
        }
        if let Some(Cursor { at, id }) = after {
            page = page
                .filter(imports::started_at.lt(at).or(imports::started_at.eq(at).and(imports::id.lt(id))));
        }
        page.load(conn).await
    }

    /// How many imports there are.
    pub async fn count(conn: &mut Connection, whose: ImportedBy) -> QueryResult<i64> {
        let mut all = imports::table.into_boxed();
        if let ImportedBy::User(user) = whose {
            all = all.filter(imports::imported_by.eq(user));
        }
        all.count().get_result(conn).await
    }

    /// When a file of the same content was first imported into the same table, and not undone since.
    pub async fn first_of_content(
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

    /// Shows others, until the transaction ends however it ends, that somebody works on the import.
    pub async fn show_alive(conn: &mut Connection, id: i64) -> QueryResult<()> {
        sql_query("SELECT pg_advisory_xact_lock(hashtextextended('import alive', $1))")
            .bind::<BigInt, _>(id)
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Says of imports that began before this moment, and that nobody works on, that they failed.
    pub async fn fail_abandoned(
        conn: &mut Connection,
        before: DateTime<Utc>,
        now: DateTime<Utc>,
        message: &str,
    ) -> QueryResult<()> {
        let nobodys = sql::<Bool>("pg_try_advisory_xact_lock(hashtextextended('import alive', id))");
        let running = imports::table
            .filter(imports::state.eq(ImportState::Running.key()))
            .filter(imports::started_at.lt(before))
            .filter(nobodys);
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

    /// Lets imports into one table take turns: whoever comes second waits for the first one's transaction to end.
    pub async fn take_turn(conn: &mut Connection, table: SnapshotTable) -> QueryResult<()> {
        sql_query("SELECT pg_advisory_xact_lock(hashtextextended('import ' || $1, 0))")
            .bind::<Text, _>(table.name())
            .execute(conn)
            .await?;
        Ok(())
    }
}
