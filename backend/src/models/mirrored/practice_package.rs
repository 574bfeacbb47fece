//! Practice packs as the learning platform states them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;

use super::price::Price;
use crate::db::Connection;
use crate::db::schema::practice_packages as packages;

/// What the platform says of one practice pack.
#[derive(Debug, PartialEq, Insertable, Queryable, Selectable)]
#[diesel(table_name = packages)]
pub struct MirroredPackage {
    /// Its id on the platform.
    pub id: i64,
    /// The teacher who offers it.
    pub creator_id: i64,
    /// The lesson that it is for.
    pub lesson_id: Option<i64>,
    /// Its title.
    pub title: String,
    /// How many sessions one purchase holds.
    pub sessions_count: i32,
    /// What it costs.
    pub price_amount: Price,
    /// The currency's ISO 4217 code.
    pub price_currency: String,
    /// Its status in the platform's words.
    pub status: String,
}

impl MirroredPackage {
    /// Those of these packs that are stored.
    pub async fn stored(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        packages::table.filter(packages::id.eq_any(ids)).select(Self::as_select()).load(conn).await
    }

    /// Stores the rows and answers with how many were new or changed.
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
        let stamped: Vec<_> = rows
            .iter()
            .map(|row| (row, packages::created_at.eq(now), packages::updated_at.eq(now)))
            .collect();
        diesel::insert_into(packages::table)
            .values(stamped)
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
