//! Reservations of seats in practices: at most one for each practice and user.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Interval, Timestamptz};
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use domain::practice::ReservationStatus;

use crate::db::Connection;
use crate::db::schema::discord_practice_reservations as reservations;

const RECORD_OUTCOMES: &str = "\
    UPDATE discord_practice_reservations AS reservation SET \
        status = CASE reservation.status WHEN 'confirmed' THEN 'attended' ELSE reservation.status END, \
        attended_at = CASE reservation.status WHEN 'cancelled' THEN reservation.attended_at ELSE coalesce( \
            reservation.attended_at, practice.end_at, \
            practice.start_at + make_interval(mins => practice.duration_minutes)) END, \
        outcome_recorded_at = $3 \
    FROM discord_practices AS practice \
    WHERE practice.id = reservation.practice_id \
        AND reservation.outcome_recorded_at IS NULL AND reservation.status <> 'pending' \
        AND reservation.id IN ( \
            SELECT id FROM discord_practice_reservations \
            WHERE practice_id = ANY($1) AND outcome_recorded_at IS NULL AND status <> 'pending' LIMIT $2) \
    RETURNING reservation.id";

const COUNT_OUTCOMES: &str = "\
    SELECT count(*) FILTER (WHERE reservation.status <> 'cancelled') AS attended, \
        count(*) FILTER (WHERE reservation.status = 'cancelled') AS cancelled, \
        count(*) FILTER (WHERE reservation.cancelled_at > practice.start_at - $2) AS late \
    FROM discord_practice_reservations AS reservation \
    JOIN discord_practices AS practice ON practice.id = reservation.practice_id \
    WHERE practice.id = ANY($1) AND reservation.outcome_recorded_at IS NULL AND reservation.status <> 'pending'";

#[derive(QueryableByName)]
struct RecordedId {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Numbers of reservations with an outcome to record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub struct OutcomeCounts {
    #[diesel(sql_type = BigInt)]
    pub attended: i64,
    #[diesel(sql_type = BigInt)]
    pub cancelled: i64,
    /// Those of the cancelled ones that were cancelled late.
    #[diesel(sql_type = BigInt)]
    pub late: i64,
}

/// A reservation.
#[derive(Clone, Debug, PartialEq, Eq, HasQuery)]
#[diesel(table_name = reservations)]
pub struct Reservation {
    /// Id on the platform, or an id of the hub.
    pub id: i64,
    pub practice_id: i64,
    pub user_id: i64,
    #[diesel(deserialize_as = String)]
    pub status: ReservationStatus,
    /// The order whose session pays for the seat.
    pub order_id: Option<i64>,
    pub reserved_at: DateTime<Utc>,
    /// Set exactly if the status is cancelled.
    pub cancelled_at: Option<DateTime<Utc>>,
    pub attended_at: Option<DateTime<Utc>>,
    /// When a snapshot of the attendance or the cancellation was recorded.
    pub outcome_recorded_at: Option<DateTime<Utc>>,
}

impl Reservation {
    /// The reservations of these practices by these users, and those with these ids. The result may include others.
    pub async fn find(
        conn: &mut Connection,
        practices: &[i64],
        users: &[i64],
        ids: &[i64],
    ) -> QueryResult<Vec<Self>> {
        let of_users = reservations::practice_id.eq_any(practices).and(reservations::user_id.eq_any(users));
        Self::query().filter(of_users.or(reservations::id.eq_any(ids))).load(conn).await
    }

    /// Up to `limit` reservations of a practice with ids greater than `after`, by id.
    pub async fn page(
        conn: &mut Connection,
        practice: i64,
        after: i64,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        Self::query()
            .filter(reservations::practice_id.eq(practice))
            .filter(reservations::id.gt(after))
            .order(reservations::id)
            .limit(limit)
            .load(conn)
            .await
    }

    /// The number of reservations of a practice, cancelled ones included.
    pub async fn count(conn: &mut Connection, practice: i64) -> QueryResult<i64> {
        reservations::table.filter(reservations::practice_id.eq(practice)).count().get_result(conn).await
    }

    /// The number of seats that are taken in each of these practices. Practices without reservations are left out.
    pub async fn seats_taken(conn: &mut Connection, practices: &[i64]) -> QueryResult<Vec<(i64, i64)>> {
        reservations::table
            .filter(reservations::practice_id.eq_any(practices))
            .filter(reservations::status.ne(ReservationStatus::Cancelled.key()))
            .group_by(reservations::practice_id)
            .select((reservations::practice_id, count_star()))
            .load(conn)
            .await
    }

    /// Records the outcomes of up to `limit` reservations of these practices: who had confirmed attended, until the end of
    /// the practice. Returns the reservations after that. Pending ones have no outcome. An outcome is recorded once.
    pub async fn record_outcomes(
        conn: &mut Connection,
        practices: &[i64],
        limit: usize,
        now: DateTime<Utc>,
    ) -> QueryResult<Vec<Self>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let recorded: Vec<RecordedId> = sql_query(RECORD_OUTCOMES)
            .bind::<Array<BigInt>, _>(practices)
            .bind::<BigInt, _>(limit)
            .bind::<Timestamptz, _>(now)
            .load(conn)
            .await?;
        let ids: Vec<i64> = recorded.into_iter().map(|recorded| recorded.id).collect();
        Self::query().filter(reservations::id.eq_any(ids)).load(conn).await
    }

    /// The number of reservations of these practices that have an outcome to record: of those that were not cancelled, of
    /// those that were, and of those that were cancelled less than this long before the start.
    pub async fn count_outcomes(
        conn: &mut Connection,
        practices: &[i64],
        late: TimeDelta,
    ) -> QueryResult<OutcomeCounts> {
        sql_query(COUNT_OUTCOMES)
            .bind::<Array<BigInt>, _>(practices)
            .bind::<Interval, _>(late)
            .get_result(conn)
            .await
    }

    /// Inserts the reservations. Existing ones of the same practices and users are replaced, their ids included.
    pub async fn upsert(conn: &mut Connection, rows: &[Self]) -> QueryResult<usize> {
        let values: Vec<_> = rows
            .iter()
            .map(|row| {
                (
                    reservations::id.eq(row.id),
                    reservations::practice_id.eq(row.practice_id),
                    reservations::user_id.eq(row.user_id),
                    reservations::status.eq(row.status.key()),
                    reservations::order_id.eq(row.order_id),
                    reservations::reserved_at.eq(row.reserved_at),
                    reservations::cancelled_at.eq(row.cancelled_at),
                    reservations::attended_at.eq(row.attended_at),
                    reservations::outcome_recorded_at.eq(row.outcome_recorded_at),
                )
            })
            .collect();
        diesel::insert_into(reservations::table)
            .values(values)
            .on_conflict((reservations::practice_id, reservations::user_id))
            .do_update()
            .set((
                reservations::id.eq(excluded(reservations::id)),
                reservations::status.eq(excluded(reservations::status)),
                reservations::order_id.eq(excluded(reservations::order_id)),
                reservations::reserved_at.eq(excluded(reservations::reserved_at)),
                reservations::cancelled_at.eq(excluded(reservations::cancelled_at)),
                reservations::attended_at.eq(excluded(reservations::attended_at)),
                reservations::outcome_recorded_at.eq(excluded(reservations::outcome_recorded_at)),
            ))
            .execute(conn)
            .await
    }
}
