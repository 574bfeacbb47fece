//! Mirroring: the learning platform states its rows, and the hub stores them by their ids.
//!
//! A call is stored whole or not at all, and everything that is wrong with it is told at once, by index and field; only
//! rows that are more than the caller may do are left out, by name. A row states all of the thing: what it leaves out is
//! as good as empty. Knows nothing of who may call.

mod authority;
mod batch;
mod course;
pub mod course_teacher;
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
use crate::error::{Error, Invalid, Result};
use crate::models::mirrored;

pub use authority::Authority;
use batch::Checked;
pub use batch::{Batch, Numbered, Problem};
pub use reader::Reader;

/// The most rows of one call.
pub const MOST_ROWS: usize = 1_000;

/// A call waits no longer than this for rows that others hold: its sender may come back, and whoever waits behind it may
/// go on.
const LOCK_TIMEOUT: Duration = Duration::from_secs(3);

/// When to send a call again that was given up for that.
const RETRY_AFTER: Duration = Duration::from_secs(5);

const CHANGED_MEANWHILE: Text = Text::new(
    "Alguien cambió a la vez algo que estas filas necesitan. No se guardó nada; vuelve a enviarlas.",
    "Somebody changed something that these rows need at the same moment. Nothing was stored; send them again.",
);

/// A row of a table that the platform mirrors.
pub trait Mirrored: PartialEq + Send + Sync + Sized {
    /// The table, whose calls take turns.
    const TABLE: &'static str;
    /// The field that a second row of the same key is told by.
    const KEY_FIELD: &'static str = "id";
    /// What a row is known by.
    type Key: Copy + Eq + Hash + Ord + Send + Sync;

    /// What this row is known by.
    fn key(&self) -> Self::Key;

    /// Which of these rows, which would all change something, this caller may not store, and why; the others are stored.
    /// What that rests on stays as it is until the transaction ends.
    fn refused(
        _conn: &mut Connection,
        _rows: &[Numbered<Self>],
        _authority: Authority,
    ) -> impl Future<Output = Result<Vec<Problem>>> + Send {
        async { Ok(Vec::new()) }
    }

    /// The stored rows of these keys; others may be among them.
    fn stored(
        conn: &mut Connection,
        keys: &[Self::Key],
    ) -> impl Future<Output = QueryResult<Vec<Self>>> + Send;

    /// Whether storing this row would change nothing of what is stored under its key.
    fn is_stored(&self, stored: Option<&Self>) -> bool {
        stored == Some(self)
    }

    /// Locks what is stored under these keys, which are in order, and whatever else must not change meanwhile. All who
    /// lock several of these rows keep to one order, so that none waits for the other.
    fn lock(conn: &mut Connection, keys: &[Self::Key]) -> impl Future<Output = QueryResult<()>> + Send;

    /// Makes room for the rows where something must be unique, and tells which of them find none.
    fn make_room(
        _conn: &mut Connection,
        _rows: &[Numbered<Self>],
    ) -> impl Future<Output = Result<Vec<Problem>>> + Send {
        async { Ok(Vec::new()) }
    }

    /// Stores rows that are new or changed, in the order of their keys, and answers with how many were written.
    fn store(
        conn: &mut Connection,
        rows: Vec<Self>,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<usize>> + Send;
}

/// What became of a call.
#[derive(Debug)]
pub struct Written {
    /// How many rows were written: new, changed or removed ones.
    pub rows: usize,
    /// The rows that the caller may not store; nothing of them was.
    pub refused: Vec<Invalid>,
}

/// Stores a call's rows, as far as the caller's authority goes. Rows that are stored already are neither written nor
/// locked.
pub async fn write<R: Mirrored>(
    conn: &mut Connection,
    batch: Batch<R>,
    authority: Authority,
    now: DateTime<Utc>,
) -> Result<Written> {
    let began = Instant::now();
    conn.transaction(async |conn| {
        mirrored::limit_waits(conn, LOCK_TIMEOUT).await?;
        mirrored::take_turn(conn, R::TABLE).await?;
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
        let Checked { mut rows, refused } = batch.check(conn, authority, changes).await?;
        rows.retain(changes);
        rows.sort_unstable_by_key(Mirrored::key);
        let rows = if rows.is_empty() { 0 } else { R::store(conn, rows, now).await? };
        Ok(Written { rows, refused })
    })
    .await
    .map_err(|error| hindered(error, began.elapsed()))
}

/// What was checked and still failed was changed between the check and the write; what failed for no reason of its rows
/// after so long a wait had waited for somebody else.
fn hindered(error: Error, after: Duration) -> Error {
    if let Error::Internal(cause) = &error
        && let Some(DatabaseError::DatabaseError(kind, _)) = cause.downcast_ref()
    {
        match kind {
            DatabaseErrorKind::UniqueViolation | DatabaseErrorKind::ForeignKeyViolation => {
                return Error::Conflict(CHANGED_MEANWHILE.into());
            }
            // A lock timeout has no kind of its own, and its words are in the server's language.
            DatabaseErrorKind::Unknown if after >= LOCK_TIMEOUT => {
                warn!(?cause, ?after, "A mirrored call met rows that somebody else holds");
                return Error::Busy { retry_after: RETRY_AFTER };
            }
            _ => {}
        }
    }
    error
}
