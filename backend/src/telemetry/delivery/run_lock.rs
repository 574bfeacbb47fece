//! The lock that allows only one run at a time, across all processes. It is a session-level advisory lock,
//! which PostgreSQL releases when the connection or the process ends. Leases are written on the same
//! connection, so a run that has lost the lock cannot send anything more.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use domain::Driver as DriverName;
use tokio::time::sleep;
use tracing::warn;
use uuid::Uuid;

use super::connection;
use crate::db::advisory_lock::AdvisoryLock;
use crate::db::{Connection, Pool};
use crate::error::Result;
use crate::models::sync_run::run_lock;
use crate::models::telemetry_delivery::{self as deliveries, EventPosition, Lease, ReclaimedEvent};
use crate::models::{QueryResult, installation};

/// How long a terminated session may take to release its lock.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The run lock, and the connection that holds it.
pub struct RunLock {
    conn: Connection,
    /// The id of this hub, from which the events' ids at the services are derived.
    pub installation_id: Uuid,
}

impl RunLock {
    /// Acquires the lock. `None` if another run holds it and its process is not frozen.
    pub async fn acquire(pool: &Pool) -> Result<Option<Self>> {
        let mut conn = connection::open(pool).await?;
        run_lock::set_idle_timeout(&mut conn).await?;
        if !AdvisoryLock::SyncRun.try_acquire(&mut conn).await? && !take_from_frozen_run(&mut conn).await? {
            return Ok(None);
        }
        let installation_id = installation::id(&mut conn).await?;
        Ok(Some(Self { conn, installation_id }))
    }

    /// Releases the lock. Closing the connection would release it too, but some time later.
    pub async fn release(mut self) -> QueryResult<()> {
        AdvisoryLock::SyncRun.release(&mut self.conn).await
    }

    /// Allows the session to be idle from now on: a run is stored, and its heartbeat shows that its process
    /// is alive.
    pub async fn disable_idle_timeout(&mut self) -> QueryResult<()> {
        run_lock::disable_idle_timeout(&mut self.conn).await
    }

    /// Lets PostgreSQL terminate the session if it is idle: once the run is closed, it has no heartbeat.
    pub async fn set_idle_timeout(&mut self) -> QueryResult<()> {
        run_lock::set_idle_timeout(&mut self.conn).await
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
    pub async fn reclaim(&mut self, driver: DriverName, run_id: i64) -> QueryResult<Vec<ReclaimedEvent>> {
        deliveries::reclaim(&mut self.conn, driver, run_id).await
    }
}

/// Takes the lock from the run that holds it, if the process of that run is frozen.
async fn take_from_frozen_run(conn: &mut Connection) -> QueryResult<bool> {
    if !run_lock::terminate_frozen_run(conn).await? {
        return Ok(false);
    }
    warn!("Terminated the database sessions of a sync run that had no heartbeat for two minutes");
    let began = Instant::now();
    while began.elapsed() < RELEASE_TIMEOUT {
        if AdvisoryLock::SyncRun.try_acquire(conn).await? {
            run_lock::reclaim_run(conn).await?;
            return Ok(true);
        }
        sleep(POLL_INTERVAL).await;
    }
    Ok(false)
}

/// Whether a run of any process holds the lock.
pub async fn is_held(conn: &mut Connection) -> QueryResult<bool> {
    AdvisoryLock::SyncRun.is_held(conn).await
}
