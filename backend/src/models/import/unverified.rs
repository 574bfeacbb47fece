//! Imports that may have read only a part of their file.
//!
//! Versions before the column `imports.bytes_read` had a bug: if a record ended at the last byte of the read
//! buffer, they took it for the end of the file. The hash is then that of the first part of the file.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::import::ImportState;

use crate::db::Connection;
use crate::db::schema::imports;
use crate::models::snapshot_table::SnapshotTable;

/// Size of the read buffer of those versions, in bytes. They read smaller files completely.
pub const OLD_READ_BYTES: u64 = 64 << 10;

/// A stored import by a version that did not record the number of bytes read.
#[derive(Debug, Clone, Queryable)]
pub struct UnverifiedImport {
    pub id: i64,
    /// SHA-256 of the file or of its first part.
    pub content_sha256: Vec<u8>,
    /// When it started. Rows without a date got this one.
    pub started_at: DateTime<Utc>,
}

impl UnverifiedImport {
    /// The unverified imports of files of this size, in bytes, into this table. Imports that were undone are
    /// excluded.
    pub async fn with_size(
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

    /// Records the number of bytes that were read, and the hash of the whole file, after the file was
    /// uploaded again.
    ///
    /// Later imports of the file then find this import by the hash, so that rows without a date get its date.
    pub async fn record_bytes_read(
        &self,
        conn: &mut Connection,
        bytes_read: i64,
        sha256: &[u8],
    ) -> QueryResult<()> {
        diesel::update(imports::table.find(self.id))
            .set((imports::bytes_read.eq(bytes_read), imports::content_sha256.eq(sha256)))
            .execute(conn)
            .await?;
        Ok(())
    }
}
