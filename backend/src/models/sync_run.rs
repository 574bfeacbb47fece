//! Runs of the sync with the analytics services: the table `telemetry_sync_logs`.

mod driver_stats;
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

/// A run.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncRun {
    /// Identifies the run.
    pub id: i64,
    /// How far it has come.
    pub state: SyncState,
    /// What set it going.
    pub trigger: SyncTrigger,
    /// The name of who asked for it.
    pub triggered_by: Option<String>,
    /// The most events that each driver may take up.
    pub event_limit: Option<i32>,
    /// Each driver's stats.
    pub drivers: Vec<DriverStats>,
    /// Events that got their last verdict in it.
    pub processed: i32,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<i64>,
    /// What a person should know of it.
    pub reason: Option<RunReason>,
    /// Enabled drivers whose settings its process did not have, so that it left their events pending.
    pub drivers_left_out: Vec<Driver>,
}

/// A run as its row has it.
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

/// A run that begins.
#[derive(Debug, Clone, Copy)]
pub struct NewSyncRun {
    /// What set it going.
    pub trigger: SyncTrigger,
    /// Who asked for it.
    pub triggered_by: Option<i64>,
    /// The most events that each driver may take up.
    pub event_limit: Option<i32>,
    /// When it begins.
    pub started_at: DateTime<Utc>,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct SyncEnd {
    /// In which state.
    pub state: SyncState,
    /// Each driver's stats.
    pub drivers: Vec<DriverStats>,
    /// Events that got their last verdict in it.
    pub processed: i32,
    /// When.
    pub finished_at: DateTime<Utc>,
    /// What a person should know of it.
    pub reason: Option<RunReason>,
}

/// Which runs somebody wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// Those that found something to do.
    Worked,
    /// All.
    All,
}

impl NewSyncRun {
    /// Writes down that it begins, and answers with its id. The connection is the one that holds its lock.
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
        Ok(Row::query().filter(runs::id.eq(id)).first(conn).await.optional()?.map(Row::read))
    }

    /// The run that is under way, or was when its process ended.
    pub async fn running(conn: &mut Connection) -> QueryResult<Option<Self>> {
        let running = runs::status.eq(SyncState::Running.key());
        Ok(Row::query().filter(running).first(conn).await.optional()?.map(Row::read))
    }

    /// Whether this run is under way and stays so until the transaction ends: nobody closes it meanwhile.
    pub async fn is_running_still(conn: &mut Connection, id: i64) -> QueryResult<bool> {
        let running = runs::table.find(id).filter(runs::status.eq(SyncState::Running.key()));
        let found: Option<i64> = running.select(runs::id).for_share().first(conn).await.optional()?;
        Ok(found.is_some())
    }

    /// Shows that this run is worked on; says whether it is still under way, and not another's by now.
    pub async fn beat(conn: &mut Connection, id: i64) -> QueryResult<bool> {
        let running = runs::table.find(id).filter(runs::status.eq(SyncState::Running.key()));
        let mine = running.filter(runs::backend_pid.is_not_null());
        let beaten = diesel::update(mine).set(runs::heartbeat_at.eq(now)).execute(conn).await?;
        Ok(beaten > 0)
    }

    /// Whether the run that is under way has shown no sign of life for two minutes by the database's clock.
    pub async fn is_silent(conn: &mut Connection) -> QueryResult<bool> {
        let running = runs::table.filter(runs::status.eq(SyncState::Running.key()));
        let silent = running.filter(sql::<Bool>("heartbeat_at < now() - interval '2 minutes'"));
        diesel::select(exists(silent)).get_result(conn).await
    }

    /// Runs, the newest first.
    pub async fn newest(conn: &mut Connection, which: Runs, limit: i64) -> QueryResult<Vec<Self>> {
        let mut newest =
            Row::query().order((runs::started_at.desc(), runs::id.desc())).limit(limit).into_boxed();
        if which == Runs::Worked {
            newest = newest.filter(runs::status.ne(SyncState::Skipped.key()));
        }
        Ok(newest.load(conn).await?.into_iter().map(Row::read).collect())
    }

    /// The newest run that found something to do and has ended.
    pub async fn last_worked(conn: &mut Connection) -> QueryResult<Option<Self>> {
        let neither = [SyncState::Skipped.key(), SyncState::Running.key()];
        let ended = Row::query()
            .filter(runs::status.ne_all(neither))
            .order((runs::started_at.desc(), runs::id.desc()));
        Ok(ended.first(conn).await.optional()?.map(Row::read))
    }

    /// Writes down which drivers a run leaves to processes that have their settings.
    pub async fn store_drivers_left_out(
        conn: &mut Connection,
        id: i64,
        drivers: &[Driver],
    ) -> QueryResult<()> {
        let drivers = serde_json::to_value(drivers).expect("names are JSON");
        diesel::update(runs::table.find(id)).set(runs::drivers_left_out.eq(drivers)).execute(conn).await?;
        Ok(())
    }

    /// Writes down how far a run has come.
    pub async fn store_progress(
        conn: &mut Connection,
        id: i64,
        drivers: &[DriverStats],
        processed: i32,
    ) -> QueryResult<()> {
        diesel::update(runs::table.find(id).filter(runs::status.eq(SyncState::Running.key())))
            .set((runs::drivers.eq(DriverStats::store(drivers)), runs::processed.eq(processed)))
            .execute(conn)
            .await?;
        Ok(())
    }
}

impl SyncEnd {
    /// Writes down how a run ended, unless somebody has closed it already.
    pub async fn store(&self, conn: &mut Connection, run: &SyncRun) -> QueryResult<()> {
        let took = (self.finished_at - run.started_at).num_milliseconds().max(0);
        diesel::update(runs::table.find(run.id).filter(runs::status.eq(SyncState::Running.key())))
            .set((
                runs::status.eq(self.state.key()),
                runs::drivers.eq(DriverStats::store(&self.drivers)),
                runs::processed.eq(self.processed),
                runs::finished_at.eq(self.finished_at),
                runs::duration_ms.eq(took),
                runs::message.eq(self.reason.as_ref().map(RunReason::store)),
            ))
            .execute(conn)
            .await?;
        Ok(())
    }
}

impl Row {
    fn read(self) -> SyncRun {
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
            drivers: DriverStats::read(drivers),
            processed,
            started_at,
            finished_at,
            duration_ms,
            reason: message.as_deref().and_then(RunReason::read),
            drivers_left_out: serde_json::from_value(drivers_left_out).unwrap_or_default(),
        }
    }
}
