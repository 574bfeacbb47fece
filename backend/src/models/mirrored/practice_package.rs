//! Practice packs, as sent by the learning platform.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;

use super::price::Price;
use crate::db::Connection;
use crate::db::schema::practice_packages as packages;

/// A practice pack, as sent by the platform.
#[derive(Debug, PartialEq, Insertable, Queryable, Selectable)]
#[diesel(table_name = packages)]
pub struct MirroredPackage {
    /// Id on the platform.
    pub id: i64,
    /// Id of the teacher who offers the pack.
    pub creator_id: i64,
    pub lesson_id: Option<i64>,
    pub title: String,
    /// Number of sessions per purchase.
    pub sessions_count: i32,
    pub price_amount: Price,
    /// ISO 4217 code of the currency.
    pub price_currency: String,
    /// Status as named by the platform.
    pub status: String,
}

impl MirroredPackage {
    /// The stored packs with these ids.
    pub async fn stored(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        packages::table.filter(packages::id.eq_any(ids)).select(Self::as_select()).load(conn).await
    }

    /// Inserts or updates the rows, and returns the number of new and changed rows.
    pub async fn upsert(conn: &mut Connection, rows: &[Self], now: DateTime<Utc>) -> QueryResult<usize> {
        use diesel::query_dsl::methods::FilterDsl as _;

        let changed = packages::creator_id
            .is_distinct_from(excluded(packages::creator_id))
            .or(packages::lesson_id.is_distinct_from(excluded(packages::lesson_id)))
            .or(packages::title.is_distinct_from(excluded(packages::title)))
            .or(packages::sessions_count.is_distinct_from(excluded(packages::sessions_count)))
            .or(packages::price_amount.is_distinct_from(excluded(packages::price_amount)))
            .or(packages::price_currency.is_distinct_from(excluded(packages::price_currency)))
            .or(packages::status.is_distinct_from(excluded(packages::status)));
        let with_timestamps: Vec<_> = rows
            .iter()
            .map(|row| (row, packages::created_at.eq(now), packages::updated_at.eq(now)))
            .collect();
        diesel::insert_into(packages::table)
            .values(with_timestamps)
            .on_conflict(packages::id)
            .do_update()
            .set((
                packages::creator_id.eq(excluded(packages::creator_id)),
                packages::lesson_id.eq(excluded(packages::lesson_id)),
                packages::title.eq(excluded(packages::title)),
                packages::sessions_count.eq(excluded(packages::sessions_count)),
                packages::price_amount.eq(excluded(packages::price_amount)),
                packages::price_currency.eq(excluded(packages::price_currency)),
                packages::status.eq(excluded(packages::status)),
                packages::updated_at.eq(excluded(packages::updated_at)),
            ))
            .filter(changed)
            .execute(conn)
            .await
    }
}
