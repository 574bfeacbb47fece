//! Imports that were stored, although their file may not have been read completely.

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
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Timestamptz)]
    pub started_at: DateTime<Utc>,
    /// Name of the file, as uploaded.
    #[diesel(sql_type = Text)]
    pub filename: String,
    /// [`domain::Dataset::key`].
    #[diesel(sql_type = Text)]
    pub dataset: String,
    /// Size of the file, in bytes.
    #[diesel(sql_type = BigInt)]
    pub size_bytes: i64,
    /// Number of bytes read. `None` for imports by older versions, which did not record it.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub bytes_read: Option<i64>,
    #[diesel(sql_type = BigInt)]
    pub rows_read: i64,
}

/// An incomplete import that was repeated has the hash of the whole file, which a later import read
/// completely.
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
    /// The incomplete imports that started at this time or later, oldest first. `None` means at any time.
    pub async fn started_since(
        conn: &mut Connection,
        since: Option<DateTime<Utc>>,
    ) -> QueryResult<Vec<Self>> {
        sql_query(FIND)
            .bind::<Nullable<Timestamptz>, _>(since)
            .bind::<BigInt, _>(i64::try_from(OLD_READ_BYTES).unwrap_or(i64::MAX))
            .load(conn)
            .await
    }
}

impl Import {
    /// The number of stored imports that started at this time or later. `None` means at any time. Dry runs
    /// and imports that were undone are not counted.
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
