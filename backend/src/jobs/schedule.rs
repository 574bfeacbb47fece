//! The schedule: jobs that are due are done, each by one process, whichever asks first.
//!
//! When a job is due stands in the database. A process that finds it due moves the time on, in the same statement, and
//! does it; so the others find it done, and so does the same process after a restart. Each job has a loop of its own
//! here: one that takes long delays no other, and is never begun twice by one process.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use anyhow::Context as _;
use chrono::TimeDelta;
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::job::{Job, Work};
use crate::app::App;
use crate::db::outage;
use crate::error::Error;
use crate::models::scheduled_job;

/// How often a process asks whether a job is due.
const ASKS: Duration = Duration::from_secs(30);

/// What could not be done is tried again after this time, and what is done before it is due is done no more often.
const MINUTE: TimeDelta = TimeDelta::minutes(1);

/// What came of asking whether a job is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It was, and was done here.
    Done,
    /// It was, but somebody else was at it: it is tried again in a minute.
    Hindered,
    /// It was not, or another process does it.
    NotDue,
}

/// Does every job whenever it is due, until told to stop and what was begun is finished.
pub(super) async fn run(app: &App, stop: &CancellationToken) {
    join_all(Job::ALL.map(|job| again_and_again(job, app, stop))).await;
}

async fn again_and_again(job: Job, app: &App, stop: &CancellationToken) {
    let mut times = interval(ASKS);
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick is at once.
    while stop.run_until_cancelled(times.tick()).await.is_some() {
        let turn = AssertUnwindSafe(take_turn(job, app, stop)).catch_unwind().await;
        let failure = match turn {
            Ok(Ok(Turn::Done | Turn::Hindered | Turn::NotDue)) => continue,
            Ok(Err(error)) => outage::unexplained(error),
            Err(panic) => Some(format!("{:?}", Error::of_panic(&*panic))),
        };
        if let Some(cause) = failure {
            error!(job = job.name(), cause, "A scheduled job failed; it is done again when it is due");
        }
    }
}

/// Does a job, if it is due or had better be done before, and nobody else does it.
pub async fn take_turn(job: Job, app: &App, stop: &CancellationToken) -> anyhow::Result<Turn> {
    if !claim(job, app).await.context("The schedule cannot be read")? {
        return Ok(Turn::NotDue);
    }
    match job.work(app, stop).await? {
        Work::Done => Ok(Turn::Done),
        Work::Hindered => {
            let conn = &mut *app.pool.get().await.context("No database connection")?;
            let again = scheduled_job::try_again(conn, job.name(), app.clock.now() + MINUTE).await;
            again.context("The schedule cannot be written")?;
            Ok(Turn::Hindered)
        }
    }
}

async fn claim(job: Job, app: &App) -> anyhow::Result<bool> {
    let period = TimeDelta::from_std(job.every(&app.config))?;
    let is_due = {
        let conn = &mut *app.pool.get().await.context("No database connection")?;
        scheduled_job::claim(conn, job.name(), app.clock.now(), period).await?
    };
    if is_due || !job.is_wanted_early(app).await? {
        return Ok(is_due);
    }
    let conn = &mut *app.pool.get().await.context("No database connection")?;
    Ok(scheduled_job::claim_early(conn, job.name(), app.clock.now(), MINUTE).await?)
}
