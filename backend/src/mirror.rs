//! Mirroring: the learning platform states its rows, and the hub stores them by their ids.
//!
//! A call is stored whole or not at all, and everything that is wrong with it is told at once, by index and field. A row
//! states all of the thing: what it leaves out is as good as empty. Knows nothing of who may call.

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
use crate::error::{Error, Result};
use crate::models::mirrored;

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

/// Stores a call's rows and answers with how many were written: new, changed or removed ones.
pub async fn write<R: Mirrored>(conn: &mut Connection, batch: Batch<R>, now: DateTime<Utc>) -> Result<usize> {
    conn.transaction(async |conn| {
        mirrored::take_turn(conn, R::TABLE).await?;
        let rows = batch.check(conn).await?;
        R::store(conn, rows, now).await
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
