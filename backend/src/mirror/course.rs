//! Courses: slugs are unique.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use domain::Text;

use super::unique::{Resolution, Unique};
use super::{Indexed, Mirrored, Problem};
use crate::db::Connection;
use crate::error::Result;
use crate::models::mirrored;
use crate::models::mirrored::course::MirroredCourse;

const SLUG: Unique = Unique {
    field: "slug",
    taken_message: Text::new("Otro curso ya usa ese slug.", "This slug is taken by another course."),
};

impl Mirrored for MirroredCourse {
    const TABLE: &'static str = "courses";
    type Key = i64;

    fn key(&self) -> i64 {
        self.id
    }

    async fn stored(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        MirroredCourse::stored(conn, ids).await
    }

    async fn lock(conn: &mut Connection, ids: &[i64]) -> QueryResult<()> {
        mirrored::lock_rows(conn, Self::TABLE, ids).await
    }

    async fn free_unique_values(conn: &mut Connection, rows: &[Indexed<Self>]) -> Result<Vec<Problem>> {
        let requested: Vec<(usize, i64, &str)> =
            rows.iter().map(|(index, row)| (*index, row.id, row.slug.as_str())).collect();
        let slugs: Vec<&str> = requested.iter().map(|(_, _, slug)| *slug).collect();
        let owners = Self::owners(conn, &slugs).await?;
        let Resolution { problems, to_vacate } = SLUG.resolve(&requested, &owners);
        if !to_vacate.is_empty() {
            Self::vacate(conn, &to_vacate).await?;
        }
        Ok(problems)
    }

    async fn store(conn: &mut Connection, rows: Vec<Self>, now: DateTime<Utc>) -> Result<usize> {
        Ok(Self::upsert(conn, &rows, now).await?)
    }
}
