//! A mail server, parsed from `SMTP_URL`.

use percent_encoding::percent_decode_str;
use reqwest::Url;
use secrecy::SecretString;

use crate::config::kind::is_loopback;

/// The address of a mail server, and how to connect to it.
#[derive(Debug, Clone)]
pub struct SmtpServer {
    /// Its host name or IP address.
    pub host: String,
    pub port: u16,
    pub encryption: Encryption,
    /// The credentials, if it requires authentication.
    pub login: Option<Login>,
}

/// A user name and a password.
#[derive(Debug, Clone)]
pub struct Login {
    pub user: String,
    pub password: SecretString,
}

/// How a connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// TLS from the first byte: `smtps://`.
    Tls,
    /// STARTTLS, required: `smtp://` to another machine with a password, or `?tls=required`.
    StartTls,
    /// STARTTLS if the server offers it: `smtp://` to another machine.
    StartTlsIfOffered,
    /// None: `smtp://` to this machine, or `?tls=none`.
    Plain,
}

impl SmtpServer {
    /// Parses the address of a mail server. Returns `None` if it is invalid.
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
        let (encryption, default_port) = match (url.scheme(), url.query()) {
            ("smtps", None) => (Encryption::Tls, 465),
            ("smtp", Some("tls=required")) => (Encryption::StartTls, 587),
            ("smtp", Some("tls=none")) => (Encryption::Plain, 25),
            ("smtp", None) if is_loopback(&url) => (Encryption::Plain, 25),
            ("smtp", None) if login.is_some() => (Encryption::StartTls, 587),
            ("smtp", None) => (Encryption::StartTlsIfOffered, 25),
            _ => return None,
        };
        Some(Self { host, port: url.port().unwrap_or(default_port), encryption, login })
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn passwords_to_other_machines_are_encrypted_unless_configured_otherwise() {
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
    fn a_password_may_contain_any_character_and_is_never_printed() {
        let server = SmtpServer::parse("smtps://hub%40example.org:p%40ss%3A%2F@mail.example.org").unwrap();
        assert!(!format!("{server:?}").contains("p@ss"));
        let login = server.login.unwrap();
        assert_eq!((login.user.as_str(), login.password.expose_secret()), ("hub@example.org", "p@ss:/"));
    }
}
