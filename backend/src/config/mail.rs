//! Outgoing mail.

pub mod smtp_server;

use std::time::Duration;

use lettre::message::Mailbox;

use self::smtp_server::SmtpServer;
use super::kind::{self, Kind};
use super::reader::Reader;

/// The mail server and the sender.
#[derive(Debug)]
pub struct Mail {
    /// The mail server; without it no mail is sent.
    pub smtp: Option<SmtpServer>,
    /// The sender.
    pub from: Option<Mailbox>,
    /// How long connecting, and then each mail, may take.
    pub timeout: Duration,
}

impl Mail {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mail = Self {
            smtp: reader.optional(
                "SMTP_URL",
                Kind::new(
                    "an address such as smtps://user:password@mail.example.org:465 or smtp://127.0.0.1:25",
                    SmtpServer::parse,
                ),
                "The mail server for alerts; without it, alerts are kept in the database only.",
            ),
            from: reader.optional(
                "MAIL_FROM",
                Kind::new("an address such as hub@example.org or Hub <hub@example.org>", |text| {
                    text.parse().ok().filter(|_| !text.contains(['\r', '\n']))
                }),
                "The sender of those alerts.",
            ),
            timeout: reader.setting(
                "SMTP_TIMEOUT_SECONDS",
                "30",
                kind::seconds(1..=300),
                "How many seconds the mail server may take to be connected to, and then for each mail.",
            ),
        };
        if mail.smtp.is_some() && mail.from.is_none() {
            reader.refuse("MAIL_FROM", "is needed beside SMTP_URL");
        }
        mail
    }
}
