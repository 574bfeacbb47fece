//! The lock that allows only one run at a time, across all processes. It is a session-level advisory lock,
//! which PostgreSQL releases when the connection or the process ends. Leases are written on the same
//! connection, so a run that has lost the lock cannot send anything more.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::prelude::QueryableByName;
use diesel::sql_query;
use diesel::sql_types::{Bool, Uuid as SqlUuid};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection as _};
use tokio::time::sleep;
use tracing::warn;
use uuid::Uuid;

use super::connection;
use crate::db::{Connection, Pool};
use crate::error::Result;
use crate::models::telemetry_delivery::{self as deliveries, EventPosition, Lease, Reclaimed};
use domain::Driver as DriverName;

/// Terminates the session that holds the lock, and all sync sessions of its process, if the run has had no
/// heartbeat for two minutes by the database's clock. Then its process is frozen and would keep the lock. The
/// statement takes no row locks, since the frozen process may hold one on the run.
const END_FROZEN_RUN: &str = "WITH holder AS ( \
        SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 \
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
            AND (classid::bigint << 32) + objid::bigint = 7238261055 \
    ), silent AS ( \
        SELECT holder.pid FROM holder JOIN telemetry_sync_logs AS run \
            ON run.status = 'running' AND run.heartbeat_at < now() - interval '2 minutes' \
                AND coalesce(run.backend_pid, holder.pid) = holder.pid \
    ) SELECT coalesce(bool_or(pg_terminate_backend(session.pid)), false) AS ended \
    FROM silent JOIN pg_stat_activity AS holding USING (pid) JOIN pg_stat_activity AS session \
        ON session.pid = holding.pid OR (session.application_name = holding.application_name \
            AND session.datname = current_database() AND holding.application_name LIKE 'dataporter sync %')";

/// Takes the run's row from its process, so that further heartbeats of that process fail. Only the process
/// with the lock may run this.
const TAKE_RUN: &str = "UPDATE telemetry_sync_logs SET backend_pid = NULL WHERE status = 'running'";

/// A process that has the lock but no stored run has no heartbeat. It runs its statements without a pause, so
/// PostgreSQL may terminate its session when it is idle for longer than this.
const LIMIT_IDLING: &str = "SET idle_session_timeout = '10s'";
/// While a run waits for responses of its services, its session may be idle.
const ALLOW_IDLING: &str = "SET idle_session_timeout = 0";

/// How long a terminated session may take to release its lock.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// No other advisory lock of ours uses this key.
const TRY_LOCK: &str = "SELECT pg_try_advisory_lock(7238261055) AS locked";

/// The run lock, and the connection that holds it.
pub struct RunLock {
    conn: Connection,
    /// The id of this hub, from which the events' ids at the services are derived.
    pub installation_id: Uuid,
}

impl RunLock {
    /// Acquires the lock. `None` if another run holds it and its process is not frozen.
    pub async fn acquire(pool: &Pool) -> Result<Option<Self>> {
        #[derive(QueryableByName)]
        struct InstallationRow {
            #[diesel(sql_type = SqlUuid)]
            id: Uuid,
        }
        let mut conn = connection::open(pool).await?;
        conn.batch_execute(LIMIT_IDLING).await?;
        if !try_lock(&mut conn).await? && !take_from_frozen_run(&mut conn).await? {
            return Ok(None);
        }
        let InstallationRow { id } = sql_query("SELECT id FROM installation").get_result(&mut conn).await?;
        Ok(Some(Self { conn, installation_id: id }))
    }

    /// Releases the lock. Closing the connection would release it too, but some time later.
    pub async fn release(mut self) -> QueryResult<()> {
        sql_query("SELECT pg_advisory_unlock(7238261055)").execute(&mut self.conn).await?;
        Ok(())
    }

    /// Allows the session to be idle from now on: a run is stored, and its heartbeat shows that its process
    /// is alive.
    pub async fn allow_idling(&mut self) -> QueryResult<()> {
        self.conn.batch_execute(ALLOW_IDLING).await
    }

    /// Lets PostgreSQL terminate the session if it is idle: once the run is closed, it has no heartbeat.
    pub async fn limit_idling(&mut self) -> QueryResult<()> {
        self.conn.batch_execute(LIMIT_IDLING).await
    }

    /// The connection that holds the lock, for other work that only one run at a time may do.
    pub const fn conn(&mut self) -> &mut Connection {
        &mut self.conn
    }

    /// Leases events for this run, which is about to send them to a driver.
    pub async fn lease(
        &mut self,
        driver: DriverName,
        run_id: i64,
        events: Vec<EventPosition>,
        now: DateTime<Utc>,
    ) -> QueryResult<Lease> {
        deliveries::acquire(&mut self.conn, driver, run_id, events, now).await
    }

    /// Reclaims the leases for this driver from runs that died.
    pub async fn reclaim(&mut self, driver: DriverName, run_id: i64) -> QueryResult<Vec<Reclaimed>> {
        deliveries::reclaim(&mut self.conn, driver, run_id).await
    }
}

async fn try_lock(conn: &mut Connection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct LockedRow {
        #[diesel(sql_type = Bool)]
        locked: bool,
    }
    let LockedRow { locked } = sql_query(TRY_LOCK).get_result(conn).await?;
    Ok(locked)
}

/// Takes the lock from the run that holds it, if the process of that run is frozen.
async fn take_from_frozen_run(conn: &mut Connection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct EndedRow {
        #[diesel(sql_type = Bool)]
        ended: bool,
    }
    let EndedRow { ended } = sql_query(END_FROZEN_RUN).get_result(conn).await?;
    if !ended {
        return Ok(false);
    }
    warn!("Terminated the database sessions of a sync run that had no heartbeat for two minutes");
    let began = Instant::now();
    while began.elapsed() < RELEASE_TIMEOUT {
        if try_lock(conn).await? {
            sql_query(TAKE_RUN).execute(conn).await?;
            return Ok(true);
        }
        sleep(POLL_INTERVAL).await;
    }
    Ok(false)
}

/// Whether a run of any process holds the lock.
pub async fn is_held(conn: &mut Connection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct HeldRow {
        #[diesel(sql_type = Bool)]
        held: bool,
    }
    let row: HeldRow = sql_query(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
             AND (classid::bigint << 32) + objid::bigint = 7238261055) AS held",
    )
    .get_result(conn)
    .await?;
    Ok(row.held)
}
