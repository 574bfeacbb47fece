//! The settings of outgoing mail.

pub mod smtp_server;

use std::time::Duration;

use lettre::message::Mailbox;

use self::smtp_server::SmtpServer;
use super::kind::{self, Kind};
use super::reader::Reader;

/// The settings of outgoing mail.
#[derive(Debug)]
pub struct Mail {
    /// Without a mail server no mail is sent.
    pub smtp: Option<SmtpServer>,
    pub from: Option<Mailbox>,
    /// The time limit for connecting, and for each mail.
    pub timeout: Duration,
}

impl Mail {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mail = Self {
            smtp: reader.optional(
                "SMTP_URL",
                Kind::new(
                    "a URL such as smtps://user:password@mail.example.org:465 or smtp://127.0.0.1:25",
                    SmtpServer::parse,
                ),
                "The mail server for alerts. Without it, alerts are only stored in the database.",
            ),
            from: reader.optional(
                "MAIL_FROM",
                Kind::new("an address such as hub@example.org or Hub <hub@example.org>", |text| {
                    text.parse().ok().filter(|_| !text.contains(['\r', '\n']))
                }),
                "The sender of alerts.",
            ),
            timeout: reader.setting(
                "SMTP_TIMEOUT_SECONDS",
                "30",
                kind::seconds(1..=300),
                "Time limit in seconds for connecting to the mail server, and for each mail.",
            ),
        };
        if mail.smtp.is_some() && mail.from.is_none() {
            reader.report_error("MAIL_FROM", "is required with SMTP_URL");
        }
        mail
    }
}
