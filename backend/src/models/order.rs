//! Orders of practice packs, whose sessions are used up.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use domain::practice::OrderStatus;
use serde_json::Value;

use crate::db::Connection;
use crate::db::schema::practice_package_orders as orders;

/// An order.
#[derive(Clone, Debug, PartialEq, HasQuery)]
#[diesel(table_name = orders)]
pub struct Order {
    /// Id on the platform, or an id of the hub.
    pub id: i64,
    pub practice_package_id: i64,
    /// The student who ordered the pack.
    pub user_id: i64,
    #[diesel(deserialize_as = String)]
    pub status: OrderStatus,
    pub sessions_remaining: i32,
    pub paid_at: Option<DateTime<Utc>>,
    /// Reference of the payment at the payment provider.
    pub payment_reference: Option<String>,
    /// Additional data from the platform.
    pub meta: Option<Value>,
    /// When it was placed.
    pub created_at: DateTime<Utc>,
    /// When a snapshot of the purchase was recorded.
    pub purchase_recorded_at: Option<DateTime<Utc>>,
}

impl Order {
    /// Whether a session can be used.
    pub fn has_sessions(&self) -> bool {
        self.status == OrderStatus::Paid && self.sessions_remaining > 0
    }

    /// Locks the orders with these ids, and those of these students that have sessions left, until the transaction ends,
    /// in the order of their ids.
    pub async fn lock(conn: &mut Connection, ids: &[i64], students: &[i64]) -> QueryResult<Vec<Self>> {
        let has_sessions = orders::status.eq(OrderStatus::Paid.key()).and(orders::sessions_remaining.gt(0));
        let of_students = orders::user_id.eq_any(students).and(has_sessions);
        let found = Self::query().filter(orders::id.eq_any(ids).or(of_students)).order(orders::id);
        found.for_no_key_update().load(conn).await
    }

    /// Inserts or replaces orders.
    pub async fn upsert(conn: &mut Connection, rows: &[Self], now: DateTime<Utc>) -> QueryResult<usize> {
        let values: Vec<_> = rows
            .iter()
            .map(|row| {
                (
                    orders::id.eq(row.id),
                    orders::practice_package_id.eq(row.practice_package_id),
                    orders::user_id.eq(row.user_id),
                    orders::status.eq(row.status.key()),
                    orders::sessions_remaining.eq(row.sessions_remaining),
                    orders::paid_at.eq(row.paid_at),
                    orders::payment_reference.eq(&row.payment_reference),
                    orders::meta.eq(&row.meta),
                    orders::created_at.eq(row.created_at),
                    orders::updated_at.eq(now),
                    orders::purchase_recorded_at.eq(row.purchase_recorded_at),
                )
            })
            .collect();
        diesel::insert_into(orders::table)
            .values(values)
            .on_conflict(orders::id)
            .do_update()
            .set((
                orders::status.eq(excluded(orders::status)),
                orders::sessions_remaining.eq(excluded(orders::sessions_remaining)),
                orders::paid_at.eq(excluded(orders::paid_at)),
                orders::payment_reference.eq(excluded(orders::payment_reference)),
                orders::meta.eq(excluded(orders::meta)),
                orders::updated_at.eq(excluded(orders::updated_at)),
                orders::purchase_recorded_at.eq(excluded(orders::purchase_recorded_at)),
            ))
            .execute(conn)
            .await
    }
}
