//! Courses: slugs are unique.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use domain::Text;

use super::unique::{Settled, Unique};
use super::{Mirrored, Numbered, Problem};
use crate::db::Connection;
use crate::error::Result;
use crate::models::mirrored;
use crate::models::mirrored::course::MirroredCourse;

const SLUG: Unique = Unique {
    field: "slug",
    taken: Text::new("Ese slug es de otro curso.", "That slug is another course's."),
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

    async fn make_room(conn: &mut Connection, rows: &[Numbered<Self>]) -> Result<Vec<Problem>> {
        let wanted: Vec<(usize, i64, &str)> =
            rows.iter().map(|(index, row)| (*index, row.id, row.slug.as_str())).collect();
        let slugs: Vec<&str> = wanted.iter().map(|(_, _, slug)| *slug).collect();
        let owners = Self::owners(conn, &slugs).await?;
        let Settled { problems, givers } = SLUG.settle(&wanted, &owners);
        if !givers.is_empty() {
            Self::vacate(conn, &givers).await?;
        }
        Ok(problems)
    }

    async fn store(conn: &mut Connection, rows: Vec<Self>, now: DateTime<Utc>) -> Result<usize> {
        Ok(Self::upsert(conn, &rows, now).await?)
    }
}
