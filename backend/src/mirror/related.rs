//! Lessons, packs, orders and practices. Their only condition is that the rows they refer to exist.

use chrono::{DateTime, Utc};
use diesel::QueryResult;

use super::Mirrored;
use crate::db::Connection;
use crate::error::Result;
use crate::models::mirrored;
use crate::models::mirrored::discord_practice::MirroredPractice;
use crate::models::mirrored::lesson::MirroredLesson;
use crate::models::mirrored::practice_package::MirroredPackage;
use crate::models::mirrored::practice_package_order::MirroredOrder;

impl Mirrored for MirroredLesson {
    const TABLE: &'static str = "lessons";
    type Key = i64;

    fn key(&self) -> i64 {
        self.id
    }

    async fn stored(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        MirroredLesson::stored(conn, ids).await
    }

    async fn lock(conn: &mut Connection, ids: &[i64]) -> QueryResult<()> {
        mirrored::lock_rows(conn, Self::TABLE, ids).await
    }

    async fn store(conn: &mut Connection, rows: Vec<Self>, now: DateTime<Utc>) -> Result<usize> {
        Ok(Self::upsert(conn, &rows, now).await?)
    }
}

impl Mirrored for MirroredPackage {
    const TABLE: &'static str = "practice_packages";
    type Key = i64;

    fn key(&self) -> i64 {
        self.id
    }

    async fn stored(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        MirroredPackage::stored(conn, ids).await
    }

    async fn lock(conn: &mut Connection, ids: &[i64]) -> QueryResult<()> {
        mirrored::lock_rows(conn, Self::TABLE, ids).await
    }

    async fn store(conn: &mut Connection, rows: Vec<Self>, now: DateTime<Utc>) -> Result<usize> {
        Ok(Self::upsert(conn, &rows, now).await?)
    }
}

impl Mirrored for MirroredOrder {
    const TABLE: &'static str = "practice_package_orders";
    type Key = i64;

    fn key(&self) -> i64 {
        self.id
    }

    async fn stored(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        MirroredOrder::stored(conn, ids).await
    }

    async fn lock(conn: &mut Connection, ids: &[i64]) -> QueryResult<()> {
        mirrored::lock_rows(conn, Self::TABLE, ids).await
    }

    async fn store(conn: &mut Connection, rows: Vec<Self>, now: DateTime<Utc>) -> Result<usize> {
        Ok(Self::upsert(conn, &rows, now).await?)
    }
}

impl Mirrored for MirroredPractice {
    const TABLE: &'static str = "discord_practices";
    type Key = i64;

    fn key(&self) -> i64 {
        self.id
    }

    async fn stored(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        MirroredPractice::stored(conn, ids).await
    }

    async fn lock(conn: &mut Connection, ids: &[i64]) -> QueryResult<()> {
        mirrored::lock_rows(conn, Self::TABLE, ids).await
    }

    async fn store(conn: &mut Connection, rows: Vec<Self>, now: DateTime<Utc>) -> Result<usize> {
        Ok(Self::upsert(conn, &rows, now).await?)
    }
}
