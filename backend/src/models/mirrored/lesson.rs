//! Lessons, as sent by the learning platform.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::db::schema::lessons;

/// A lesson, as sent by the platform.
#[derive(Debug, PartialEq, Insertable, Queryable, Selectable)]
#[diesel(table_name = lessons)]
pub struct MirroredLesson {
    /// Id on the platform.
    pub id: i64,
    pub course_id: i64,
    pub title: String,
}

impl MirroredLesson {
    /// The stored lessons with these ids.
    pub async fn stored(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        lessons::table.filter(lessons::id.eq_any(ids)).select(Self::as_select()).load(conn).await
    }

    /// Inserts or updates the rows, and returns the number of new and changed rows.
    pub async fn upsert(conn: &mut Connection, rows: &[Self], now: DateTime<Utc>) -> QueryResult<usize> {
        use diesel::query_dsl::methods::FilterDsl as _;

        let with_timestamps: Vec<_> =
            rows.iter().map(|row| (row, lessons::created_at.eq(now), lessons::updated_at.eq(now))).collect();
        diesel::insert_into(lessons::table)
            .values(with_timestamps)
            .on_conflict(lessons::id)
            .do_update()
            .set((
                lessons::course_id.eq(excluded(lessons::course_id)),
                lessons::title.eq(excluded(lessons::title)),
                lessons::updated_at.eq(excluded(lessons::updated_at)),
            ))
            .filter(
                lessons::course_id
                    .is_distinct_from(excluded(lessons::course_id))
                    .or(lessons::title.is_distinct_from(excluded(lessons::title))),
            )
            .execute(conn)
            .await
    }
}
