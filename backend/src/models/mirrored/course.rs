//! Courses, as sent by the learning platform.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt};
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use serde_json::Value;

use crate::db::Connection;
use crate::db::schema::courses;

/// A course, as sent by the platform.
#[derive(Debug, PartialEq, Insertable, Queryable, Selectable)]
#[diesel(table_name = courses)]
pub struct MirroredCourse {
    /// Id on the platform.
    pub id: i64,
    pub slug: String,
    /// JSON object with the title in each language.
    pub titles: Value,
}

impl MirroredCourse {
    /// The stored courses with these ids.
    pub async fn stored(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        courses::table.filter(courses::id.eq_any(ids)).select(Self::as_select()).load(conn).await
    }

    /// Inserts or updates the rows, and returns the number of new and changed rows.
    pub async fn upsert(conn: &mut Connection, rows: &[Self], now: DateTime<Utc>) -> QueryResult<usize> {
        use diesel::query_dsl::methods::FilterDsl as _;

        let with_timestamps: Vec<_> =
            rows.iter().map(|row| (row, courses::created_at.eq(now), courses::updated_at.eq(now))).collect();
        diesel::insert_into(courses::table)
            .values(with_timestamps)
            .on_conflict(courses::id)
            .do_update()
            .set((
                courses::slug.eq(excluded(courses::slug)),
                courses::titles.eq(excluded(courses::titles)),
                courses::updated_at.eq(excluded(courses::updated_at)),
            ))
            .filter(
                courses::slug
                    .is_distinct_from(excluded(courses::slug))
                    .or(courses::titles.is_distinct_from(excluded(courses::titles))),
            )
            .execute(conn)
            .await
    }

    /// The ids and slugs of the stored courses with these slugs.
    pub async fn owners(conn: &mut Connection, slugs: &[&str]) -> QueryResult<Vec<(i64, String)>> {
        courses::table
            .filter(courses::slug.eq_any(slugs))
            .select((courses::id, courses::slug))
            .load(conn)
            .await
    }

    /// Replaces the slugs of these courses by placeholders, so that other courses can take the slugs. The
    /// courses get their new slugs later in the transaction.
    pub async fn vacate(conn: &mut Connection, ids: &[i64]) -> QueryResult<()> {
        diesel::sql_query("UPDATE courses SET slug = 'vacated ' || id WHERE id = ANY($1)")
            .bind::<Array<BigInt>, _>(ids)
            .execute(conn)
            .await?;
        Ok(())
    }
}
