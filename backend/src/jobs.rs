//! Background jobs of a running server.
//!
//! If several servers share a database, each of them does the housekeeping, and finds nothing to do where
//! another server was faster. A job on the [`schedule`] runs on one server at a time.

pub mod job;
pub mod schedule;

use std::time::Duration;

use anyhow::{Context as _, bail};
use chrono::{Days, Months};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::app::App;
use crate::db::outage;
use crate::error::Error;
use crate::models::player_event_month;
use crate::models::session::Session;
use crate::telemetry::ingest;
use crate::{erasure, import};

const HOUSEKEEPING_INTERVAL: Duration = Duration::from_mins(10);

/// The time that housekeeping spends on pending deliveries of deleted events, at most.
const RECONCILE_TIME_LIMIT: Duration = Duration::from_secs(10);
/// The time that housekeeping spends on events that are too old for every driver, at most.
const TOO_OLD_TIME_LIMIT: Duration = Duration::from_secs(30);

/// How far ahead partitions for player events are created, so that a server that rarely runs has some.
const MONTHS_AHEAD: Months = Months::new(3);

/// The maximum age of an event when it arrives.
const DAYS_BACK: Days = Days::new(31);

/// Runs the housekeeping and the schedule until `stop` is cancelled and the running jobs have finished.
pub async fn run(app: App, stop: CancellationToken) {
    tokio::join!(housekeeping(&app, &stop), schedule::run(&app, &stop));
}

async fn housekeeping(app: &App, stop: &CancellationToken) {
    let mut ticks = interval(HOUSEKEEPING_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick is immediate.
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = run_housekeeping(app).await
            && let Some(cause) = outage::loggable_cause(error)
        {
            error!(cause, "Housekeeping failed, retrying in ten minutes");
        }
    }
}

async fn run_housekeeping(app: &App) -> anyhow::Result<()> {
    let now = app.clock.now();
    let conn = &mut *app.pool.get().await.context("Failed to get a database connection")?;
    let today = now.date_naive();
    let months = player_event_month::ensure(conn, today - DAYS_BACK, today + MONTHS_AHEAD).await;
    let imports = import::close_abandoned(app, conn).await;
    let sessions = Session::delete_expired(conn, now).await;
    let late = erasure::erase_late_rows(conn, now).await;
    let keys = ingest::forget_old_keys(conn, now).await;
    let drivers = app.sync.enable_drivers().await;
    let sync = app.sync.resume().await;
    let orphans = app.sync.reconcile(RECONCILE_TIME_LIMIT).await;
    let too_old = app.sync.discard_too_old(TOO_OLD_TIME_LIMIT).await;
    // Errors are only reported here, so that one failure does not keep the other tasks from running.
    months.context("Failed to create partitions for player events")?;
    imports.context("Failed to close abandoned imports")?;
    sessions.context("Failed to delete expired sessions")?;
    keys.context("Failed to delete old ids of player events")?;
    ignore_unavailable(late, "Failed to erase late rows of people whose data was erased")?;
    ignore_unavailable(drivers, "Failed to enable drivers")?;
    ignore_unavailable(orphans, "Failed to remove pending deliveries of deleted events")?;
    ignore_unavailable(too_old, "Failed to mark events that are too old for every driver")?;
    ignore_unavailable(sync, "Failed to resume the work of a sync run that died")?;
    Ok(())
}

/// Ignores [`Error::Unavailable`], because an unavailable database is already logged.
fn ignore_unavailable<T>(result: crate::error::Result<T>, message: &str) -> anyhow::Result<()> {
    match result {
        Ok(_) | Err(Error::Unavailable) => Ok(()),
        Err(error) => bail!("{message}: {error:?}"),
    }
}
