//! Statements for the lock of the sync run in progress, [`AdvisoryLock::SyncRun`].

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Bool;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection as _};

use crate::db::Connection;
use crate::db::advisory_lock::AdvisoryLock;

/// A process that holds the lock but has no stored run has no heartbeat. It runs its statements without
/// pauses, so an idle session means that the process is frozen. PostgreSQL then terminates the session, which
/// releases the lock.
const SET_IDLE_TIMEOUT: &str = "SET idle_session_timeout = '10s'";
/// While a run waits for responses of services, its session may be idle.
const DISABLE_IDLE_TIMEOUT: &str = "SET idle_session_timeout = 0";

/// SQL that is true of a run without a heartbeat for two minutes by the database's clock.
pub const IS_UNRESPONSIVE: &str = "heartbeat_at < now() - interval '2 minutes'";

/// Terminates the session that holds the lock, and all sync sessions of its process, if the run has had no
/// heartbeat for two minutes by the database's clock: its process is frozen and would keep the lock. Returns
/// whether a session was terminated. The statement does not lock the run's row, since the frozen process may
/// have locked it.
pub async fn terminate_frozen_run(conn: &mut Connection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct EndedRow {
        #[diesel(sql_type = Bool)]
        ended: bool,
    }
    let holder = AdvisoryLock::SyncRun.holders();
    let row: EndedRow = sql_query(format!(
        "WITH holder AS ({holder}), silent AS ( \
            SELECT holder.pid FROM holder JOIN telemetry_sync_logs AS run \
                ON run.status = 'running' AND {IS_UNRESPONSIVE} \
                    AND coalesce(run.backend_pid, holder.pid) = holder.pid \
        ) SELECT coalesce(bool_or(pg_terminate_backend(session.pid)), false) AS ended \
        FROM silent JOIN pg_stat_activity AS holding USING (pid) JOIN pg_stat_activity AS session \
            ON session.pid = holding.pid OR (session.application_name = holding.application_name \
                AND session.datname = current_database() AND holding.application_name LIKE 'dataporter sync %')"
    ))
    .get_result(conn)
    .await?;
    Ok(row.ended)
}

/// Disassociates the run's row from its process, so that further heartbeats of that process fail. Only the
/// process that holds the lock may do this.
pub async fn reclaim_run(conn: &mut Connection) -> QueryResult<()> {
    sql_query("UPDATE telemetry_sync_logs SET backend_pid = NULL WHERE status = 'running'")
        .execute(conn)
        .await?;
    Ok(())
}

/// Makes PostgreSQL terminate this session if it is idle for ten seconds.
pub async fn set_idle_timeout(conn: &mut Connection) -> QueryResult<()> {
    conn.batch_execute(SET_IDLE_TIMEOUT).await
}

/// Allows this session to be idle for any time.
pub async fn disable_idle_timeout(conn: &mut Connection) -> QueryResult<()> {
    conn.batch_execute(DISABLE_IDLE_TIMEOUT).await
}
