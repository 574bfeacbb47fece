//! Courses as the learning platform states them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt};
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use serde_json::Value;

use crate::db::Connection;
use crate::db::schema::courses;

/// What the platform says of one course.
#[derive(Debug, PartialEq, Insertable, Queryable, Selectable)]
#[diesel(table_name = courses)]
pub struct MirroredCourse {
    /// Its id on the platform.
    pub id: i64,
    /// Its short name in addresses.
    pub slug: String,
    /// Its title by language.
    pub titles: Value,
}

impl MirroredCourse {
    /// Those of these courses that are stored.
    pub async fn stored(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        courses::table.filter(courses::id.eq_any(ids)).select(Self::as_select()).load(conn).await
    }

    /// Stores the rows and answers with how many were new or changed.
    pub async fn upsert(conn: &mut Connection, rows: &[Self], now: DateTime<Utc>) -> QueryResult<usize> {
        use diesel::query_dsl::methods::FilterDsl as _;

        let stamped: Vec<_> =
            rows.iter().map(|row| (row, courses::created_at.eq(now), courses::updated_at.eq(now))).collect();
        diesel::insert_into(courses::table)
            .values(stamped)
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

    /// Which courses have these slugs now.
    pub async fn owners(conn: &mut Connection, slugs: &[&str]) -> QueryResult<Vec<(i64, String)>> {
        courses::table
            .filter(courses::slug.eq_any(slugs))
            .select((courses::id, courses::slug))
            .load(conn)
            .await
    }

    /// Takes their slugs from courses that are about to get others, so that another course can have them.
    pub async fn vacate(conn: &mut Connection, ids: &[i64]) -> QueryResult<()> {
        diesel::sql_query("UPDATE courses SET slug = 'vacated ' || id WHERE id = ANY($1)")
            .bind::<Array<BigInt>, _>(ids)
            .execute(conn)
            .await?;
        Ok(())
    }
}
