//! Formats a notification as a mail: its headers, and its text as plain text and as HTML.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use domain::text::{Locale, Text};
use lettre::Message;
use lettre::address::Address;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

use crate::config::hub::Hub;
use crate::notification::{DisplayPreferences, NotificationContent};

const OPEN_HUB: Text = Text::new("Abrir el Hub", "Open the Hub");
const FOOTER: Text = Text::new(
    "Recibes este correo porque administras DataPorter Hub.",
    "You are receiving this email because you are an admin or a teacher admin of DataPorter Hub.",
);

/// The mail of a notification.
pub(super) struct MailMessage<'a> {
    /// Part of the message ID, so that mail clients can recognize a mail that was sent twice.
    pub notification_id: i64,
    pub created_at: DateTime<Utc>,
    pub content: &'a NotificationContent,
    pub preferences: DisplayPreferences,
}

impl MailMessage<'_> {
    /// The complete message, ready to be sent to a mail server.
    pub fn format(&self, from: &Mailbox, to: &Recipient, hub: &Hub) -> Result<Vec<u8>, lettre::error::Error> {
        let Self { notification_id, created_at, content, preferences } = self;
        let host = hub.url.host_str().unwrap_or("localhost");
        let id = format!("<notification-{notification_id}.{}@{host}>", created_at.timestamp_micros());
        let title = content.title().into_locale(preferences.locale);
        let phrases = content.paragraphs(preferences.zone).into_iter();
        let paragraphs: Vec<String> = phrases.map(|phrase| phrase.into_locale(preferences.locale)).collect();
        let link = hub_url(hub, preferences.locale);
        let message = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(Some(to.name.clone()), to.address.clone()))
            .subject(title.as_str())
            .date(SystemTime::from(*created_at))
            .message_id(Some(id))
            .header(AutoSubmitted)
            .multipart(MultiPart::alternative_plain_html(
                plain_text(&paragraphs, &link, preferences.locale),
                html(&title, &paragraphs, &link, preferences.locale),
            ))?;
        Ok(message.formatted())
    }
}

/// The recipient of a mail.
pub(super) struct Recipient {
    /// The name, without line breaks.
    pub name: String,
    pub address: Address,
}

impl Recipient {
    /// Returns `None` if the address is invalid.
    pub fn new(name: &str, address: &str) -> Option<Self> {
        // The name becomes part of a header. A line break in it would start another header.
        let name = name.replace(char::is_control, " ");
        Some(Self { name, address: address.parse().ok()? })
    }
}

/// Marks the mail as automatic (RFC 3834), so that mailboxes send no out-of-office reply.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

fn hub_url(hub: &Hub, locale: Locale) -> String {
    format!("{}/{}/admin/data-porter", hub.url.as_str().trim_end_matches('/'), locale.tag())
}

fn plain_text(paragraphs: &[String], link: &str, locale: Locale) -> String {
    let (open, footer) = (OPEN_HUB.in_locale(locale), FOOTER.in_locale(locale));
    format!("{}\n\n{open}: {link}\n\n-- \n{footer}\n", paragraphs.join("\n\n"))
}

fn html(title: &str, paragraphs: &[String], link: &str, locale: Locale) -> String {
    let paragraphs: String = paragraphs
        .iter()
        .flat_map(|paragraph| ["<p>".to_owned(), escape_html(paragraph), "</p>\n".to_owned()])
        .collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body style=\"font-family: sans-serif; line-height: 1.5\">\n<h1 style=\"font-size: 1.25em\">{title}</h1>\n\
         {paragraphs}<p><a href=\"{link}\">{}</a></p>\n<p><small>{}</small></p>\n</body>\n</html>\n",
        locale.tag(),
        OPEN_HUB.in_locale(locale),
        FOOTER.in_locale(locale),
        title = escape_html(title),
        link = escape_html(link),
    )
}

fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
