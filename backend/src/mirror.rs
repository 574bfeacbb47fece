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

use std::hash::Hash;

use chrono::{DateTime, Utc};
use diesel::result::{DatabaseErrorKind, Error as DatabaseError};
use diesel_async::AsyncConnection as _;
use domain::Text;

use crate::db::Connection;
use crate::error::{Error, Invalid, Result};
use crate::models::mirrored;

pub use authority::Authority;
use batch::Checked;
pub use batch::{Batch, Numbered, Problem};
pub use reader::Reader;

/// The most rows of one call.
pub const MOST_ROWS: usize = 1_000;

const CHANGED_MEANWHILE: Text = Text::new(
    "Alguien cambió a la vez algo que estas filas necesitan. No se guardó nada; vuelve a enviarlas.",
    "Somebody changed something that these rows need at the same moment. Nothing was stored; send them again.",
);

/// A row of a table that the platform mirrors.
pub trait Mirrored: Send + Sync + Sized {
    /// The table, whose calls take turns.
    const TABLE: &'static str;
    /// The field that a second row of the same key is told by.
    const KEY_FIELD: &'static str = "id";
    /// What a row is known by.
    type Key: Eq + Hash;

    /// What this row is known by.
    fn key(&self) -> Self::Key;

    /// Which rows this caller may not store, and why; the others are stored. What that rests on stays as it is until the
    /// transaction ends.
    fn refused(
        _conn: &mut Connection,
        _rows: &[Numbered<Self>],
        _authority: Authority,
    ) -> impl Future<Output = Result<Vec<Problem>>> + Send {
        async { Ok(Vec::new()) }
    }

    /// Makes room for the rows where something must be unique, and tells which of them find none.
    fn make_room(
        _conn: &mut Connection,
        _rows: &[Numbered<Self>],
    ) -> impl Future<Output = Result<Vec<Problem>>> + Send {
        async { Ok(Vec::new()) }
    }

    /// Stores the rows and answers with how many were written.
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

/// Stores a call's rows, as far as the caller's authority goes.
pub async fn write<R: Mirrored>(
    conn: &mut Connection,
    batch: Batch<R>,
    authority: Authority,
    now: DateTime<Utc>,
) -> Result<Written> {
    conn.transaction(async |conn| {
        mirrored::take_turn(conn, R::TABLE).await?;
        let Checked { rows, refused } = batch.check(conn, authority).await?;
        Ok(Written { rows: R::store(conn, rows, now).await?, refused })
    })
    .await
    .map_err(overtaken)
}

/// What was checked and still failed was changed between the check and the write.
fn overtaken(error: Error) -> Error {
    if let Error::Internal(cause) = &error
        && let Some(DatabaseError::DatabaseError(kind, _)) = cause.downcast_ref()
        && matches!(kind, DatabaseErrorKind::UniqueViolation | DatabaseErrorKind::ForeignKeyViolation)
    {
        return Error::Conflict(CHANGED_MEANWHILE.into());
    }
    error
}
