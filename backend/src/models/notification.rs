//! What the hub told its people, one row a person.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;

use super::user::User;
use crate::db::Connection;
use crate::db::schema::{notifications, users};

/// Something that somebody was told.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = notifications)]
pub struct Notification {
    /// Identifies it.
    pub id: i64,
    /// What it is about.
    pub kind: String,
    /// What its words are made of.
    pub data: Value,
    /// When it was sent.
    pub created_at: DateTime<Utc>,
    /// When it was read.
    pub read_at: Option<DateTime<Utc>>,
}

/// Something to tell somebody.
#[derive(Debug, Insertable)]
#[diesel(table_name = notifications)]
pub struct NewNotification<'a> {
    /// Who is told.
    pub user_id: i64,
    /// What it is about.
    pub kind: &'a str,
    /// What its words are made of.
    pub data: &'a Value,
    /// Now.
    pub created_at: DateTime<Utc>,
}

/// Which of somebody's notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// Those that were not read yet.
    Unread,
}

impl NewNotification<'_> {
    /// Stores them, and answers with their ids.
    pub async fn insert_all(conn: &mut Connection, new: &[Self]) -> QueryResult<Vec<i64>> {
        diesel::insert_into(notifications::table)
            .values(new)
            .returning(notifications::id)
            .get_results(conn)
            .await
    }
}

impl Notification {
    /// Up to `limit` of somebody's, the newest first.
    pub async fn of(conn: &mut Connection, user_id: i64, which: Which, limit: i64) -> QueryResult<Vec<Self>> {
        let mut query = Self::query()
            .filter(notifications::user_id.eq(user_id))
            .order((notifications::created_at.desc(), notifications::id.desc()))
            .limit(limit)
            .into_boxed();
        match which {
            Which::All => {}
            Which::Unread => query = query.filter(notifications::read_at.is_null()),
        }
        query.load(conn).await
    }

    /// The notification with this id, and whose it is.
    pub async fn with_user(conn: &mut Connection, id: i64) -> QueryResult<Option<(Self, User)>> {
        notifications::table
            .inner_join(users::table)
            .filter(notifications::id.eq(id))
            .select((Self::as_select(), User::as_select()))
            .first(conn)
            .await
            .optional()
    }

    /// Writes down that somebody read one of theirs, the first time, and answers with it as it is now.
    pub async fn mark_read(
        conn: &mut Connection,
        id: i64,
        user_id: i64,
        now: DateTime<Utc>,
    ) -> QueryResult<Option<Self>> {
        diesel::update(notifications::table.find(id))
            .filter(notifications::user_id.eq(user_id))
            .filter(notifications::read_at.is_null())
            .set(notifications::read_at.eq(now))
            .execute(conn)
            .await?;
        Self::query()
            .filter(notifications::id.eq(id))
            .filter(notifications::user_id.eq(user_id))
            .first(conn)
            .await
            .optional()
    }
}
