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

    /// Inserts orders. Fails with a unique violation if one of them exists.
    pub async fn insert(conn: &mut Connection, rows: &[Self], now: DateTime<Utc>) -> QueryResult<usize> {
        diesel::insert_into(orders::table).values(values(rows, now)).execute(conn).await
    }

    /// Updates orders that exist.
    pub async fn update(conn: &mut Connection, rows: &[Self], now: DateTime<Utc>) -> QueryResult<usize> {
        diesel::insert_into(orders::table)
            .values(values(rows, now))
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

/// The values of the columns.
#[derive(Insertable)]
#[diesel(table_name = orders)]
struct OrderValues<'a> {
    id: i64,
    practice_package_id: i64,
    user_id: i64,
    status: &'static str,
    sessions_remaining: i32,
    paid_at: Option<DateTime<Utc>>,
    payment_reference: Option<&'a str>,
    meta: Option<&'a Value>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    purchase_recorded_at: Option<DateTime<Utc>>,
}

fn values(rows: &[Order], now: DateTime<Utc>) -> Vec<OrderValues<'_>> {
    rows.iter()
        .map(|row| OrderValues {
            id: row.id,
            practice_package_id: row.practice_package_id,
            user_id: row.user_id,
            status: row.status.key(),
            sessions_remaining: row.sessions_remaining,
            paid_at: row.paid_at,
            payment_reference: row.payment_reference.as_deref(),
            meta: row.meta.as_ref(),
            created_at: row.created_at,
            updated_at: now,
            purchase_recorded_at: row.purchase_recorded_at,
        })
        .collect()
}
