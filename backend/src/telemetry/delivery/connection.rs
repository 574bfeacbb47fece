//! Database sessions for a run: not shared with requests, and configured for a few statements that repeat.

use std::sync::LazyLock;

use diesel_async::SimpleAsyncConnection as _;
use diesel_async::pooled_connection::deadpool::Object;
use domain::Locale;

use crate::db::{Connection, Pool, outage};
use crate::error::{Error, Result};

/// Each statement has one plan, whatever number of months there is. It may be planned while the tables are empty, so rows
/// must be found by index and already in order; the statements themselves fix what these settings leave open.
///
/// PostgreSQL ends a session that is idle in a transaction, since its locks block others, and this process too if it has
/// lost the connection and opened another. `dataporter.syncs` turns off the trigger that follows changes made by hand.
const SETTINGS: &str = "SET idle_in_transaction_session_timeout = '10s'; \
    SET plan_cache_mode = force_generic_plan; SET statement_timeout = '5min'; \
    SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off; SET enable_sort = off; \
    SET dataporter.syncs = on";

/// The `application_name` of this process's sessions. If this process is frozen, another one ends all of them by this
/// name, as any of them may be in the middle of a transaction.
static NAME: LazyLock<String> = LazyLock::new(|| format!("dataporter sync {:016x}", rand::random::<u64>()));

/// Opens a session, which never goes back to the pool, since nobody else should have it with these settings.
pub async fn open(pool: &Pool) -> Result<Connection> {
    let mut conn = Object::take(pool.get().await?);
    conn.batch_execute(&format!("{SETTINGS}; SET application_name = '{}'", *NAME)).await?;
    Ok(conn)
}

/// The error for the log.
pub fn for_log(error: Error) -> anyhow::Error {
    match error {
        Error::Internal(cause) => cause,
        Error::Unavailable => outage::Away.into(),
        other => anyhow::anyhow!(other.message(Locale::En)),
    }
}
