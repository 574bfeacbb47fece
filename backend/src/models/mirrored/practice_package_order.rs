//! Orders of practice packs, as sent by the learning platform.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use serde_json::Value;

use crate::db::Connection;
use crate::db::schema::practice_package_orders as orders;

/// An order, as sent by the platform.
#[derive(Debug, PartialEq, Insertable, Queryable, Selectable)]
#[diesel(table_name = orders)]
pub struct MirroredOrder {
    /// Id on the platform.
    pub id: i64,
    pub practice_package_id: i64,
    /// Id of the student who ordered the pack.
    pub user_id: i64,
    /// `pending`, `paid`, `cancelled` or `completed`.
    pub status: Cow<'static, str>,
    pub sessions_remaining: i32,
    pub paid_at: Option<DateTime<Utc>>,
    /// Reference of the payment at the payment provider.
    pub payment_reference: Option<String>,
    /// Additional data from the platform.
    pub meta: Option<Value>,
    /// When the order was placed.
    pub created_at: DateTime<Utc>,
}

impl MirroredOrder {
    /// The stored orders with these ids.
    pub async fn stored(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        orders::table.filter(orders::id.eq_any(ids)).select(Self::as_select()).load(conn).await
    }

    /// Inserts or updates the rows, and returns the number of new and changed rows.
    pub async fn upsert(conn: &mut Connection, rows: &[Self], now: DateTime<Utc>) -> QueryResult<usize> {
        use diesel::query_dsl::methods::FilterDsl as _;

        let changed = orders::practice_package_id
            .is_distinct_from(excluded(orders::practice_package_id))
            .or(orders::user_id.is_distinct_from(excluded(orders::user_id)))
            .or(orders::status.is_distinct_from(excluded(orders::status)))
            .or(orders::sessions_remaining.is_distinct_from(excluded(orders::sessions_remaining)))
            .or(orders::paid_at.is_distinct_from(excluded(orders::paid_at)))
            .or(orders::payment_reference.is_distinct_from(excluded(orders::payment_reference)))
            .or(orders::meta.is_distinct_from(excluded(orders::meta)))
            .or(orders::created_at.is_distinct_from(excluded(orders::created_at)));
        let with_timestamps: Vec<_> = rows.iter().map(|row| (row, orders::updated_at.eq(now))).collect();
        diesel::insert_into(orders::table)
            .values(with_timestamps)
            .on_conflict(orders::id)
            .do_update()
            .set((
                orders::practice_package_id.eq(excluded(orders::practice_package_id)),
                orders::user_id.eq(excluded(orders::user_id)),
                orders::status.eq(excluded(orders::status)),
                orders::sessions_remaining.eq(excluded(orders::sessions_remaining)),
                orders::paid_at.eq(excluded(orders::paid_at)),
                orders::payment_reference.eq(excluded(orders::payment_reference)),
                orders::meta.eq(excluded(orders::meta)),
                orders::created_at.eq(excluded(orders::created_at)),
                orders::updated_at.eq(excluded(orders::updated_at)),
            ))
            .filter(changed)
            .execute(conn)
            .await
    }
}
