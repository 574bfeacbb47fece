//! When what is done on a schedule is due, and who of many processes does it.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryResult;
use diesel::sql_query;
use diesel::sql_types::{Interval, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::db::Connection;

/// The next time is the first one in the job's step that is still to come: the step does not drift with whoever comes
/// late, and what nobody was there to do is not made up for. A time further ahead than one period was set by a clock
/// that went wrong, or when the period was longer, and holds nobody up.
const CLAIM: &str = "\
    INSERT INTO scheduled_jobs AS job (name, due_at, last_started_at) VALUES ($1, $2 + $3, $2) \
    ON CONFLICT (name) DO UPDATE SET due_at = date_bin($3, $2, job.due_at) + $3, last_started_at = $2 \
    WHERE job.due_at <= $2 OR job.due_at > $2 + $3";

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
