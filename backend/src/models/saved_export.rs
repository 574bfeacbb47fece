//! Exports that users saved, to repeat them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;

use crate::db::Connection;
use crate::db::schema::saved_exports;
use crate::id::Id;

/// A saved export.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = saved_exports)]
pub struct SavedExport {
    pub id: Id,
    /// The name that the user gave it.
    pub name: String,
    /// [`domain::Dataset::key`].
    pub dataset: String,
    /// [`domain::ExportFormat::key`].
    pub format: String,
    /// The other fields of a request for a link.
    pub options: Value,
    pub created_at: DateTime<Utc>,
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A new saved export.
#[derive(Debug, Insertable)]
#[diesel(table_name = saved_exports)]
pub struct NewSavedExport<'a> {
    pub user_id: i64,
    /// The name that the user gave it.
    pub name: &'a str,
    /// [`domain::Dataset::key`].
    pub dataset: &'a str,
    /// [`domain::ExportFormat::key`].
    pub format: &'a str,
    /// The other fields of a request for a link.
    pub options: Value,
    pub created_at: DateTime<Utc>,
}

impl NewSavedExport<'_> {
    /// Inserts it. `None` if the user has one with this name.
    pub async fn insert(&self, conn: &mut Connection) -> QueryResult<Option<SavedExport>> {
        diesel::insert_into(saved_exports::table)
            .values(self)
            .on_conflict((saved_exports::user_id, saved_exports::name))
            .do_nothing()
            .returning(SavedExport::as_returning())
            .get_result(conn)
            .await
            .optional()
    }
}

impl SavedExport {
    /// The exports that a user saved, by name.
    pub async fn list(conn: &mut Connection, user_id: i64) -> QueryResult<Vec<Self>> {
        let own = Self::query().filter(saved_exports::user_id.eq(user_id));
        own.order((saved_exports::name, saved_exports::id)).load(conn).await
    }

    /// The number of exports that a user saved.
    pub async fn count(conn: &mut Connection, user_id: i64) -> QueryResult<i64> {
        saved_exports::table.filter(saved_exports::user_id.eq(user_id)).count().get_result(conn).await
    }

    /// The export with this id, if the user saved it.
    pub async fn find(conn: &mut Connection, id: i64, user_id: i64) -> QueryResult<Option<Self>> {
        let own = Self::query().filter(saved_exports::user_id.eq(user_id));
        own.filter(saved_exports::id.eq(id)).first(conn).await.optional()
    }

    /// Records that it was used.
    pub async fn record_use(&self, conn: &mut Connection, now: DateTime<Utc>) -> QueryResult<()> {
        let used = saved_exports::last_used_at.eq(now);
        diesel::update(saved_exports::table.find(self.id)).set(used).execute(conn).await?;
        Ok(())
    }

    /// Deletes the export with this id, if the user saved it. Returns whether it existed.
    pub async fn delete(conn: &mut Connection, id: i64, user_id: i64) -> QueryResult<bool> {
        let own = saved_exports::table.find(id).filter(saved_exports::user_id.eq(user_id));
        Ok(diesel::delete(own).execute(conn).await? > 0)
    }
}
