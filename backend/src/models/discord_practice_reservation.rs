//! Seats in live practices.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::db::schema::discord_practice_reservations as reservations;

/// A reservation to be stored.
#[derive(Debug, Insertable)]
#[diesel(table_name = reservations)]
pub struct NewReservation {
    /// Identifies it.
    pub id: i64,
    /// The practice.
    pub practice_id: i64,
    /// Who takes part.
    pub user_id: i64,
    /// `pending`, `confirmed`, `attended` or `cancelled`.
    pub status: &'static str,
    /// The order whose session pays for the seat.
    pub order_id: Option<i64>,
    /// When it was made.
    pub reserved_at: DateTime<Utc>,
    /// When it was cancelled.
    pub cancelled_at: Option<DateTime<Utc>>,
    /// When the student came.
    pub attended_at: Option<DateTime<Utc>>,
    /// When its attendance or cancellation became a snapshot.
    pub outcome_recorded_at: Option<DateTime<Utc>>,
}

impl NewReservation {
    /// Stores new reservations.
    pub async fn insert(conn: &mut Connection, rows: &[Self]) -> QueryResult<usize> {
        diesel::insert_into(reservations::table).values(rows).execute(conn).await
    }
}
