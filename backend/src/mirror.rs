//! Mirroring: the learning platform sends rows, and the hub stores them by their ids.
//!
//! A call is stored completely or not at all, and all errors are reported at once, by index and field. The
//! exception is a row that the caller is not authorised to store: it is refused by name, and the others are
//! stored. A row states all of its fields: one that it omits is set to its default. Knows nothing of who may
//! call.

mod authority;
mod batch;
mod course;
pub mod course_teacher;
mod problem;
mod reader;
mod related;
mod teacher_submission;
mod unique;
mod user;

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::result::{DatabaseErrorKind, Error as DatabaseError};
use diesel_async::AsyncConnection as _;
use domain::Text;
use tracing::warn;

use crate::db::Connection;
use crate::db::lock_timeout::{RETRY_AFTER_LOCK_TIMEOUT, is_lock_timeout, limit_lock_waits};
use crate::error::{Error, InvalidField, Result};
use crate::models::mirrored;

pub use authority::Authority;
use batch::CheckedRows;
pub use batch::{Batch, Indexed};
pub use problem::Problem;
pub use reader::Reader;

/// The maximum number of rows in a call.
pub const MAX_ROWS: usize = 1_000;

const CONCURRENT_CHANGE: Text = Text::new(
    "Al mismo tiempo se modificaron datos de los que dependen estas filas. No se guardó nada; vuelve a enviarlas.",
    "Data that these rows depend on was changed at the same time. Nothing was stored. Send them again.",
);

/// A row of a table that the platform mirrors.
pub trait Mirrored: PartialEq + Send + Sync + Sized {
    /// The table. Calls for the same table run one at a time.
    const TABLE: &'static str;
    /// The field that reports a duplicate key.
    const KEY_FIELD: &'static str = "id";
    /// The type of the key that identifies a row.
    type Key: Copy + Eq + Hash + Ord + Send + Sync;

    /// The key of this row.
    fn key(&self) -> Self::Key;

    /// Returns which of these rows the caller is not authorised to store, and why. All of them would change
    /// something. Locks the rows that this depends on until the transaction ends.
    fn refused_rows(
        _conn: &mut Connection,
        _rows: &[Indexed<Self>],
        _authority: Authority,
    ) -> impl Future<Output = Result<Vec<Problem>>> + Send {
        async { Ok(Vec::new()) }
    }

    /// Reads the stored rows with these keys. The result may include others.
    fn stored(
        conn: &mut Connection,
        keys: &[Self::Key],
    ) -> impl Future<Output = QueryResult<Vec<Self>>> + Send;

    /// Whether this row equals the stored row with its key.
    fn is_stored(&self, stored: Option<&Self>) -> bool {
        stored == Some(self)
    }

    /// Locks the stored rows with these sorted keys, and other rows that must not change meanwhile. All code
    /// that locks several of these rows uses the same order, to avoid deadlocks.
    fn lock(conn: &mut Connection, keys: &[Self::Key]) -> impl Future<Output = QueryResult<()>> + Send;

    /// Clears unique values that move from one of these rows to another, and returns the rows whose values
    /// are taken.
    fn free_unique_values(
        _conn: &mut Connection,
        _rows: &[Indexed<Self>],
    ) -> impl Future<Output = Result<Vec<Problem>>> + Send {
        async { Ok(Vec::new()) }
    }

    /// Stores new and changed rows in the order of their keys. Returns the number of rows written.
    fn store(
        conn: &mut Connection,
        rows: Vec<Self>,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<usize>> + Send;
}

/// The result of a call.
#[derive(Debug)]
pub struct WriteSummary {
    /// The number of new, changed or removed rows.
    pub rows: usize,
    /// The rows that the caller is not authorised to store. They were not stored.
    pub refused: Vec<InvalidField>,
}

/// Stores the rows of a call that the caller may store. Unchanged rows are neither written nor locked.
pub async fn write<R: Mirrored>(
    conn: &mut Connection,
    batch: Batch<R>,
    authority: Authority,
    now: DateTime<Utc>,
) -> Result<WriteSummary> {
    let started = Instant::now();
    conn.transaction(async |conn| {
        limit_lock_waits(conn).await?;
        mirrored::acquire_table_lock(conn, R::TABLE).await?;
        let mut keys = batch.keys();
        keys.sort_unstable();
        let stored: HashMap<R::Key, R> =
            R::stored(conn, &keys).await?.into_iter().map(|row| (row.key(), row)).collect();
        let changes = |row: &R| !row.is_stored(stored.get(&row.key()));
        let mut to_lock = batch.keys_where(changes);
        to_lock.sort_unstable();
        if !to_lock.is_empty() {
            R::lock(conn, &to_lock).await?;
        }
        let CheckedRows { mut rows, refused } = batch.check(conn, authority, changes).await?;
        rows.retain(changes);
        rows.sort_unstable_by_key(Mirrored::key);
        let rows = if rows.is_empty() { 0 } else { R::store(conn, rows, now).await? };
        Ok(WriteSummary { rows, refused })
    })
    .await
    .map_err(|error| translate_error(error, started.elapsed()))
}

/// Translates errors caused by concurrent changes. A constraint violation means that data was changed between
/// the check and the write. An unknown error after the lock timeout means that waiting for a lock timed out.
fn translate_error(error: Error, elapsed: Duration) -> Error {
    if let Error::Internal(cause) = &error
        && let Some(DatabaseError::DatabaseError(kind, _)) = cause.downcast_ref()
    {
        match kind {
            DatabaseErrorKind::UniqueViolation | DatabaseErrorKind::ForeignKeyViolation => {
                return Error::Conflict(CONCURRENT_CHANGE.into());
            }
            kind if is_lock_timeout(kind, elapsed) => {
                warn!(?cause, ?elapsed, "Timed out waiting for the locks of mirrored rows");
                return Error::Busy { retry_after: RETRY_AFTER_LOCK_TIMEOUT };
            }
            _ => {}
        }
    }
    error
}
