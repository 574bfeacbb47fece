//! Where a run takes up events. Whoever has the desk is the only run, in whatever process: it is a database connection
//! that holds a lock, and both are gone when the process is. What is taken up is taken up on that very connection, so a
//! run that has lost the lock takes up nothing more.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryResult;
use diesel::prelude::QueryableByName;
use diesel::sql_query;
use diesel::sql_types::{Bool, Uuid as SqlUuid};
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection as _};
use uuid::Uuid;

use crate::db::{Connection, Pool};
use crate::error::Result;
use crate::models::driver::Driver as Name;
use crate::models::telemetry_delivery::{self as deliveries, Frontier, Lease, OwedEvent, Take};

/// The key is any number that no other advisory lock of ours uses.
const LOCK: &str = "SELECT pg_try_advisory_lock(7238261055) AS locked";

/// One plan serves every statement, however many months there are; and each of them finds its rows by an index, in
/// order, however much is owed.
const SETTINGS: &str = "SET plan_cache_mode = force_generic_plan; SET statement_timeout = '5min'; \
    SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off; SET enable_sort = off";

/// A run that is not done with what it took up by then has lost its lock long before.
const LEASE: TimeDelta = TimeDelta::minutes(5);

/// The place of the only run.
pub struct Desk {
    conn: Connection,
    /// Which hub this is.
    pub installation: Uuid,
    fresh_after: Frontier,
}

/// How far a driver's share of what was taken up before has been gone through.
#[derive(Debug)]
pub struct Passage {
    due_after: Frontier,
    batch: Option<i64>,
}

impl Passage {
    /// From the oldest on; with `batch` only what that run left.
    pub const fn new(batch: Option<i64>) -> Self {
        Self { due_after: Frontier::START, batch }
    }
}

impl Desk {
    /// Takes the desk, unless another run has it.
    pub async fn take(pool: &Pool) -> Result<Option<Self>> {
        #[derive(QueryableByName)]
        struct Locked {
            #[diesel(sql_type = Bool)]
            locked: bool,
        }
        #[derive(QueryableByName)]
        struct Installation {
            #[diesel(sql_type = SqlUuid)]
            id: Uuid,
        }
        let mut conn = Object::take(pool.get().await?);
        let Locked { locked } = sql_query(LOCK).get_result(&mut conn).await?;
        if !locked {
            return Ok(None);
        }
        conn.batch_execute(SETTINGS).await?;
        let Installation { id } = sql_query("SELECT id FROM installation").get_result(&mut conn).await?;
        Ok(Some(Self { conn, installation: id, fresh_after: Frontier::START }))
    }

    /// A connection for whatever else only the run may do.
    pub const fn conn(&mut self) -> &mut Connection {
        &mut self.conn
    }

    /// Takes over what a run that died had taken up for this driver.
    pub async fn take_over(
        &mut self,
        driver: Name,
        run_id: i64,
        now: DateTime<Utc>,
    ) -> QueryResult<Vec<OwedEvent>> {
        deliveries::take_over(&mut self.conn, driver, lease(run_id, now)).await
    }

    /// Takes up events for a driver: what it is owed from before, and then what nobody has taken up yet.
    pub async fn take_up(
        &mut self,
        driver: Name,
        enabled: &[Name],
        passage: &mut Passage,
        limit: usize,
        run_id: i64,
        now: DateTime<Utc>,
    ) -> QueryResult<Vec<OwedEvent>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let take = Take { driver, lease: lease(run_id, now), after: passage.due_after, limit, now };
        let mut taken = self.take_due(take, passage).await?;
        let room = limit.saturating_sub_unsigned(taken.len() as u64);
        if room > 0 && passage.batch.is_none() {
            taken.extend(self.take_fresh(Take { limit: room, ..take }, enabled).await?);
        }
        Ok(taken)
    }

    /// What became due behind our back is found when there is nothing ahead.
    async fn take_due(&mut self, take: Take, passage: &mut Passage) -> QueryResult<Vec<OwedEvent>> {
        loop {
            let taken =
                deliveries::claim(&mut self.conn, Take { after: passage.due_after, ..take }, passage.batch)
                    .await?;
            let was_at_start = passage.due_after == Frontier::START;
            passage.due_after = taken.last().map_or(Frontier::START, OwedEvent::frontier);
            // A batch is gone through once: what fails again is for the next run.
            if passage.batch.is_some() && taken.is_empty() {
                passage.due_after = Frontier::END;
            }
            if !taken.is_empty() || was_at_start || passage.batch.is_some() {
                return Ok(taken);
            }
        }
    }

    /// So is what was recorded meanwhile of an earlier time.
    async fn take_fresh(&mut self, take: Take, enabled: &[Name]) -> QueryResult<Vec<OwedEvent>> {
        loop {
            let after = self.fresh_after;
            let taken = deliveries::enrol(&mut self.conn, Take { after, ..take }, enabled).await?;
            self.fresh_after = taken.last().map_or(Frontier::START, OwedEvent::frontier);
            if !taken.is_empty() || after == Frontier::START {
                return Ok(taken);
            }
        }
    }

    /// Gives back what was taken up and not sent.
    pub async fn release(&mut self, driver: Name, run_id: i64, event_ids: &[i64]) -> QueryResult<usize> {
        deliveries::release(&mut self.conn, driver, run_id, event_ids).await
    }
}

fn lease(run_id: i64, now: DateTime<Utc>) -> Lease {
    Lease { run_id, until: now + LEASE }
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
