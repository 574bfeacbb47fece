//! Database connections for a run. They are not shared with requests, and are configured for a few repeated
//! statements.

use std::sync::LazyLock;

use diesel_async::pooled_connection::deadpool::Object;
use domain::Locale;

use crate::db::{Connection, Pool, outage};
use crate::error::{Error, Result};
use crate::models::session_settings;

/// The `application_name` of this process's sessions. If this process is frozen, another process terminates
/// all sessions with this name, since any of them may be in a transaction.
static APPLICATION_NAME: LazyLock<String> =
    LazyLock::new(|| format!("dataporter sync {:016x}", rand::random::<u64>()));

/// Opens a connection. It never returns to the pool, since no other code should use it with these settings.
pub async fn open(pool: &Pool) -> Result<Connection> {
    let mut conn = Object::take(pool.get().await?);
    session_settings::for_sync(&mut conn, &APPLICATION_NAME).await?;
    Ok(conn)
}

/// Converts an error for the log.
pub fn for_log(error: Error) -> anyhow::Error {
    match error {
        Error::Internal(cause) => cause,
        Error::Unavailable => outage::Unavailable.into(),
        other => anyhow::anyhow!(other.message().into_locale(Locale::En)),
    }
}
