//! Imports of which nobody wrote down how much of their file was read.
//!
//! Versions before `imports.bytes_read` took the end of a record for the end of the file where both what was read at once
//! and the record ended at the same byte. What they hashed was then the beginning of the file.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::import::ImportState;

use crate::db::Connection;
use crate::db::schema::imports;
use crate::models::snapshot_table::SnapshotTable;

/// So much those versions read at once, in bytes: a smaller file was read as a whole.
pub const OLD_READ_BYTES: u64 = 64 << 10;

/// A stored import by a version that did not write down how much it read.
#[derive(Debug, Clone, Queryable)]
pub struct UnverifiedImport {
    /// Identifies the import.
    pub id: i64,
    /// SHA-256 of what was read: the file, or its beginning.
    pub content_sha256: Vec<u8>,
    /// When it began; also the date of rows without one.
    pub started_at: DateTime<Utc>,
}

impl UnverifiedImport {
    /// Those of files of this size, in bytes, into this table, and not undone.
    pub async fn of_size(
        conn: &mut Connection,
        table: SnapshotTable,
        size_bytes: i64,
    ) -> QueryResult<Vec<Self>> {
        imports::table
            .filter(imports::bytes_read.is_null())
            .filter(imports::size_bytes.eq(size_bytes))
            .filter(imports::dataset.eq(table.dataset().key()))
            .filter(imports::state.eq(ImportState::Done.key()))
            .filter(imports::dry_run.eq(false))
            .select((imports::id, imports::content_sha256.assume_not_null(), imports::started_at))
            .filter(imports::content_sha256.is_not_null())
            .order((imports::started_at, imports::id))
            .load(conn)
            .await
    }

    /// Writes down how many bytes were read, and the hash of the file as a whole, now that it came again.
    ///
    /// So the file is known again the next time too, and its rows without a date keep the moment of this import.
    pub async fn set_read(&self, conn: &mut Connection, bytes_read: i64, sha256: &[u8]) -> QueryResult<()> {
        diesel::update(imports::table.find(self.id))
            .set((imports::bytes_read.eq(bytes_read), imports::content_sha256.eq(sha256)))
            .execute(conn)
            .await?;
        Ok(())
    }
}
