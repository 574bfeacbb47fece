//! Applies migrations while others read and write: nobody waits behind one for longer than a lock timeout.
//!
//! A migration that cannot lock its tables is undone and tried again, until whoever holds them is gone. What a later
//! migration must keep to, and how an index comes upon tables that are large, is in CONTRIBUTING.md.

mod blockers;
mod failure;
mod monthly_index;

use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use diesel::QueryableByName;
use diesel::migration::Result as MigrationResult;
use diesel::sql_types::Bool;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_async::{AsyncConnection as _, RunQueryDsl as _, SimpleAsyncConnection as _};
use diesel_migrations::MigrationHarness;
use secrecy::SecretString;
use tokio::time::sleep;
use tracing::{info, warn};

use self::blockers::Blockers;
use self::failure::Failure;
use super::{Connection, MIGRATIONS, connect};

/// A migration waits no longer than this for a lock, since whoever comes later waits behind it. It is less than
/// PostgreSQL's `deadlock_timeout` of one second, so that in a deadlock it is the migration that gives way.
const LOCK_TIMEOUT: Duration = Duration::from_millis(800);

/// The pause after the first try; each later one is twice as long, up to [`MAX_PAUSE`]. Whoever waited has been served by
/// then.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// A migration that has not got its locks by then fails, and says who holds them.
const GIVE_UP_AFTER: Duration = Duration::from_mins(15);

/// How often a process asks whether another one is done with its migrations.
const TURN_POLL: Duration = Duration::from_millis(200);

/// Migrations run in one process at a time. The key is any number that no other advisory lock of ours uses.
///
/// The lock is tried for, not waited for: a statement that waits holds a snapshot, which an index that another process
/// builds concurrently would wait for in turn.
const TRY_LOCK: &str = "SELECT pg_try_advisory_lock(7238261054) AS is_ours";

/// The only one who applies migrations to a database, for as long as it lives.
pub struct Migrator {
    /// Not there after a migration was cut off.
    conn: Option<Connection>,
    blockers: Blockers,
    failure: Failure,
}

/// What may have to wait for locks.
enum Work {
    /// The migration of this name.
    Migration(String),
    /// One statement, outside of a transaction.
    Statement(String),
}

/// A migration that is not applied yet.
struct Missing {
    name: String,
    runs_in_transaction: bool,
}

#[derive(QueryableByName)]
struct Turn {
    #[diesel(sql_type = Bool)]
    is_ours: bool,
}

impl Migrator {
    /// Connects, and waits until no other process applies migrations.
    pub async fn open(database_url: &SecretString) -> anyhow::Result<Self> {
        let mut conn = connect(database_url).await.context("The database cannot be reached")?;
        let watching = connect(database_url).await.context("The database cannot be reached")?;
        let mut is_told = false;
        while !diesel::sql_query(TRY_LOCK).get_result::<Turn>(&mut conn).await?.is_ours {
            if !is_told {
                info!("Another process applies migrations; waiting until it is done");
                is_told = true;
            }
            sleep(TURN_POLL).await;
        }
        let failure = Failure::default();
        conn.set_instrumentation(failure.clone());
        let blockers = Blockers::of(&mut conn, watching).await?;
        Ok(Self { conn: Some(conn), blockers, failure })
    }

    /// Applies the next migration that is missing and answers with its name; none when all are applied, and the indexes
    /// of all months complete.
    pub async fn next(&mut self) -> anyhow::Result<Option<String>> {
        self.complete_monthly_indexes().await?;
        let missing = self.in_harness(first_missing).await??;
        let Some(Missing { name, runs_in_transaction }) = missing else { return Ok(None) };
        if runs_in_transaction {
            self.perform(&Work::Migration(name.clone()), LOCK_TIMEOUT).await?;
        } else {
            // What is built or dropped concurrently lets others pass while it waits, however long that is.
            self.drop_interrupted_indexes().await?;
            self.perform(&Work::Migration(name.clone()), Duration::ZERO).await?;
        }
        Ok(Some(name))
    }

    /// Does the work, and tries again while others hold what it needs.
    async fn perform(&mut self, work: &Work, lock_timeout: Duration) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let tried = Instant::now();
            let Err(cause) = self.attempt(work, lock_timeout).await? else { return Ok(()) };
            let blockers = self.blockers.last_seen();
            if !self.failure.is_of_locks(tried.elapsed(), lock_timeout) {
                return Err(cause.context(format!("{work} failed")));
            }
            if began.elapsed() >= GIVE_UP_AFTER {
                return Err(
                    cause.context(format!("{work} cannot lock its tables, which are held by {blockers}"))
                );
            }
            warn!(%blockers, ?pause, "{work} cannot lock its tables yet, and is tried again");
            sleep(pause).await;
            pause = MAX_PAUSE.min(pause * 2);
        }
    }

    /// Tries once. The outer error is one that trying again does not help.
    async fn attempt(&mut self, work: &Work, lock_timeout: Duration) -> anyhow::Result<anyhow::Result<()>> {
        self.conn()?.batch_execute(&format!("SET lock_timeout = {}", lock_timeout.as_millis())).await?;
        self.failure.clear();
        self.blockers.start();
        match work {
            Work::Migration(name) => {
                let name = name.clone();
                self.in_harness(move |harness| run(harness, &name)).await
            }
            Work::Statement(statement) => {
                let conn = self.conn.as_mut().context(CUT_OFF)?;
                let done = self.blockers.watch_during(conn.batch_execute(statement)).await;
                Ok(done.map_err(anyhow::Error::from))
            }
        }
    }

    fn conn(&mut self) -> anyhow::Result<&mut Connection> {
        self.conn.as_mut().context(CUT_OFF)
    }

    /// Diesel's migrations are synchronous, so they run on a thread of their own.
    async fn in_harness<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut AsyncConnectionWrapper<Connection>) -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let conn = self.conn.take().context(CUT_OFF)?;
        let working = tokio::task::spawn_blocking(move || {
            let mut harness = AsyncConnectionWrapper::from(conn);
            let done = work(&mut harness);
            (harness.into_inner(), done)
        });
        let (conn, done) = self.blockers.watch_during(working).await.context(CUT_OFF)?;
        self.conn = Some(conn);
        Ok(done)
    }
}

const CUT_OFF: &str = "The migration was cut off";

impl std::fmt::Display for Work {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Migration(name) => write!(formatter, "migration {name}"),
            Self::Statement(statement) => formatter.write_str(statement),
        }
    }
}

fn first_missing(harness: &mut AsyncConnectionWrapper<Connection>) -> anyhow::Result<Option<Missing>> {
    let missing = harness.pending_migrations(MIGRATIONS).map_err(|error| anyhow!(error))?;
    Ok(missing.as_slice().first().map(|migration| Missing {
        name: migration.name().to_string(),
        runs_in_transaction: migration.metadata().run_in_transaction(),
    }))
}

fn run(harness: &mut AsyncConnectionWrapper<Connection>, name: &str) -> anyhow::Result<()> {
    let apply = |harness: &mut AsyncConnectionWrapper<Connection>| -> MigrationResult<()> {
        let missing = harness.pending_migrations(MIGRATIONS)?;
        for migration in missing.iter().filter(|migration| migration.name().to_string() == name) {
            harness.run_migration(migration)?;
        }
        Ok(())
    };
    apply(harness).map_err(|error| anyhow!(error))
}
