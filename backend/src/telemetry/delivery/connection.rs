//! Database connections for a run. They are not shared with requests, and are configured for a few repeated
//! statements.

use std::sync::LazyLock;

use diesel_async::SimpleAsyncConnection as _;
use diesel_async::pooled_connection::deadpool::Object;
use domain::Locale;

use crate::db::{Connection, Pool, outage};
use crate::error::{Error, Result};

/// Each statement has one generic plan, however many monthly partitions there are. It may be planned while
/// the tables are empty, so these settings leave only index scans that return rows in order. The statements
/// determine the rest.
///
/// PostgreSQL terminates a session that is idle in a transaction, since its locks block others. They also
/// block this process if it lost the connection and opened another. `dataporter.syncs` disables the trigger
/// for manual changes.
const SETTINGS: &str = "SET idle_in_transaction_session_timeout = '10s'; \
    SET plan_cache_mode = force_generic_plan; SET statement_timeout = '5min'; \
    SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off; SET enable_sort = off; \
    SET dataporter.syncs = on";

/// The `application_name` of this process's sessions. If this process is frozen, another process terminates
/// all sessions with this name, since any of them may be in a transaction.
static APPLICATION_NAME: LazyLock<String> =
    LazyLock::new(|| format!("dataporter sync {:016x}", rand::random::<u64>()));

/// Opens a connection. It never returns to the pool, since no other code should use it with these settings.
pub async fn open(pool: &Pool) -> Result<Connection> {
    let mut conn = Object::take(pool.get().await?);
    conn.batch_execute(&format!("{SETTINGS}; SET application_name = '{}'", *APPLICATION_NAME)).await?;
    Ok(conn)
}

/// Converts an error for the log.
pub fn for_log(error: Error) -> anyhow::Error {
    match error {
        Error::Internal(cause) => cause,
        Error::Unavailable => outage::Unavailable.into(),
        other => anyhow::anyhow!(other.message(Locale::En)),
    }
}
