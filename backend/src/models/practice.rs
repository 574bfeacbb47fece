//! Practices in which seats are reserved.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Timestamptz};
use diesel_async::RunQueryDsl;
use domain::practice::PracticeStatus;

use crate::db::Connection;
use crate::db::schema::{discord_practices as practices, lessons};

/// The practices whose attendance is due at `$1`. The two parts use different indexes.
const DUE: &str = "\
    SELECT id, start_at FROM discord_practices \
    WHERE status = 'scheduled' AND start_at <= $1 \
        AND coalesce(end_at, start_at + make_interval(mins => duration_minutes)) <= $1 \
    UNION \
    SELECT practice.id, practice.start_at FROM discord_practice_reservations AS reservation \
    JOIN discord_practices AS practice ON practice.id = reservation.practice_id \
    WHERE reservation.outcome_recorded_at IS NULL AND reservation.status <> 'pending' \
        AND practice.status = 'completed' \
        AND coalesce(practice.end_at, practice.start_at + make_interval(mins => practice.duration_minutes)) <= $1";

#[derive(QueryableByName)]
struct DueId {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// A practice in which seats are reserved.
#[derive(Clone, Debug, HasQuery)]
#[diesel(table_name = practices)]
pub struct Practice {
    pub id: i64,
    pub lesson_id: i64,
    pub title: String,
    /// `cohort`, `global` or another name.
    #[diesel(column_name = type_)]
    pub kind: String,
    #[diesel(deserialize_as = String)]
    pub status: PracticeStatus,
    pub start_at: DateTime<Utc>,
    end_at: Option<DateTime<Utc>>,
    duration_minutes: i32,
    /// Number of seats.
    pub capacity: i32,
    /// Whether a reservation requires an order with sessions left.
    pub requires_package: bool,
    /// The pack that such an order must be of. Any pack if `None`.
    pub practice_package_id: Option<i64>,
    pub cohort_label: Option<String>,
}

impl Practice {
    /// Locks the practices with these ids until the transaction ends, in the order of their ids.
    pub async fn lock(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        let found = Self::query().filter(practices::id.eq_any(ids)).order(practices::id);
        found.for_no_key_update().load(conn).await
    }

    /// The course of a practice, through its lesson.
    pub async fn course(conn: &mut Connection, id: i64) -> QueryResult<Option<i64>> {
        let found = practices::table.inner_join(lessons::table).filter(practices::id.eq(id));
        found.select(lessons::course_id).first(conn).await.optional()
    }

    /// Locks those of these practices that no other transaction has locked, until the transaction ends.
    pub async fn lock_free(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        let found = Self::query().filter(practices::id.eq_any(ids)).order(practices::id);
        found.for_no_key_update().skip_locked().load(conn).await
    }

    /// The practices whose attendance is due, longest ago first: those that ended by this time, were not cancelled, and
    /// are still scheduled or have reservations whose outcome is not recorded.
    pub async fn due(conn: &mut Connection, ended_by: DateTime<Utc>, limit: i64) -> QueryResult<Vec<i64>> {
        let due: Vec<DueId> = sql_query(format!("{DUE} ORDER BY start_at, id LIMIT $2"))
            .bind::<Timestamptz, _>(ended_by)
            .bind::<BigInt, _>(limit)
            .load(conn)
            .await?;
        Ok(due.into_iter().map(|due| due.id).collect())
    }

    /// Those of these practices whose attendance is due.
    pub async fn still_due(
        conn: &mut Connection,
        ended_by: DateTime<Utc>,
        ids: &[i64],
    ) -> QueryResult<HashSet<i64>> {
        let due: Vec<DueId> = sql_query(format!("SELECT id FROM ({DUE}) AS due WHERE id = ANY($2)"))
            .bind::<Timestamptz, _>(ended_by)
            .bind::<Array<BigInt>, _>(ids)
            .load(conn)
            .await?;
        Ok(due.into_iter().map(|due| due.id).collect())
    }

    /// The number of practices whose attendance is due.
    pub async fn count_due(conn: &mut Connection, ended_by: DateTime<Utc>) -> QueryResult<i64> {
        let due = sql_query(format!("SELECT count(*) AS id FROM ({DUE}) AS due"));
        Ok(due.bind::<Timestamptz, _>(ended_by).get_result::<DueId>(conn).await?.id)
    }

    /// Marks those of these practices as completed that are scheduled. Returns their number.
    pub async fn complete(conn: &mut Connection, ids: &[i64], now: DateTime<Utc>) -> QueryResult<usize> {
        let scheduled = practices::table
            .filter(practices::id.eq_any(ids))
            .filter(practices::status.eq(PracticeStatus::Scheduled.key()));
        let completed =
            (practices::status.eq(PracticeStatus::Completed.key()), practices::updated_at.eq(now));
        diesel::update(scheduled).set(completed).execute(conn).await
    }

    /// When it ends.
    pub fn ends_at(&self) -> DateTime<Utc> {
        self.end_at.unwrap_or_else(|| self.start_at + TimeDelta::minutes(self.duration_minutes.into()))
    }
}
