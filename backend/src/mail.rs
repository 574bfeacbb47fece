//! Sends notifications by email.
//!
//! Code that notifies users adds rows to an outbox table in the same transaction. It never talks to a mail
//! server. Any number of processes send the mails in the outbox. Each claims one mail at a time with a lease,
//! so that every mail is sent once. Only if a process dies before it has recorded a sent mail,
//! another process sends that mail again.
//!
//! Text, language and address are looked up when a mail is sent. They are therefore current, a user who was
//! deactivated in the meantime gets no mail, and the outbox holds no personal data.

mod error;
mod message;
mod schedule;
mod smtp;

use anyhow::Context as _;
use chrono::TimeDelta;
use lettre::address::Address;
use lettre::message::Mailbox;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use self::error::MailError;
use self::message::{MailMessage, Recipient};
use self::smtp::SmtpSession;
use crate::app::App;
use crate::config::mail::smtp_server::SmtpServer;
use crate::models::notification::Notification;
use crate::models::outbox_mail::OutboxMail;
use crate::models::user::User;
use crate::notification::{self, DisplayPreferences, NotificationContent};

/// The numbers of due mails, by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliverySummary {
    pub sent: usize,
    /// Mails that are retried later.
    pub postponed: usize,
    /// Mails that are not retried.
    pub failed: usize,
}

/// Sends all due mails, or as many as the server accepts. Returns `None` if no mail server is configured.
///
/// On `stop`, it finishes the current mail and returns.
pub async fn deliver(app: &App, stop: &CancellationToken) -> anyhow::Result<Option<DeliverySummary>> {
    let (Some(server), Some(from)) = (&app.config.mail.smtp, &app.config.mail.from) else {
        return Ok(None);
    };
    let mut pass = DeliveryPass { app, server, from, session: None, summary: DeliverySummary::default() };
    while !stop.is_cancelled() && pass.deliver_one().await? == Next::Continue {}
    if let Some(session) = pass.session {
        session.close().await;
    }
    Ok(Some(pass.summary))
}

struct DeliveryPass<'a> {
    app: &'a App,
    server: &'a SmtpServer,
    from: &'a Mailbox,
    session: Option<SmtpSession>,
    summary: DeliverySummary,
}

#[derive(PartialEq, Eq)]
enum Next {
    Continue,
    Stop,
}

impl DeliveryPass<'_> {
    async fn deliver_one(&mut self) -> anyhow::Result<Next> {
        let Some(mail) = self.claim().await? else { return Ok(Next::Stop) };
        let outcome = match self.compose(&mail).await? {
            Ok((to, message)) => self.send(&to, &message).await,
            Err(error) => Err(error),
        };
        self.record_outcome(&mail, &outcome).await?;
        Ok(match outcome {
            Ok(()) | Err(MailError::Permanent(_) | MailError::Transient(_)) => Next::Continue,
            // The remaining mails would only fail in the same way.
            Err(MailError::Unavailable(_)) => Next::Stop,
        })
    }

    async fn claim(&self) -> anyhow::Result<Option<OutboxMail>> {
        // Connecting and sending may each take the whole timeout.
        let send_timeout = TimeDelta::from_std(self.app.config.mail.timeout * 2)?;
        let conn = &mut *self.app.pool.get().await.context("Failed to get a database connection")?;
        let claimed =
            OutboxMail::claim(conn, self.app.clock.now(), send_timeout + TimeDelta::minutes(1)).await;
        claimed.context("Failed to read the outbox")
    }

    /// The recipient's address and the message, or the reason not to send it.
    async fn compose(&self, mail: &OutboxMail) -> anyhow::Result<Result<(Address, Vec<u8>), MailError>> {
        let failed = |reason: &str| Ok(Err(MailError::Permanent(reason.to_owned())));
        if schedule::is_stale(mail.created_at, self.app.clock.now()) {
            return failed("The mail is older than 24 hours");
        }
        let Some((notification, user)) = self.find_notification(mail).await? else {
            return failed("The notification no longer exists");
        };
        if !user.active || !notification::OPERATOR_ROLES.contains(&user.role) {
            return failed("The recipient no longer receives such notifications");
        }
        let Some(content) = NotificationContent::from_stored(&notification.kind, &notification.data) else {
            return Ok(Err(MailError::Transient(
                "Only a newer version of the hub can compose this notification".to_owned(),
            )));
        };
        let Some(recipient) = Recipient::new(&user.name, &user.email) else {
            return failed("The recipient's email address is invalid");
        };
        let hub = &self.app.config.hub;
        let message = MailMessage {
            notification_id: notification.id,
            created_at: notification.created_at,
            content: &content,
            preferences: DisplayPreferences::of(&user, hub),
        };
        match message.format(self.from, &recipient, hub) {
            Ok(formatted) => Ok(Ok((recipient.address, formatted))),
            Err(_) => failed("The notification cannot be formatted as a mail"),
        }
    }

    async fn send(&mut self, to: &Address, message: &[u8]) -> Result<(), MailError> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => {
                let name = self.app.config.hub.url.host_str().unwrap_or("localhost");
                SmtpSession::open(self.server, name, self.app.config.mail.timeout).await?
            }
        };
        let sent = session.send(&self.from.email, to, message).await;
        if !matches!(sent, Err(MailError::Unavailable(_))) {
            self.session = Some(session);
        }
        sent
    }

    async fn find_notification(&self, mail: &OutboxMail) -> anyhow::Result<Option<(Notification, User)>> {
        let conn = &mut *self.app.pool.get().await.context("Failed to get a database connection")?;
        Notification::with_user(conn, mail.notification_id).await.context("Failed to read a notification")
    }

    async fn record_outcome(
        &mut self,
        mail: &OutboxMail,
        outcome: &Result<(), MailError>,
    ) -> anyhow::Result<()> {
        let now = self.app.clock.now();
        let conn = &mut *self.app.pool.get().await.context("Failed to get a database connection")?;
        let OutboxMail { notification_id: notification, attempts, created_at } = *mail;
        let error = match outcome {
            Ok(()) => {
                info!(notification, "Sent mail for notification {notification}");
                self.summary.sent += 1;
                self.app.metrics.mail().sent();
                return mail.mark_sent(conn, now).await.context("Failed to record that a mail was sent");
            }
            Err(error) => error,
        };
        let reason = error.text();
        let next = match error {
            MailError::Permanent(_) => None,
            MailError::Transient(_) | MailError::Unavailable(_) => {
                schedule::next_attempt(created_at, attempts, now)
            }
        };
        match next {
            Some(until) => {
                warn!(
                    notification,
                    attempts, reason, "Failed to send mail for notification {notification}, retrying later"
                );
                self.summary.postponed += 1;
                self.app.metrics.mail().postponed();
                mail.postpone(conn, until, reason).await.context("Failed to postpone a mail")
            }
            None => {
                error!(
                    notification,
                    attempts, reason, "Failed to send mail for notification {notification}, not retrying"
                );
                self.summary.failed += 1;
                self.app.metrics.mail().failed();
                mail.mark_failed(conn, now, reason).await.context("Failed to record that a mail failed")
            }
        }
    }
}
