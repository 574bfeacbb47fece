//! Rows of reservations.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::db::schema::discord_practice_reservations as reservations;

/// A new reservation.
#[derive(Debug, Insertable)]
#[diesel(table_name = reservations)]
pub struct NewReservation {
    pub id: i64,
    pub practice_id: i64,
    pub user_id: i64,
    /// `pending`, `confirmed`, `attended` or `cancelled`.
    pub status: &'static str,
    /// The practice pack order that pays for the seat.
    pub order_id: Option<i64>,
    pub reserved_at: DateTime<Utc>,
    pub cancelled_at: Option<DateTime<Utc>>,
    /// When the student attended.
    pub attended_at: Option<DateTime<Utc>>,
    /// When the attendance or cancellation was recorded as a snapshot.
    pub outcome_recorded_at: Option<DateTime<Utc>>,
}

impl NewReservation {
    /// Inserts the reservations and returns their number.
    pub async fn insert(conn: &mut Connection, rows: &[Self]) -> QueryResult<usize> {
        diesel::insert_into(reservations::table).values(rows).execute(conn).await
    }
}
