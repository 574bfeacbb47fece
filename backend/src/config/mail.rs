//! Outgoing mail.

use secrecy::SecretString;

use super::kind::Kind;
use super::reader::Reader;

/// The mail server and the sender.
#[derive(Debug)]
pub struct Mail {
    /// The mail server, with its credentials; without it no mail is sent.
    pub smtp_url: Option<SecretString>,
    /// The sender's address.
    pub from: Option<String>,
}

impl Mail {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mail = Self {
            smtp_url: reader.optional(
                "SMTP_URL",
                smtp_url(),
                "The mail server for alerts; without it, alerts are kept in the database only.",
            ),
            from: reader.optional(
                "MAIL_FROM",
                Kind::new("an address such as hub@example.org or Hub <hub@example.org>", |text| {
                    let address = text.rsplit_once('<').map_or(text, |(_, rest)| rest.trim_end_matches('>'));
                    let (user, host) = address.split_once('@')?;
                    let fine = !user.is_empty() && !host.is_empty() && !text.contains(['\r', '\n']);
                    fine.then(|| text.to_owned())
                }),
                "The sender of those alerts.",
            ),
        };
        if mail.smtp_url.is_some() && mail.from.is_none() {
            reader.refuse("MAIL_FROM", "is needed beside SMTP_URL");
        }
        mail
    }
}

fn smtp_url() -> Kind<SecretString> {
    Kind::new(
        "an address such as smtps://user:password@mail.example.org:465 or smtp://127.0.0.1:25",
        |text| {
            let url = reqwest::Url::parse(text).ok()?;
            (matches!(url.scheme(), "smtp" | "smtps") && url.has_host()).then(|| SecretString::from(text))
        },
    )
}
