//! What is done again and again while the hub is served.
//!
//! Of several servers on one database, each keeps house: whatever one has done, the others find done. What is on the
//! [`schedule`] is done by one of them at a time.

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
use crate::import;
use crate::models::player_event_month;
use crate::models::session::Session;
use crate::telemetry::ingest;

const HOUSEKEEPING: Duration = Duration::from_mins(10);

/// So long at most what is pending of events that are gone is forgotten each time.
const RECONCILING: Duration = Duration::from_secs(10);
/// So long at most what is too old for every driver is settled each time.
const SETTLING: Duration = Duration::from_secs(30);

/// How far ahead the months for player events are made: a server that is only now and then on still has room.
const MONTHS_AHEAD: Months = Months::new(3);

/// As old as events may be when they come.
const DAYS_BACK: Days = Days::new(31);

/// Keeps house and runs the schedule, side by side, until they are told to stop and what was begun is finished.
pub async fn run(app: App, stop: CancellationToken) {
    tokio::join!(housekeeping(&app, &stop), schedule::run(&app, &stop));
}

async fn housekeeping(app: &App, stop: &CancellationToken) {
    let mut times = interval(HOUSEKEEPING);
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick is at once.
    while stop.run_until_cancelled(times.tick()).await.is_some() {
        if let Err(error) = keep_house(app).await
            && let Some(cause) = outage::unexplained(error)
        {
            error!(cause, "Housekeeping failed; it is tried again in ten minutes");
        }
    }
}

async fn keep_house(app: &App) -> anyhow::Result<()> {
    let now = app.clock.now();
    let conn = &mut *app.pool.get().await.context("No database connection")?;
    let today = now.date_naive();
    let months = player_event_month::ensure(conn, today - DAYS_BACK, today + MONTHS_AHEAD).await;
    let imports = import::close_abandoned(app, conn).await;
    let sessions = Session::sweep(conn, now).await;
    let keys = ingest::forget_old_keys(conn, now).await;
    let drivers = app.sync.enable_drivers().await;
    let sync = app.sync.resume().await;
    let orphans = app.sync.reconcile(RECONCILING).await;
    let too_old = app.sync.settle_too_old(SETTLING).await;
    // What fails keeps nothing else from being done.
    months.context("Months for player events cannot be made")?;
    imports.context("Imports that were cut off cannot be closed")?;
    sessions.context("Expired sessions cannot be deleted")?;
    keys.context("Old ids of player events cannot be deleted")?;
    done(drivers, "Drivers cannot be enabled")?;
    done(orphans, "What is pending cannot be brought into step with the events")?;
    done(too_old, "Events that are too old for every driver cannot be settled")?;
    done(sync, "What a dead run of the sync left cannot be gone on with")?;
    Ok(())
}

/// That the database cannot be used is logged already, and all of this is done again in ten minutes.
fn done<T>(result: crate::error::Result<T>, otherwise: &str) -> anyhow::Result<()> {
    match result {
        Ok(_) | Err(Error::Unavailable) => Ok(()),
        Err(error) => bail!("{otherwise}: {error:?}"),
    }
}
