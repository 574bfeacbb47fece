//! Mail on its way: notifications that also go out by mail.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection as _, RunQueryDsl};

use crate::db::Connection;
use crate::db::schema::{mail_outbox as outbox, notifications};

/// A mail that its holder is to send now, and nobody else.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = outbox)]
pub struct OutboxMail {
    /// What is to be mailed, to its user.
    pub notification_id: i64,
    /// When it was posted.
    pub created_at: DateTime<Utc>,
    /// How often somebody tried, this time included.
    pub attempts: i32,
}

#[derive(Debug, Insertable)]
#[diesel(table_name = outbox)]
struct NewOutboxMail {
    notification_id: i64,
    created_at: DateTime<Utc>,
    next_attempt_at: DateTime<Utc>,
}

impl OutboxMail {
    /// Posts these notifications, to be sent at once.
    pub async fn post(conn: &mut Connection, notifications: &[i64], now: DateTime<Utc>) -> QueryResult<()> {
        let mails = notifications.iter().map(|id| NewOutboxMail {
            notification_id: *id,
            created_at: now,
            next_attempt_at: now,
        });
        diesel::insert_into(outbox::table).values(mails.collect::<Vec<_>>()).execute(conn).await?;
        Ok(())
    }

    /// Gives up what still waits of these kinds of notifications, because a newer one says all that matters.
    pub async fn supersede(conn: &mut Connection, kinds: &[&str], now: DateTime<Utc>) -> QueryResult<()> {
        let older = notifications::table.filter(notifications::kind.eq_any(kinds)).select(notifications::id);
        diesel::update(outbox::table.filter(outbox::notification_id.eq_any(older)))
            .filter(outbox::sent_at.is_null())
            .filter(outbox::given_up_at.is_null())
            .set((outbox::given_up_at.eq(now), outbox::last_error.eq("A newer one was posted")))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Takes the mail that has been due for longest, of those that nobody else holds; whoever takes one and says nothing
    /// more of it holds it for as long as `lease`.
    pub async fn claim(
        conn: &mut Connection,
        now: DateTime<Utc>,
        lease: TimeDelta,
    ) -> QueryResult<Option<Self>> {
        conn.transaction(async |conn| {
            let due: Option<i64> = outbox::table
                .filter(outbox::sent_at.is_null())
                .filter(outbox::given_up_at.is_null())
                .filter(outbox::next_attempt_at.le(now))
                .order((outbox::next_attempt_at, outbox::notification_id))
                .select(outbox::notification_id)
                .for_update()
                .skip_locked()
                .first(conn)
                .await
                .optional()?;
            let Some(due) = due else { return Ok(None) };
            diesel::update(outbox::table.find(due))
                .set((outbox::attempts.eq(outbox::attempts + 1), outbox::next_attempt_at.eq(now + lease)))
                .returning(Self::as_returning())
                .get_result(conn)
                .await
                .optional()
        })
        .await
    }

    /// Writes down that the mail server took it.
    pub async fn note_sent(&self, conn: &mut Connection, now: DateTime<Utc>) -> QueryResult<()> {
        diesel::update(outbox::table.find(self.notification_id))
            .set((outbox::sent_at.eq(now), outbox::given_up_at.eq(None::<DateTime<Utc>>)))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Writes down why it could not be sent, and when it is tried again, unless somebody else holds it by now.
    pub async fn postpone(&self, conn: &mut Connection, until: DateTime<Utc>, why: &str) -> QueryResult<()> {
        diesel::update(outbox::table.find(self.notification_id))
            .filter(outbox::attempts.eq(self.attempts))
            .set((outbox::next_attempt_at.eq(until), outbox::last_error.eq(why)))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Writes down that it is not tried again, and why, unless somebody else holds it by now.
    pub async fn give_up(&self, conn: &mut Connection, now: DateTime<Utc>, why: &str) -> QueryResult<()> {
        diesel::update(outbox::table.find(self.notification_id))
            .filter(outbox::attempts.eq(self.attempts))
            .filter(outbox::sent_at.is_null())
            .set((outbox::given_up_at.eq(now), outbox::last_error.eq(why)))
            .execute(conn)
            .await?;
        Ok(())
    }
}
