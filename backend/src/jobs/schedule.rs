//! The schedule: each job that is due runs in the process that asks first.
//!
//! The database stores when each job is due. A process that finds a job due sets its next time in the same
//! statement and runs it. The job is then no longer due for other processes, nor for the same process after
//! a restart. Each job has its own loop, so a long job delays no other job and never overlaps with itself.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use anyhow::Context as _;
use chrono::TimeDelta;
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::job::{Job, JobOutcome};
use crate::app::App;
use crate::db::outage;
use crate::error::Error;
use crate::models::scheduled_job;

/// How often a process checks whether a job is due.
const POLL_INTERVAL: Duration = Duration::from_secs(30);

/// The time until a deferred job is retried, and the minimum time between two early runs of a job.
const RETRY_INTERVAL: TimeDelta = TimeDelta::minutes(1);

/// The result of checking whether a job is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScheduledRun {
    /// The job was due and this process has done it.
    Done,
    /// The job was due, but could not run now. It is retried in a minute.
    Deferred,
    /// The job was not due, or another process does it.
    NotDue,
}

/// Runs every job whenever it is due, until `stop` is cancelled and the running jobs have finished.
pub(super) async fn run(app: &App, stop: &CancellationToken) {
    join_all(Job::ALL.map(|job| poll(job, app, stop))).await;
}

async fn poll(job: Job, app: &App, stop: &CancellationToken) {
    let mut ticks = interval(POLL_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick is immediate.
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let result = AssertUnwindSafe(run_if_due(job, app, stop)).catch_unwind().await;
        let failure = match result {
            Ok(Ok(ScheduledRun::Done | ScheduledRun::Deferred | ScheduledRun::NotDue)) => continue,
            Ok(Err(error)) => outage::loggable_cause(error),
            Err(panic) => Some(format!("{:?}", Error::from_panic(&*panic))),
        };
        if let Some(cause) = failure {
            error!(job = job.name(), cause, "A scheduled job failed and runs again when it is next due");
        }
    }
}

/// Runs a job if it is due or should run early, unless another process has claimed it.
pub async fn run_if_due(job: Job, app: &App, stop: &CancellationToken) -> anyhow::Result<ScheduledRun> {
    if !claim(job, app).await.context("Failed to read the schedule")? {
        return Ok(ScheduledRun::NotDue);
    }
    match job.run(app, stop).await? {
        JobOutcome::Done => Ok(ScheduledRun::Done),
        JobOutcome::Deferred => {
            let conn = &mut *app.pool.get().await.context("Failed to get a database connection")?;
            let rescheduled =
                scheduled_job::schedule_retry(conn, job.name(), app.clock.now() + RETRY_INTERVAL).await;
            rescheduled.context("Failed to update the schedule")?;
            Ok(ScheduledRun::Deferred)
        }
    }
}

async fn claim(job: Job, app: &App) -> anyhow::Result<bool> {
    let period = TimeDelta::from_std(job.interval(&app.config))?;
    let is_due = {
        let conn = &mut *app.pool.get().await.context("Failed to get a database connection")?;
        scheduled_job::claim(conn, job.name(), app.clock.now(), period).await?
    };
    if is_due || !job.should_run_early(app).await? {
        return Ok(is_due);
    }
    let conn = &mut *app.pool.get().await.context("Failed to get a database connection")?;
    Ok(scheduled_job::claim_early(conn, job.name(), app.clock.now(), RETRY_INTERVAL).await?)
}
