//! Runs of the sync to the analytics services: the table `telemetry_sync_logs`.

mod driver_stats;
pub mod notification;
pub mod run_lock;
mod run_reason;

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, now, sql};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Nullable};
use diesel_async::RunQueryDsl;
use domain::Driver;
use domain::sync::{SyncState, SyncTrigger};
use serde_json::Value;

use crate::db::Connection;
use crate::db::schema::{telemetry_sync_logs as runs, users};
pub use driver_stats::{DriverStats, Outage};
pub use run_reason::RunReason;

/// A run of the sync.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncRun {
    pub id: i64,
    pub state: SyncState,
    pub trigger: SyncTrigger,
    /// The name of the user who started it.
    pub triggered_by: Option<String>,
    /// Maximum number of events to send per driver.
    pub event_limit: Option<i32>,
    /// One per driver.
    pub drivers: Vec<DriverStats>,
    /// Events that are no longer pending for any driver.
    pub processed: i32,
    pub started_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    pub duration_ms: Option<i64>,
    /// Why the run ended as it did.
    pub reason: Option<RunReason>,
    /// Enabled drivers that the run's process has not configured. Their events remain pending.
    pub drivers_left_out: Vec<Driver>,
}

/// A row with its values as they are stored.
#[derive(Debug, HasQuery)]
#[diesel(table_name = runs)]
#[diesel(base_query = runs::table.left_join(users::table))]
struct Row {
    id: i64,
    #[diesel(deserialize_as = String)]
    status: SyncState,
    #[diesel(deserialize_as = String)]
    trigger: SyncTrigger,
    #[diesel(select_expression = users::name.nullable())]
    triggered_by_name: Option<String>,
    event_limit: Option<i32>,
    drivers: Value,
    processed: i32,
    started_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    duration_ms: Option<i64>,
    message: Option<String>,
    drivers_left_out: Value,
}

/// A run that starts.
#[derive(Debug, Clone, Copy)]
pub struct NewSyncRun {
    pub trigger: SyncTrigger,
    /// The user who started it.
    pub triggered_by: Option<i64>,
    /// Maximum number of events to send per driver.
    pub event_limit: Option<i32>,
    pub started_at: DateTime<Utc>,
}

/// The final values of a run that has ended.
#[derive(Debug, Clone)]
pub struct FinishedRun {
    pub state: SyncState,
    /// One per driver.
    pub drivers: Vec<DriverStats>,
    /// Events that are no longer pending for any driver.
    pub processed: i32,
    pub finished_at: DateTime<Utc>,
    /// Why the run ended as it did.
    pub reason: Option<RunReason>,
}

/// Which runs to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunFilter {
    /// Only runs that were not skipped.
    NotSkipped,
    /// All runs.
    All,
}

impl NewSyncRun {
    /// Inserts the run and returns its id. `conn` must be the connection that holds the run lock.
    pub async fn insert(&self, conn: &mut Connection) -> QueryResult<i64> {
        let Self { trigger, triggered_by, event_limit, started_at } = *self;
        diesel::insert_into(runs::table)
            .values((
                runs::trigger.eq(trigger.key()),
                runs::triggered_by.eq(triggered_by),
                runs::event_limit.eq(event_limit),
                runs::started_at.eq(started_at),
                runs::heartbeat_at.eq(now),
                runs::backend_pid.eq(sql::<Nullable<Integer>>("pg_backend_pid()")),
            ))
            .returning(runs::id)
            .get_result(conn)
            .await
    }
}

impl SyncRun {
    /// The run with this id.
    pub async fn find(conn: &mut Connection, id: i64) -> QueryResult<Option<Self>> {
        Ok(Row::query().filter(runs::id.eq(id)).first(conn).await.optional()?.map(Row::into_run))
    }

    /// The run in progress, which may be one whose process has died.
    pub async fn running(conn: &mut Connection) -> QueryResult<Option<Self>> {
        let running = runs::status.eq(SyncState::Running.key());
        Ok(Row::query().filter(running).first(conn).await.optional()?.map(Row::into_run))
    }

    /// Locks the run's row until the transaction ends if the run is in progress, so that no other process can
    /// close it. Returns whether it is in progress.
    pub async fn lock_if_running(conn: &mut Connection, id: i64) -> QueryResult<bool> {
        let running = runs::table.find(id).filter(runs::status.eq(SyncState::Running.key()));
        let found: Option<i64> = running.select(runs::id).for_share().first(conn).await.optional()?;
        Ok(found.is_some())
    }

    /// Updates the run's heartbeat. Returns whether the run is still in progress and no other process has
    /// reclaimed it.
    pub async fn heartbeat(conn: &mut Connection, id: i64) -> QueryResult<bool> {
        let running = runs::table.find(id).filter(runs::status.eq(SyncState::Running.key()));
        let owned = running.filter(runs::backend_pid.is_not_null());
        let updated = diesel::update(owned).set(runs::heartbeat_at.eq(now)).execute(conn).await?;
        Ok(updated > 0)
    }

    /// Whether the run in progress has had no heartbeat for two minutes by the database's clock.
    pub async fn is_unresponsive(conn: &mut Connection) -> QueryResult<bool> {
        let running = runs::table.filter(runs::status.eq(SyncState::Running.key()));
        let unresponsive = running.filter(sql::<Bool>(run_lock::IS_UNRESPONSIVE));
        diesel::select(exists(unresponsive)).get_result(conn).await
    }

    /// The newest runs, newest first.
    pub async fn newest(conn: &mut Connection, filter: RunFilter, limit: i64) -> QueryResult<Vec<Self>> {
        let mut newest =
            Row::query().order((runs::started_at.desc(), runs::id.desc())).limit(limit).into_boxed();
        if filter == RunFilter::NotSkipped {
            newest = newest.filter(runs::status.ne(SyncState::Skipped.key()));
        }
        Ok(newest.load(conn).await?.into_iter().map(Row::into_run).collect())
    }

    /// The newest run that has ended and was not skipped.
    pub async fn last_finished(conn: &mut Connection) -> QueryResult<Option<Self>> {
        let excluded = [SyncState::Skipped.key(), SyncState::Running.key()];
        let ended = Row::query()
            .filter(runs::status.ne_all(excluded))
            .order((runs::started_at.desc(), runs::id.desc()));
        Ok(ended.first(conn).await.optional()?.map(Row::into_run))
    }

    /// Stores which enabled drivers this run's process has not configured.
    pub async fn store_drivers_left_out(
        conn: &mut Connection,
        id: i64,
        drivers: &[Driver],
    ) -> QueryResult<()> {
        let drivers = serde_json::to_value(drivers).expect("driver names always serialize");
        diesel::update(runs::table.find(id)).set(runs::drivers_left_out.eq(drivers)).execute(conn).await?;
        Ok(())
    }

    /// Stores the progress of a run, if it is still in progress.
    pub async fn store_progress(
        conn: &mut Connection,
        id: i64,
        drivers: &[DriverStats],
        processed: i32,
    ) -> QueryResult<()> {
        diesel::update(runs::table.find(id).filter(runs::status.eq(SyncState::Running.key())))
            .set((runs::drivers.eq(DriverStats::to_json(drivers)), runs::processed.eq(processed)))
            .execute(conn)
            .await?;
        Ok(())
    }
}

impl FinishedRun {
    /// Stores the end of a run, unless another process has already closed it.
    pub async fn store(&self, conn: &mut Connection, run: &SyncRun) -> QueryResult<()> {
        let duration_ms = (self.finished_at - run.started_at).num_milliseconds().max(0);
        diesel::update(runs::table.find(run.id).filter(runs::status.eq(SyncState::Running.key())))
            .set((
                runs::status.eq(self.state.key()),
                runs::drivers.eq(DriverStats::to_json(&self.drivers)),
                runs::processed.eq(self.processed),
                runs::finished_at.eq(self.finished_at),
                runs::duration_ms.eq(duration_ms),
                runs::message.eq(self.reason.as_ref().map(RunReason::to_json)),
            ))
            .execute(conn)
            .await?;
        Ok(())
    }
}

impl Row {
    fn into_run(self) -> SyncRun {
        let Self {
            id,
            status,
            trigger,
            triggered_by_name,
            event_limit,
            drivers,
            processed,
            started_at,
            finished_at,
            duration_ms,
            message,
            drivers_left_out,
        } = self;
        SyncRun {
            id,
            state: status,
            trigger,
            triggered_by: triggered_by_name,
            event_limit,
            drivers: DriverStats::from_json(drivers),
            processed,
            started_at,
            finished_at,
            duration_ms,
            reason: message.as_deref().and_then(RunReason::from_json),
            drivers_left_out: serde_json::from_value(drivers_left_out).unwrap_or_default(),
        }
    }
}
