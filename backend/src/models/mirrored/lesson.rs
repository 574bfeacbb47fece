//! Lessons as the learning platform states them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::db::schema::lessons;

/// What the platform says of one lesson.
#[derive(Debug, PartialEq, Insertable, Queryable, Selectable)]
#[diesel(table_name = lessons)]
pub struct MirroredLesson {
    /// Its id on the platform.
    pub id: i64,
    /// The course that it belongs to.
    pub course_id: i64,
    /// Its title.
    pub title: String,
}

impl MirroredLesson {
    /// Those of these lessons that are stored.
    pub async fn stored(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        lessons::table.filter(lessons::id.eq_any(ids)).select(Self::as_select()).load(conn).await
    }

    /// Stores the rows and answers with how many were new or changed.
    pub async fn upsert(conn: &mut Connection, rows: &[Self], now: DateTime<Utc>) -> QueryResult<usize> {
        use diesel::query_dsl::methods::FilterDsl as _;

        let stamped: Vec<_> =
            rows.iter().map(|row| (row, lessons::created_at.eq(now), lessons::updated_at.eq(now))).collect();
        diesel::insert_into(lessons::table)
            .values(stamped)
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
