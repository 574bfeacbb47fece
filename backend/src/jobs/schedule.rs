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

use super::job::Job;
use crate::app::App;
use crate::error::Error;
use crate::models::scheduled_job;

/// How often a process asks whether a job is due.
const ASKS: Duration = Duration::from_secs(30);

/// What came of asking whether a job is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It was, and was done here.
    Done,
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
            Ok(Ok(Turn::Done | Turn::NotDue)) => continue,
            Ok(Err(error)) => format!("{error:#}"),
            Err(panic) => format!("{:?}", Error::of_panic(&*panic)),
        };
        error!(job = job.name(), cause = failure, "A scheduled job failed; it is done again when it is due");
    }
}

/// Does a job, if it is due and nobody else does it.
pub async fn take_turn(job: Job, app: &App, stop: &CancellationToken) -> anyhow::Result<Turn> {
    let period = TimeDelta::from_std(job.every())?;
    let claimed = {
        let conn = &mut *app.pool.get().await.context("No database connection")?;
        scheduled_job::claim(conn, job.name(), app.clock.now(), period).await
    };
    if !claimed.context("The schedule cannot be read")? {
        return Ok(Turn::NotDue);
    }
    job.work(app, stop).await?;
    Ok(Turn::Done)
}
