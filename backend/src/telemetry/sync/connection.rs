//! The connections of a run: its own, set for a few statements over and over.

use diesel_async::SimpleAsyncConnection as _;
use diesel_async::pooled_connection::deadpool::Object;

use crate::db::{Connection, Pool};
use crate::error::Result;

/// One plan serves every statement, however many months there are. It may be made when the tables are empty, so it is to
/// find its rows by indexes and in order; what these settings leave open the statements say themselves.
///
/// PostgreSQL finds out within a minute that the other end is gone, since it may hold the lock. A trigger that follows
/// changes by hand leaves ours alone.
const SETTINGS: &str = "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; \
    SET tcp_keepalives_count = 3; SET plan_cache_mode = force_generic_plan; SET statement_timeout = '5min'; \
    SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off; SET enable_sort = off; \
    SET dataporter.syncs = on";

/// Opens one, which is closed in the end: nobody else should have it with these settings.
pub async fn open(pool: &Pool) -> Result<Connection> {
    let mut conn = Object::take(pool.get().await?);
    conn.batch_execute(SETTINGS).await?;
    Ok(conn)
}
