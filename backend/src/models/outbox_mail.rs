//! The mail outbox: notifications that are also sent by mail. The table `mail_outbox`.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection as _, RunQueryDsl};

use crate::db::Connection;
use crate::db::schema::{mail_outbox as outbox, notifications};

/// A mail that this process has claimed and has to send now.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = outbox)]
pub struct OutboxMail {
    /// The notification, which is mailed to its recipient.
    pub notification_id: i64,
    pub created_at: DateTime<Utc>,
    /// The number of attempts, including the current one.
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
    /// Adds mails for these notifications, to be sent immediately.
    pub async fn enqueue(
        conn: &mut Connection,
        notifications: &[i64],
        now: DateTime<Utc>,
    ) -> QueryResult<()> {
        let mails = notifications.iter().map(|id| NewOutboxMail {
            notification_id: *id,
            created_at: now,
            next_attempt_at: now,
        });
        diesel::insert_into(outbox::table).values(mails.collect::<Vec<_>>()).execute(conn).await?;
        Ok(())
    }

    /// Cancels unsent mails for notifications of these kinds, because a newer one replaces them.
    pub async fn supersede(conn: &mut Connection, kinds: &[&str], now: DateTime<Utc>) -> QueryResult<()> {
        let superseded =
            notifications::table.filter(notifications::kind.eq_any(kinds)).select(notifications::id);
        diesel::update(outbox::table.filter(outbox::notification_id.eq_any(superseded)))
            .filter(outbox::sent_at.is_null())
            .filter(outbox::failed_at.is_null())
            .set((outbox::failed_at.eq(now), outbox::last_error.eq("A newer mail replaced it")))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Claims the mail that has been due for the longest time. No other process can claim it while the lease
    /// lasts. If this process dies, the mail is due again when the lease ends.
    pub async fn claim(
        conn: &mut Connection,
        now: DateTime<Utc>,
        lease: TimeDelta,
    ) -> QueryResult<Option<Self>> {
        conn.transaction(async |conn| {
            let due: Option<i64> = outbox::table
                .filter(outbox::sent_at.is_null())
                .filter(outbox::failed_at.is_null())
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

    /// Records that the mail server accepted the mail.
    pub async fn mark_sent(&self, conn: &mut Connection, now: DateTime<Utc>) -> QueryResult<()> {
        diesel::update(outbox::table.find(self.notification_id))
            .set((outbox::sent_at.eq(now), outbox::failed_at.eq(None::<DateTime<Utc>>)))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Schedules the next attempt and records the error, unless another process has claimed the mail since.
    pub async fn postpone(
        &self,
        conn: &mut Connection,
        retry_at: DateTime<Utc>,
        error: &str,
    ) -> QueryResult<()> {
        diesel::update(outbox::table.find(self.notification_id))
            .filter(outbox::attempts.eq(self.attempts))
            .set((outbox::next_attempt_at.eq(retry_at), outbox::last_error.eq(error)))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Records that the mail will not be retried, and the error, unless another process has claimed the mail
    /// since.
    pub async fn mark_failed(
        &self,
        conn: &mut Connection,
        now: DateTime<Utc>,
        error: &str,
    ) -> QueryResult<()> {
        diesel::update(outbox::table.find(self.notification_id))
            .filter(outbox::attempts.eq(self.attempts))
            .filter(outbox::sent_at.is_null())
            .set((outbox::failed_at.eq(now), outbox::last_error.eq(error)))
            .execute(conn)
            .await?;
        Ok(())
    }
}
