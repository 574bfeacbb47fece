//! Mail: notifications on their way to their people's mailboxes.
//!
//! Whoever notifies posts a mail in the database, in the same transaction, and has nothing to do with mail servers. What
//! was posted is worked off here, by any process and any number of them: each takes one mail at a time and holds it for
//! a while, so that each is sent once, and again only when its holder died before it could say so.
//!
//! Words, language and address are looked up when a mail is sent: they are current then, somebody who was locked out
//! meanwhile gets none, and the outbox holds nothing personal.

mod backoff;
mod letter;
mod smtp;
mod trouble;

use anyhow::Context as _;
use chrono::TimeDelta;
use lettre::address::Address;
use lettre::message::Mailbox;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use self::letter::{Addressee, Letter};
use self::smtp::Conversation;
use self::trouble::Trouble;
use crate::app::App;
use crate::config::mail::smtp_server::SmtpServer;
use crate::models::notification::Notification;
use crate::models::outbox_mail::OutboxMail;
use crate::models::user::User;
use crate::notice::{self, Notice, Reader};

/// What became of the mails that were due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// So many the mail server took.
    pub sent: usize,
    /// So many are tried again later.
    pub postponed: usize,
    /// So many are not tried again.
    pub given_up: usize,
}

/// Sends what is due, until nothing is or the server takes no more; `None` where no mail server is configured.
///
/// Told to stop, it finishes the mail that it is at.
pub async fn deliver(app: &App, stop: &CancellationToken) -> anyhow::Result<Option<Delivered>> {
    let (Some(server), Some(from)) = (&app.config.mail.smtp, &app.config.mail.from) else {
        return Ok(None);
    };
    let mut round = Round { app, server, from, conversation: None, delivered: Delivered::default() };
    while !stop.is_cancelled() && round.deliver_one().await? == Next::Goes {}
    if let Some(conversation) = round.conversation {
        conversation.close().await;
    }
    Ok(Some(round.delivered))
}

struct Round<'a> {
    app: &'a App,
    server: &'a SmtpServer,
    from: &'a Mailbox,
    conversation: Option<Conversation>,
    delivered: Delivered,
}

#[derive(PartialEq, Eq)]
enum Next {
    Goes,
    Ends,
}

impl Round<'_> {
    async fn deliver_one(&mut self) -> anyhow::Result<Next> {
        let Some(mail) = self.claim().await? else { return Ok(Next::Ends) };
        let outcome = match self.write(&mail).await? {
            Ok((to, letter)) => self.send(&to, &letter).await,
            Err(trouble) => Err(trouble),
        };
        self.put_on_record(&mail, &outcome).await?;
        Ok(match outcome {
            Ok(()) | Err(Trouble::Refused(_) | Trouble::Later(_)) => Next::Goes,
            // Each of the others would only wait for the same.
            Err(Trouble::Unreachable(_)) => Next::Ends,
        })
    }

    async fn claim(&self) -> anyhow::Result<Option<OutboxMail>> {
        // Connecting and sending may each take as long as they may.
        let trying = TimeDelta::from_std(self.app.config.mail.timeout * 2)?;
        let conn = &mut *self.app.pool.get().await.context("No database connection")?;
        let claimed = OutboxMail::claim(conn, self.app.clock.now(), trying + TimeDelta::minutes(1)).await;
        claimed.context("The outbox cannot be read")
    }

    /// The address and the letter, unless there is a reason not to send it.
    async fn write(&self, mail: &OutboxMail) -> anyhow::Result<Result<(Address, Vec<u8>), Trouble>> {
        let refused = |why: &str| Ok(Err(Trouble::Refused(why.to_owned())));
        if backoff::is_stale(mail.created_at, self.app.clock.now()) {
            return refused("It is of yesterday");
        }
        let Some((notification, user)) = self.look_up(mail).await? else {
            return refused("The notification is gone");
        };
        if !user.active || !notice::OPERATORS.contains(&user.role) {
            return refused("Its recipient is no longer told such things");
        }
        let Some(notice) = Notice::read(&notification.kind, &notification.data) else {
            return Ok(Err(Trouble::Later("A newer version of the hub knows how to put it".to_owned())));
        };
        let Some(addressee) = Addressee::new(&user.name, &user.email) else {
            return refused("Its recipient's address is none");
        };
        let hub = &self.app.config.hub;
        let letter = Letter {
            notification_id: notification.id,
            created_at: notification.created_at,
            notice: &notice,
            reader: Reader::of(&user, hub),
        };
        match letter.write(self.from, &addressee, hub) {
            Ok(written) => Ok(Ok((addressee.address, written))),
            Err(_) => refused("It cannot be put into a mail"),
        }
    }

    async fn send(&mut self, to: &Address, letter: &[u8]) -> Result<(), Trouble> {
        let mut conversation = match self.conversation.take() {
            Some(conversation) => conversation,
            None => {
                let name = self.app.config.hub.url.host_str().unwrap_or("localhost");
                Conversation::open(self.server, name, self.app.config.mail.timeout).await?
            }
        };
        let sent = conversation.send(&self.from.email, to, letter).await;
        if !matches!(sent, Err(Trouble::Unreachable(_))) {
            self.conversation = Some(conversation);
        }
        sent
    }

    async fn look_up(&self, mail: &OutboxMail) -> anyhow::Result<Option<(Notification, User)>> {
        let conn = &mut *self.app.pool.get().await.context("No database connection")?;
        Notification::with_user(conn, mail.notification_id).await.context("A notification cannot be read")
    }

    async fn put_on_record(
        &mut self,
        mail: &OutboxMail,
        outcome: &Result<(), Trouble>,
    ) -> anyhow::Result<()> {
        let now = self.app.clock.now();
        let conn = &mut *self.app.pool.get().await.context("No database connection")?;
        let OutboxMail { notification_id: notification, attempts, created_at } = *mail;
        let trouble = match outcome {
            Ok(()) => {
                info!(notification, "Sent the mail of notification {notification}");
                self.delivered.sent += 1;
                self.app.metrics.mail().sent();
                return mail.note_sent(conn, now).await.context("A sent mail cannot be put on record");
            }
            Err(trouble) => trouble,
        };
        let why = trouble.words();
        let next = match trouble {
            Trouble::Refused(_) => None,
            Trouble::Later(_) | Trouble::Unreachable(_) => backoff::next_attempt(created_at, attempts, now),
        };
        match next {
            Some(until) => {
                warn!(
                    notification,
                    attempts, why, "The mail of notification {notification} is tried again later"
                );
                self.delivered.postponed += 1;
                self.app.metrics.mail().postponed();
                mail.postpone(conn, until, why).await.context("A mail cannot be postponed")
            }
            None => {
                error!(notification, attempts, why, "The mail of notification {notification} is given up");
                self.delivered.given_up += 1;
                self.app.metrics.mail().given_up();
                mail.give_up(conn, now, why).await.context("A mail cannot be given up")
            }
        }
    }
}
