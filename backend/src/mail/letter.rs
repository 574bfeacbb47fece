//! A notice as a mail: its headers, and its words as plain text and as HTML.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use domain::text::{Locale, Text};
use lettre::Message;
use lettre::address::Address;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

use crate::config::hub::Hub;
use crate::notice::{Notice, Reader};

const OPEN: Text = Text::new("Abrir el Hub", "Open the Hub");
const WHY_YOU: Text = Text::new(
    "Recibes este correo porque administras DataPorter Hub.",
    "You get this mail because you are an admin or a teacher admin of DataPorter Hub.",
);

/// The mail of a notification.
pub(super) struct Letter<'a> {
    /// The notification's id, by which a mail that came twice can be told.
    pub notification_id: i64,
    /// When the notification was made.
    pub created_at: DateTime<Utc>,
    /// What is told.
    pub notice: &'a Notice,
    /// In whose language and time zone.
    pub reader: Reader,
}

impl Letter<'_> {
    /// The mail, from `from` to `to`, as it is handed to a mail server.
    pub fn write(&self, from: &Mailbox, to: &Addressee, hub: &Hub) -> Result<Vec<u8>, lettre::error::Error> {
        let Self { notification_id, created_at, notice, reader } = self;
        let host = hub.url.host_str().unwrap_or("localhost");
        let id = format!("<notification-{notification_id}.{}@{host}>", created_at.timestamp_micros());
        let title = notice.title(reader.locale);
        let paragraphs = notice.paragraphs(*reader);
        let link = page(hub, reader.locale);
        let message = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(Some(to.name.clone()), to.address.clone()))
            .subject(title.as_str())
            .date(SystemTime::from(*created_at))
            .message_id(Some(id))
            .header(AutoSubmitted)
            .multipart(MultiPart::alternative_plain_html(
                plain(&paragraphs, &link, reader.locale),
                html(&title, &paragraphs, &link, reader.locale),
            ))?;
        Ok(message.formatted())
    }
}

/// Whom a mail is for.
pub(super) struct Addressee {
    /// Their name, on one line.
    pub name: String,
    /// Their address.
    pub address: Address,
}

impl Addressee {
    /// Nobody, when the address is none.
    pub fn new(name: &str, address: &str) -> Option<Self> {
        // A name is a word of a header: it may hold no line break, by which it would become two.
        let name = name.replace(char::is_control, " ");
        Some(Self { name, address: address.parse().ok()? })
    }
}

/// That no person wrote it (RFC 3834), so that no absent person's mailbox answers.
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

fn page(hub: &Hub, locale: Locale) -> String {
    format!("{}/{}/admin/data-porter", hub.url.as_str().trim_end_matches('/'), locale.tag())
}

fn plain(paragraphs: &[String], link: &str, locale: Locale) -> String {
    let (open, why) = (OPEN.in_locale(locale), WHY_YOU.in_locale(locale));
    format!("{}\n\n{open}: {link}\n\n-- \n{why}\n", paragraphs.join("\n\n"))
}

fn html(title: &str, paragraphs: &[String], link: &str, locale: Locale) -> String {
    let paragraphs: String = paragraphs
        .iter()
        .flat_map(|paragraph| ["<p>".to_owned(), escaped(paragraph), "</p>\n".to_owned()])
        .collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body style=\"font-family: sans-serif; line-height: 1.5\">\n<h1 style=\"font-size: 1.25em\">{title}</h1>\n\
         {paragraphs}<p><a href=\"{link}\">{}</a></p>\n<p><small>{}</small></p>\n</body>\n</html>\n",
        locale.tag(),
        OPEN.in_locale(locale),
        WHY_YOU.in_locale(locale),
        title = escaped(title),
        link = escaped(link),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
