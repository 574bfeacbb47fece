//! The lock that lets only one run send at a time, across all processes: a session-level advisory lock, which is released
//! when its connection or its process ends. Leases are written on the same connection, so a run that has lost the lock
//! can send nothing more.

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
use crate::models::driver::Driver as Name;
use crate::models::telemetry_delivery::{self as deliveries, EventPosition, Lease, Reclaimed};

/// Ends the session that holds the lock, and all sync sessions of its process, if its run has had no heartbeat for two
/// minutes by the database's clock: then its process is frozen and would keep the lock. Takes no row locks, as the
/// frozen process may hold one on the run.
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

/// Takes the run's row from its process, whose heartbeats fail from then on. The holder of the lock knows that nobody
/// else owns the row.
const TAKE_RUN: &str = "UPDATE telemetry_sync_logs SET backend_pid = NULL WHERE status = 'running'";

/// A process that has the lock and no run on record shows no heartbeat. Its statements follow one another, so PostgreSQL
/// itself ends a session that is idle for longer.
const LIMIT_IDLING: &str = "SET idle_session_timeout = '10s'";
/// While a run waits for its services, its session may be idle.
const ALLOW_IDLING: &str = "SET idle_session_timeout = 0";

/// How long a session that was ended may take to release its lock.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The key is a number that no other advisory lock of ours uses.
const LOCK: &str = "SELECT pg_try_advisory_lock(7238261055) AS locked";

/// The lock of the only run, and the connection that holds it.
pub struct RunLock {
    conn: Connection,
    /// The hub's own id, which is part of each event's id at the services.
    pub installation: Uuid,
}

impl RunLock {
    /// Acquires the lock; `None` if a run has it whose process is not frozen.
    pub async fn acquire(pool: &Pool) -> Result<Option<Self>> {
        #[derive(QueryableByName)]
        struct Installation {
            #[diesel(sql_type = SqlUuid)]
            id: Uuid,
        }
        let mut conn = connection::open(pool).await?;
        conn.batch_execute(LIMIT_IDLING).await?;
        if !lock(&mut conn).await? && !take_from_frozen_run(&mut conn).await? {
            return Ok(None);
        }
        let Installation { id } = sql_query("SELECT id FROM installation").get_result(&mut conn).await?;
        Ok(Some(Self { conn, installation: id }))
    }

    /// Releases the lock. Closing the connection does so too, but at some later moment.
    pub async fn release(mut self) -> QueryResult<()> {
        sql_query("SELECT pg_advisory_unlock(7238261055)").execute(&mut self.conn).await?;
        Ok(())
    }

    /// Lets the session be idle from now on: a run is on record, and its heartbeat shows that its process is alive.
    pub async fn allow_idling(&mut self) -> QueryResult<()> {
        self.conn.batch_execute(ALLOW_IDLING).await
    }

    /// Lets PostgreSQL end the session if it is idle: the run is about to be closed, and has no heartbeat then.
    pub async fn limit_idling(&mut self) -> QueryResult<()> {
        self.conn.batch_execute(LIMIT_IDLING).await
    }

    /// The connection that holds the lock, for everything else that only one run at a time may do.
    pub const fn conn(&mut self) -> &mut Connection {
        &mut self.conn
    }

    /// Puts on record that this run is about to send these events to a driver.
    pub async fn lease(
        &mut self,
        driver: Name,
        run_id: i64,
        events: Vec<EventPosition>,
        now: DateTime<Utc>,
    ) -> QueryResult<Lease> {
        deliveries::acquire(&mut self.conn, driver, run_id, events, now).await
    }

    /// Takes over the leases for this driver of runs that died.
    pub async fn reclaim(&mut self, driver: Name, run_id: i64) -> QueryResult<Vec<Reclaimed>> {
        deliveries::reclaim(&mut self.conn, driver, run_id).await
    }
}

async fn lock(conn: &mut Connection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Locked {
        #[diesel(sql_type = Bool)]
        locked: bool,
    }
    let Locked { locked } = sql_query(LOCK).get_result(conn).await?;
    Ok(locked)
}

/// Takes the lock from a run whose process is frozen, if such a run holds it.
async fn take_from_frozen_run(conn: &mut Connection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Ended {
        #[diesel(sql_type = Bool)]
        ended: bool,
    }
    let Ended { ended } = sql_query(END_FROZEN_RUN).get_result(conn).await?;
    if !ended {
        return Ok(false);
    }
    warn!("Ended the database sessions of a sync run without a heartbeat for two minutes");
    let began = Instant::now();
    while began.elapsed() < RELEASE_TIMEOUT {
        if lock(conn).await? {
            sql_query(TAKE_RUN).execute(conn).await?;
            return Ok(true);
        }
        sleep(POLL_INTERVAL).await;
    }
    Ok(false)
}

/// Whether a run holds the lock, in whatever process.
pub async fn is_held(conn: &mut Connection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Held {
        #[diesel(sql_type = Bool)]
        held: bool,
    }
    let held: Held = sql_query(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
             AND (classid::bigint << 32) + objid::bigint = 7238261055) AS held",
    )
    .get_result(conn)
    .await?;
    Ok(held.held)
}
