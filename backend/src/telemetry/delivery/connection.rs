//! The connections of a run: its own, set for a few statements over and over.

use std::sync::LazyLock;

use diesel_async::SimpleAsyncConnection as _;
use diesel_async::pooled_connection::deadpool::Object;
use domain::Locale;

use crate::db::{Connection, Pool, outage};
use crate::error::{Error, Result};

/// One plan serves every statement, however many months there are. It may be made when the tables are empty, so it is to
/// find its rows by indexes and in order; what these settings leave open the statements say themselves.
///
/// A session whose process says nothing in the middle of a transaction is ended: what it has locked keeps others waiting,
/// and the same process too, when it has lost the connection and opened another. A trigger that follows changes by hand
/// leaves ours alone.
const SETTINGS: &str = "SET idle_in_transaction_session_timeout = '10s'; \
    SET plan_cache_mode = force_generic_plan; SET statement_timeout = '5min'; \
    SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off; SET enable_sort = off; \
    SET dataporter.syncs = on";

/// The name of this process's sessions, by which another one ends all of them when this one is frozen: it may be in the
/// middle of a transaction.
static NAME: LazyLock<String> = LazyLock::new(|| format!("dataporter sync {:016x}", rand::random::<u64>()));

/// Opens one, which is closed in the end: nobody else should have it with these settings.
pub async fn open(pool: &Pool) -> Result<Connection> {
    let mut conn = Object::take(pool.get().await?);
    conn.batch_execute(&format!("{SETTINGS}; SET application_name = '{}'", *NAME)).await?;
    Ok(conn)
}

/// For the log.
pub fn in_short(error: Error) -> anyhow::Error {
    match error {
        Error::Internal(cause) => cause,
        Error::Unavailable => outage::Away.into(),
        other => anyhow::anyhow!(other.message(Locale::En)),
    }
}
