//! Applies migrations to a database in use: no other session waits behind a migration for longer than the
//! lock timeout.
//!
//! A migration that cannot lock its tables is rolled back and retried until the sessions that hold the locks
//! are gone. The rules for new migrations, and how to add an index to a large table, are in CONTRIBUTING.md.

mod blockers;
mod error_recorder;
mod monthly_index;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use diesel::migration::{Migration, MigrationSource, Result as MigrationResult};
use diesel::pg::Pg;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_async::{AsyncConnection as _, SimpleAsyncConnection as _};
use diesel_migrations::MigrationHarness;
use secrecy::SecretString;
use tokio::time::sleep;
use tracing::{info, warn};

use self::blockers::Blockers;
use self::error_recorder::ErrorRecorder;
use super::advisory_lock::AdvisoryLock;
use super::{Connection, MIGRATIONS, connect};

/// How long a migration waits for a lock, because other sessions queue after it. This is less than
/// PostgreSQL's `deadlock_timeout` of one second, so that in a deadlock it is the migration that fails.
const LOCK_TIMEOUT: Duration = Duration::from_millis(800);

/// The pause after the first attempt. Each later pause is twice as long, up to [`MAX_PAUSE`]. Sessions that
/// queued after the migration can proceed in the meantime.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// After this long without its locks a migration fails, and names the sessions that hold them.
const RETRY_TIMEOUT: Duration = Duration::from_mins(15);

/// How often a process checks whether another one has finished its migrations.
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Applies migrations to a database. Only one exists at a time, across processes.
pub struct Migrator {
    migrations: Migrations,
    /// `None` after a migration was interrupted.
    conn: Option<Connection>,
    blockers: Blockers,
    error_recorder: ErrorRecorder,
}

/// Where migrations come from. Cheap to clone.
#[derive(Clone)]
struct Migrations(Arc<dyn MigrationSource<Pg> + Send + Sync>);

impl MigrationSource<Pg> for Migrations {
    fn migrations(&self) -> MigrationResult<Vec<Box<dyn Migration<Pg>>>> {
        self.0.migrations()
    }
}

/// Something to execute that may have to wait for locks.
enum Step {
    /// The migration with this name.
    Migration(String),
    /// A statement, outside a transaction.
    Statement(String),
}

/// A migration that has not been applied.
struct PendingMigration {
    name: String,
    runs_in_transaction: bool,
}

impl Migrator {
    /// Connects, and waits until no other process is applying migrations.
    pub async fn open(database_url: &SecretString) -> anyhow::Result<Self> {
        Self::open_with(database_url, MIGRATIONS).await
    }

    /// Like [`Self::open`], with migrations from this source.
    pub async fn open_with(
        database_url: &SecretString,
        migrations: impl MigrationSource<Pg> + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let mut conn = connect(database_url).await.context("Failed to connect to the database")?;
        let observer_conn = connect(database_url).await.context("Failed to connect to the database")?;
        let mut is_logged = false;
        // The lock is polled: a statement that waits for it would hold a snapshot, and an index that the other
        // process builds concurrently would wait for that snapshot in turn.
        while !AdvisoryLock::Migrations.try_acquire(&mut conn).await? {
            if !is_logged {
                info!("Another process is applying migrations; waiting for it to finish");
                is_logged = true;
            }
            sleep(LOCK_POLL_INTERVAL).await;
        }
        let error_recorder = ErrorRecorder::default();
        conn.set_instrumentation(error_recorder.clone());
        let blockers = Blockers::for_conn(&mut conn, observer_conn).await?;
        Ok(Self { migrations: Migrations(Arc::new(migrations)), conn: Some(conn), blockers, error_recorder })
    }

    /// Applies the next pending migration and returns its name. Returns `None` once all migrations are
    /// applied and the indexes of all months are complete.
    pub async fn next(&mut self) -> anyhow::Result<Option<String>> {
        self.complete_monthly_indexes().await?;
        let migrations = self.migrations.clone();
        let pending = self.in_harness(|harness| first_pending(harness, migrations)).await??;
        let Some(PendingMigration { name, runs_in_transaction }) = pending else { return Ok(None) };
        if runs_in_transaction {
            self.execute_with_retries(&Step::Migration(name.clone()), LOCK_TIMEOUT).await?;
        } else {
            // Concurrent builds and drops block no other sessions while they wait, so their wait is not
            // limited.
            self.drop_interrupted_indexes().await?;
            self.execute_with_retries(&Step::Migration(name.clone()), Duration::ZERO).await?;
        }
        Ok(Some(name))
    }

    /// Executes a step, and retries it while other sessions hold the locks it needs.
    async fn execute_with_retries(&mut self, step: &Step, lock_timeout: Duration) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let attempt_began = Instant::now();
            let Err(cause) = self.attempt(step, lock_timeout).await? else { return Ok(()) };
            let blockers = self.blockers.last_seen();
            if !self.error_recorder.is_lock_failure(attempt_began.elapsed(), lock_timeout) {
                return Err(cause.context(format!("{step} failed")));
            }
            if began.elapsed() >= RETRY_TIMEOUT {
                return Err(cause
                    .context(format!("{step} failed to lock its tables, which are in use by {blockers}")));
            }
            warn!(%blockers, ?pause, "{step} failed to lock its tables; retrying");
            sleep(pause).await;
            pause = MAX_PAUSE.min(pause * 2);
        }
    }

    /// Tries once. The outer error is permanent; the inner one may be worth a retry.
    async fn attempt(&mut self, step: &Step, lock_timeout: Duration) -> anyhow::Result<anyhow::Result<()>> {
        self.conn()?.batch_execute(&format!("SET lock_timeout = {}", lock_timeout.as_millis())).await?;
        self.error_recorder.clear();
        self.blockers.reset();
        match step {
            Step::Migration(name) => {
                let (name, migrations) = (name.clone(), self.migrations.clone());
                self.in_harness(move |harness| run(harness, migrations, &name)).await
            }
            Step::Statement(statement) => {
                let conn = self.conn.as_mut().context(INTERRUPTED)?;
                let result = self.blockers.watch_during(conn.batch_execute(statement)).await;
                Ok(result.map_err(anyhow::Error::from))
            }
        }
    }

    fn conn(&mut self) -> anyhow::Result<&mut Connection> {
        self.conn.as_mut().context(INTERRUPTED)
    }

    /// Diesel's migrations are synchronous, so they run on a blocking thread.
    async fn in_harness<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut AsyncConnectionWrapper<Connection>) -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let conn = self.conn.take().context(INTERRUPTED)?;
        let execution = tokio::task::spawn_blocking(move || {
            let mut harness = AsyncConnectionWrapper::from(conn);
            let result = work(&mut harness);
            (harness.into_inner(), result)
        });
        let (conn, result) = self.blockers.watch_during(execution).await.context(INTERRUPTED)?;
        self.conn = Some(conn);
        Ok(result)
    }
}

const INTERRUPTED: &str = "The migration was interrupted";

impl std::fmt::Display for Step {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Migration(name) => write!(formatter, "migration {name}"),
            Self::Statement(statement) => formatter.write_str(statement),
        }
    }
}

fn first_pending(
    harness: &mut AsyncConnectionWrapper<Connection>,
    migrations: Migrations,
) -> anyhow::Result<Option<PendingMigration>> {
    let pending = harness.pending_migrations(migrations).map_err(|error| anyhow!(error))?;
    Ok(pending.as_slice().first().map(|migration| PendingMigration {
        name: migration.name().to_string(),
        runs_in_transaction: migration.metadata().run_in_transaction(),
    }))
}

fn run(
    harness: &mut AsyncConnectionWrapper<Connection>,
    migrations: Migrations,
    name: &str,
) -> anyhow::Result<()> {
    let apply = |harness: &mut AsyncConnectionWrapper<Connection>| -> MigrationResult<()> {
        let pending = harness.pending_migrations(migrations)?;
        for migration in pending.iter().filter(|migration| migration.name().to_string() == name) {
            harness.run_migration(migration)?;
        }
        Ok(())
    };
    apply(harness).map_err(|error| anyhow!(error))
}
