//! Notifications to users, one row per user.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;

use super::user::User;
use crate::db::Connection;
use crate::db::schema::{notifications, users};

/// A notification to a user.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = notifications)]
pub struct Notification {
    pub id: i64,
    /// The kind of notification, such as `telemetry_backlog`.
    pub kind: String,
    /// The values of its text.
    pub data: Value,
    pub created_at: DateTime<Utc>,
    pub read_at: Option<DateTime<Utc>>,
}

/// A notification to insert.
#[derive(Debug, Insertable)]
#[diesel(table_name = notifications)]
pub struct NewNotification<'a> {
    /// The recipient.
    pub user_id: i64,
    /// The kind of notification, such as `telemetry_backlog`.
    pub kind: &'a str,
    /// The values of its text.
    pub data: &'a Value,
    pub created_at: DateTime<Utc>,
}

/// Which of a user's notifications to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotificationFilter {
    /// All notifications.
    All,
    /// Only unread notifications.
    Unread,
}

impl NewNotification<'_> {
    /// Inserts notifications and returns their ids.
    pub async fn insert_all(conn: &mut Connection, new: &[Self]) -> QueryResult<Vec<i64>> {
        diesel::insert_into(notifications::table)
            .values(new)
            .returning(notifications::id)
            .get_results(conn)
            .await
    }
}

impl Notification {
    /// At most `limit` of a user's notifications, newest first.
    pub async fn for_user(
        conn: &mut Connection,
        user_id: i64,
        filter: NotificationFilter,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        let mut query = Self::query()
            .filter(notifications::user_id.eq(user_id))
            .order((notifications::created_at.desc(), notifications::id.desc()))
            .limit(limit)
            .into_boxed();
        match filter {
            NotificationFilter::All => {}
            NotificationFilter::Unread => query = query.filter(notifications::read_at.is_null()),
        }
        query.load(conn).await
    }

    /// The notification with this id, and its recipient.
    pub async fn with_user(conn: &mut Connection, id: i64) -> QueryResult<Option<(Self, User)>> {
        notifications::table
            .inner_join(users::table)
            .filter(notifications::id.eq(id))
            .select((Self::as_select(), User::as_select()))
            .first(conn)
            .await
            .optional()
    }

    /// Marks a user's notification as read and returns it. If it was read before, the earlier time is kept.
    /// Returns `None` if the user has no notification with this id.
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
