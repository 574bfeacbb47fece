//! Scheduled jobs: when each is due, and which of several processes runs it.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Interval, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::db::schema::scheduled_jobs;

/// The next due time is the first one in the future that is a whole number of periods after the current one.
/// So the schedule does not drift when a job starts late, and missed runs are not made up for. A due time
/// more than one period in the future was set by a wrong clock or with a longer period, so it does not delay
/// the job. A retry does not change the due time.
const CLAIM: &str = "\
    INSERT INTO scheduled_jobs AS job (name, due_at, last_started_at) VALUES ($1, $2 + $3, $2) \
    ON CONFLICT (name) DO UPDATE SET last_started_at = $2, retry_at = NULL, \
        due_at = CASE WHEN job.due_at <= $2 OR job.due_at > $2 + $3 \
            THEN date_bin($3, $2, job.due_at) + $3 ELSE job.due_at END \
    WHERE job.due_at <= $2 OR job.due_at > $2 + $3 OR job.retry_at <= $2";

/// A start time in the future was set by a wrong clock, so it does not delay the job.
const CLAIM_EARLY: &str = "\
    UPDATE scheduled_jobs SET last_started_at = $2, retry_at = NULL \
    WHERE name = $1 AND (last_started_at <= $2 - $3 OR last_started_at > $2)";

/// Claims a job if it is due. Returns whether the caller has to run it now. The job is due again after
/// `period`.
pub async fn claim(
    conn: &mut Connection,
    name: &str,
    now: DateTime<Utc>,
    period: TimeDelta,
) -> QueryResult<bool> {
    let claimed = sql_query(CLAIM)
        .bind::<Text, _>(name)
        .bind::<Timestamptz, _>(now)
        .bind::<Interval, _>(period)
        .execute(conn)
        .await?;
    Ok(claimed > 0)
}

/// Claims a job before it is due, unless it was started less than `pause` ago. Returns whether the caller has
/// to run it now. The due time does not change.
pub async fn claim_early(
    conn: &mut Connection,
    name: &str,
    now: DateTime<Utc>,
    pause: TimeDelta,
) -> QueryResult<bool> {
    let claimed = sql_query(CLAIM_EARLY)
        .bind::<Text, _>(name)
        .bind::<Timestamptz, _>(now)
        .bind::<Interval, _>(pause)
        .execute(conn)
        .await?;
    Ok(claimed > 0)
}

/// Schedules a retry of a job that could not run when it was due.
pub async fn schedule_retry(conn: &mut Connection, name: &str, at: DateTime<Utc>) -> QueryResult<()> {
    let job = scheduled_jobs::table.find(name);
    diesel::update(job).set(scheduled_jobs::retry_at.eq(at)).execute(conn).await?;
    Ok(())
}
