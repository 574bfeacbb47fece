//! Settings of database sessions that run a few statements over and over.

use diesel::QueryResult;
use diesel_async::SimpleAsyncConnection as _;

use crate::db::Connection;

/// Each statement has one generic plan, however many monthly partitions there are. It may be planned while the tables are
/// empty, so these settings leave only index scans that return rows in order. The statements determine the rest.
///
/// PostgreSQL terminates a session that is idle in a transaction, since its locks block others. They also block this
/// process if it lost the connection and opened another. `dataporter.syncs` disables the trigger for manual changes.
const SYNC: &str = "SET idle_in_transaction_session_timeout = '10s'; \
    SET plan_cache_mode = force_generic_plan; SET statement_timeout = '5min'; \
    SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off; SET enable_sort = off; \
    SET dataporter.syncs = on";

/// One generic plan serves every group of events, because planning each group takes longer than recording it.
/// `dataporter.notes` disables the trigger that inserts pending rows, since the statement inserts them itself.
const INGEST: &str = "SET plan_cache_mode = force_generic_plan; SET dataporter.notes = on";

/// Prepares a session for the sync, under this `application_name`.
pub async fn for_sync(conn: &mut Connection, application_name: &str) -> QueryResult<()> {
    conn.batch_execute(&format!("{SYNC}; SET application_name = '{application_name}'")).await
}

/// Prepares a session for recording player events.
pub async fn for_ingest(conn: &mut Connection) -> QueryResult<()> {
    conn.batch_execute(INGEST).await
}
