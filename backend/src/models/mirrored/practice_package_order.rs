//! Orders of practice packs as the learning platform states them.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use serde_json::Value;

use crate::db::Connection;
use crate::db::schema::practice_package_orders as orders;

/// What the platform says of one order.
#[derive(Debug, PartialEq, Insertable, Queryable, Selectable)]
#[diesel(table_name = orders)]
pub struct MirroredOrder {
    /// Its id on the platform.
    pub id: i64,
    /// The pack that was ordered.
    pub practice_package_id: i64,
    /// Who ordered it.
    pub user_id: i64,
    /// `pending`, `paid`, `cancelled` or `completed`.
    pub status: Cow<'static, str>,
    /// How many sessions of it are left.
    pub sessions_remaining: i32,
    /// When it was paid.
    pub paid_at: Option<DateTime<Utc>>,
    /// What the payment is known by.
    pub payment_reference: Option<String>,
    /// Details in the platform's words.
    pub meta: Option<Value>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl MirroredOrder {
    /// Those of these orders that are stored.
    pub async fn stored(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        orders::table.filter(orders::id.eq_any(ids)).select(Self::as_select()).load(conn).await
    }

    /// Stores the rows and answers with how many were new or changed.
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
        let stamped: Vec<_> = rows.iter().map(|row| (row, orders::updated_at.eq(now))).collect();
        diesel::insert_into(orders::table)
            .values(stamped)
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
