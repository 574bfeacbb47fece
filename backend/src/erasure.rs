//! Erases the data of a person at their request.

use chrono::{DateTime, Utc};
use diesel_async::AsyncConnection as _;
use tracing::info;

use crate::auth::account::{LAST_ADMIN, USER_NOT_FOUND};
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::models::erasure::LATE_ROWS;
use crate::models::user::User;

/// Erases what identifies a user, everywhere, and returns the number of rows that were changed or deleted: 0 if there was
/// nothing left. Who erased it and when stays on record.
///
/// Errors: NOT_FOUND; CONFLICT for the last active admin.
pub async fn erase(conn: &mut Connection, user_id: i64, by: i64, now: DateTime<Utc>) -> Result<usize> {
    // Short, since it locks the admins and the person's row. Recording refuses the person from its end on, so it does not
    // wait for the long transaction after it.
    let anonymizing = conn.transaction(async |conn| {
        // As for a demotion: two admins cannot erase each other at the same time.
        let admins = User::lock_active_admins(conn).await?;
        if admins == [user_id] {
            return Err(Error::Conflict(LAST_ADMIN.into()));
        }
        let person = User::lock(conn, user_id).await?.ok_or(Error::NotFound(USER_NOT_FOUND.into()))?;
        let anonymized = person.anonymize(conn, by, now).await?;
        Ok((person, anonymized))
    });
    let (person, anonymized) = anonymizing.await?;
    let rows = anonymized + conn.transaction(async |conn| person.erase_rows(conn, now).await).await?;
    if rows > 0 {
        info!(user = user_id, by, rows, "The data of a person was erased");
    }
    Ok(rows)
}

/// Erases rows of people whose data was erased recently, which arrived since then.
pub async fn erase_late_rows(conn: &mut Connection, now: DateTime<Utc>) -> Result<()> {
    for person in User::erased_since(conn, now - LATE_ROWS).await? {
        conn.transaction(async |conn| person.erase_rows(conn, now).await).await?;
    }
    Ok(())
}
