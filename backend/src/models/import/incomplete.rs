//! Imports that were stored although part of their file may not have been read.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use domain::import::ImportState;

use super::{Import, OLD_READ_BYTES};
use crate::db::Connection;
use crate::db::schema::imports;

/// A stored import that must be repeated.
#[derive(Debug, Clone, QueryableByName)]
pub struct IncompleteImport {
    /// Identifies the import.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// When it began.
    #[diesel(sql_type = Timestamptz)]
    pub started_at: DateTime<Utc>,
    /// The file's name as its sender wrote it.
    #[diesel(sql_type = Text)]
    pub filename: String,
    /// [`domain::Dataset::key`].
    #[diesel(sql_type = Text)]
    pub dataset: String,
    /// The file's size.
    #[diesel(sql_type = BigInt)]
    pub size_bytes: i64,
    /// How many bytes of it were read; none where an older version did not write it down.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub bytes_read: Option<i64>,
    /// Rows read.
    #[diesel(sql_type = BigInt)]
    pub rows_read: i64,
}

/// Of an import that was cut short and repeated since, the hash is that of the whole file, which the later one read.
const FIND: &str = "\
    SELECT id, started_at, filename, dataset, size_bytes, bytes_read, rows_read \
    FROM imports AS stored \
    WHERE state = 'done' AND NOT dry_run AND started_at >= coalesce($1, '-infinity') \
      AND (bytes_read <> size_bytes OR (bytes_read IS NULL AND size_bytes > $2)) \
      AND NOT EXISTS ( \
          SELECT FROM imports AS whole \
          WHERE whole.content_sha256 = stored.content_sha256 AND whole.dataset = stored.dataset \
            AND whole.state = 'done' AND NOT whole.dry_run AND whole.bytes_read = whole.size_bytes) \
    ORDER BY started_at, id";

impl IncompleteImport {
    /// Those that began at this moment or later, or all of them, the oldest first.
    pub async fn since(conn: &mut Connection, since: Option<DateTime<Utc>>) -> QueryResult<Vec<Self>> {
        sql_query(FIND)
            .bind::<Nullable<Timestamptz>, _>(since)
            .bind::<BigInt, _>(i64::try_from(OLD_READ_BYTES).unwrap_or(i64::MAX))
            .load(conn)
            .await
    }
}

impl Import {
    /// How many imports that began at this moment or later, or at any, are stored: no dry runs, and not undone.
    pub async fn count_stored(conn: &mut Connection, since: Option<DateTime<Utc>>) -> QueryResult<i64> {
        let mut stored = imports::table
            .filter(imports::state.eq(ImportState::Done.key()))
            .filter(imports::dry_run.eq(false))
            .into_boxed();
        if let Some(since) = since {
            stored = stored.filter(imports::started_at.ge(since));
        }
        stored.count().get_result(conn).await
    }
}
