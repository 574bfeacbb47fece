//! When what is done on a schedule is due, and who of many processes does it.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Interval, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::db::schema::scheduled_jobs;

/// The next time is the first one in the job's step that is still to come: the step does not drift with whoever comes
/// late, and what nobody was there to do is not made up for. A time further ahead than one period was set by a clock
/// that went wrong, or when the period was longer, and holds nobody up. What could not be done when it was due is done
/// when that is tried again, which leaves the step as it is.
const CLAIM: &str = "\
    INSERT INTO scheduled_jobs AS job (name, due_at, last_started_at) VALUES ($1, $2 + $3, $2) \
    ON CONFLICT (name) DO UPDATE SET last_started_at = $2, retry_at = NULL, \
        due_at = CASE WHEN job.due_at <= $2 OR job.due_at > $2 + $3 \
            THEN date_bin($3, $2, job.due_at) + $3 ELSE job.due_at END \
    WHERE job.due_at <= $2 OR job.due_at > $2 + $3 OR job.retry_at <= $2";

/// A time that lies ahead was set by a clock that went wrong, and holds nobody up.
const CLAIM_EARLY: &str = "\
    UPDATE scheduled_jobs SET last_started_at = $2, retry_at = NULL \
    WHERE name = $1 AND (last_started_at <= $2 - $3 OR last_started_at > $2)";

/// Whether the job is due and whoever asks is the one to do it now; it is due again after `period`.
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

/// Whether whoever asks is the one to do a job now that is not due yet; nobody is where somebody began it less than `pause`
/// ago. When it is due stays as it is.
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

/// Has a job done at this time, since it could not be done when it was due.
pub async fn try_again(conn: &mut Connection, name: &str, at: DateTime<Utc>) -> QueryResult<()> {
    let job = scheduled_jobs::table.find(name);
    diesel::update(job).set(scheduled_jobs::retry_at.eq(at)).execute(conn).await?;
    Ok(())
}
