//! A mail server, as `SMTP_URL` names it.

use percent_encoding::percent_decode_str;
use reqwest::Url;
use secrecy::SecretString;

use crate::config::kind::is_loopback;

/// Where a mail server is, and how one talks to it.
#[derive(Debug, Clone)]
pub struct SmtpServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How what is said stays between the two.
    pub encryption: Encryption,
    /// Who signs in, where one has to.
    pub login: Option<Login>,
}

/// A name and a password.
#[derive(Debug, Clone)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: SecretString,
}

/// How what is said to a mail server stays between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// By TLS from the first byte: `smtps://`.
    Tls,
    /// By STARTTLS, and nothing is said without it: `smtp://` to another machine with a password, or `?tls=required`.
    StartTls,
    /// By STARTTLS where the server offers it: `smtp://` to another machine.
    StartTlsIfOffered,
    /// Not at all: `smtp://` to this machine, or `?tls=none`.
    Plain,
}

impl SmtpServer {
    /// The mail server of this address, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let host = url.host_str().filter(|host| !host.is_empty())?.trim_matches(['[', ']']).to_owned();
        let login = match (url.username(), url.password()) {
            ("", None) => None,
            ("", Some(_)) | (_, None) => return None,
            (user, Some(password)) => Some(Login {
                user: percent_decode_str(user).decode_utf8().ok()?.into_owned(),
                password: percent_decode_str(password).decode_utf8().ok()?.into_owned().into(),
            }),
        };
        let (encryption, usual_port) = match (url.scheme(), url.query()) {
            ("smtps", None) => (Encryption::Tls, 465),
            ("smtp", Some("tls=required")) => (Encryption::StartTls, 587),
            ("smtp", Some("tls=none")) => (Encryption::Plain, 25),
            ("smtp", None) if is_loopback(&url) => (Encryption::Plain, 25),
            ("smtp", None) if login.is_some() => (Encryption::StartTls, 587),
            ("smtp", None) => (Encryption::StartTlsIfOffered, 25),
            _ => return None,
        };
        Some(Self { host, port: url.port().unwrap_or(usual_port), encryption, login })
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_password_travels_in_the_clear_only_within_this_machine_unless_asked_for() {
        for (text, port, encryption) in [
            ("smtps://u:p@mail.example.org", 465, Encryption::Tls),
            ("smtp://u:p@mail.example.org", 587, Encryption::StartTls),
            ("smtp://mail.example.org", 25, Encryption::StartTlsIfOffered),
            ("smtp://mail.example.org:2525?tls=required", 2525, Encryption::StartTls),
            ("smtp://u:p@mail.example.org?tls=none", 25, Encryption::Plain),
            ("smtp://u:p@127.0.0.1:1025", 1025, Encryption::Plain),
            ("smtp://[::1]", 25, Encryption::Plain),
        ] {
            let server = SmtpServer::parse(text).unwrap();
            assert_eq!((server.port, server.encryption), (port, encryption), "{text}");
        }
        for text in [
            "http://mail.example.org",
            "smtp://",
            "mail.example.org",
            "smtp://h?tls=perhaps",
            "smtps://h?tls=none",
            "smtp://u@h",
        ] {
            assert!(SmtpServer::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_password_may_hold_any_character_and_is_never_shown() {
        let server = SmtpServer::parse("smtps://hub%40example.org:p%40ss%3A%2F@mail.example.org").unwrap();
        assert!(!format!("{server:?}").contains("p@ss"));
        let login = server.login.unwrap();
        assert_eq!((login.user.as_str(), login.password.expose_secret()), ("hub@example.org", "p@ss:/"));
    }
}
