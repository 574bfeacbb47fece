//! Where a run puts on record what it sends. Whoever has the desk is the only run, in whatever process: it is a database
//! connection that holds a lock, and both are gone when the process is. What is sent is put on record on that very
//! connection before, so a run that has lost the lock sends nothing more.

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
use crate::models::telemetry_delivery::{self as deliveries, Frontier, Lease, TakenOver};

/// Ends the session that holds the lock, and all others of its process's sync, where its run has shown no sign of life
/// for two minutes by the database's clock: its process is frozen, and would hold the lock for as long. It takes no row
/// locks, as the frozen process may hold one on the run.
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

/// Takes the run from its process, which cannot show itself alive from then on. Whoever holds the lock knows that it is
/// nobody else's.
const TAKE_RUN: &str = "UPDATE telemetry_sync_logs SET backend_pid = NULL WHERE status = 'running'";

/// While a process has the lock and no run is on record, nobody can tell by a sign of life whether it is frozen. Its
/// statements follow one another, so the server itself ends a session that says nothing for so long.
const LIMIT_IDLING: &str = "SET idle_session_timeout = '10s'";
/// A run may wait for its services.
const ALLOW_IDLING: &str = "SET idle_session_timeout = 0";

/// A session that was ended holds its lock for a moment more.
const UNLOCKING: Duration = Duration::from_secs(5);
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// The key is any number that no other advisory lock of ours uses.
const LOCK: &str = "SELECT pg_try_advisory_lock(7238261055) AS locked";

/// The place of the only run.
pub struct Desk {
    conn: Connection,
    /// Which hub this is.
    pub installation: Uuid,
}

impl Desk {
    /// Takes the desk, unless another run has it that is not frozen.
    pub async fn take(pool: &Pool) -> Result<Option<Self>> {
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

    /// Leaves it to the next run. Closing the connection does so too, but nobody hears when that has come about.
    pub async fn leave(mut self) -> QueryResult<()> {
        sql_query("SELECT pg_advisory_unlock(7238261055)").execute(&mut self.conn).await?;
        Ok(())
    }

    /// Shows that a run is on record, which has a heartbeat from now on.
    pub async fn allow_idling(&mut self) -> QueryResult<()> {
        self.conn.batch_execute(ALLOW_IDLING).await
    }

    /// Shows that the run ends, after which nothing has a heartbeat.
    pub async fn limit_idling(&mut self) -> QueryResult<()> {
        self.conn.batch_execute(LIMIT_IDLING).await
    }

    /// A connection for whatever else only the run may do.
    pub const fn conn(&mut self) -> &mut Connection {
        &mut self.conn
    }

    /// Puts on record that this run is sending these events to a driver from now on.
    pub async fn hold(
        &mut self,
        driver: Name,
        run_id: i64,
        events: Vec<Frontier>,
        now: DateTime<Utc>,
    ) -> QueryResult<Lease> {
        deliveries::hold(&mut self.conn, driver, run_id, events, now).await
    }

    /// Takes over what a run that died was sending to this driver.
    pub async fn take_over(&mut self, driver: Name, run_id: i64) -> QueryResult<Vec<TakenOver>> {
        deliveries::take_over(&mut self.conn, driver, run_id).await
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

/// Takes the lock from a run whose process is frozen, if that is what has it.
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
    warn!("Ended the session of a run of the sync that showed no sign of life for two minutes");
    let began = Instant::now();
    while began.elapsed() < UNLOCKING {
        if lock(conn).await? {
            sql_query(TAKE_RUN).execute(conn).await?;
            return Ok(true);
        }
        sleep(BETWEEN_TRIES).await;
    }
    Ok(false)
}

/// Whether anybody has the desk.
pub async fn is_taken(conn: &mut Connection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Taken {
        #[diesel(sql_type = Bool)]
        taken: bool,
    }
    let taken: Taken = sql_query(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
             AND (classid::bigint << 32) + objid::bigint = 7238261055) AS taken",
    )
    .get_result(conn)
    .await?;
    Ok(taken.taken)
}
