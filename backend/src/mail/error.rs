//! Why a mail was not sent. The kind of error decides whether it is retried, and its text contains no secret.

use std::time::Duration;

use lettre::transport::smtp;

/// Why a mail was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailError {
    /// The mail can never be sent: the server rejected its recipient or content, or the address is invalid.
    Permanent(String),
    /// The server may accept the mail later.
    Transient(String),
    /// The server accepts no mail at the moment.
    Unavailable(String),
}

impl MailError {
    /// Classifies an error that concerns one mail.
    pub(super) fn of_mail(error: &smtp::Error) -> Self {
        let text = describe(error);
        match error.status().map(|code| code.severity) {
            // 421: the server is about to close the connection.
            _ if error.status().is_some_and(|code| u16::from(code) == 421) => Self::Unavailable(text),
            Some(smtp::response::Severity::PermanentNegativeCompletion) => Self::Permanent(text),
            Some(_) => Self::Transient(text),
            None => Self::Unavailable(text),
        }
    }

    /// Classifies an error that concerns the session. No mail is at fault, regardless of the status code.
    pub(super) fn of_server(error: &smtp::Error) -> Self {
        Self::Unavailable(describe(error))
    }

    /// The server did not reply in time.
    pub(super) fn timed_out(limit: Duration) -> Self {
        Self::Unavailable(format!("The mail server did not reply within {} s", limit.as_secs_f32()))
    }

    /// The text to log and to store.
    pub fn text(&self) -> &str {
        match self {
            Self::Permanent(text) | Self::Transient(text) | Self::Unavailable(text) => text,
        }
    }
}

/// Describes a server's reply by its codes only, because its text could repeat a name or a password.
fn describe(error: &smtp::Error) -> String {
    match (error.status(), enhanced_status(error)) {
        (Some(code), Some(enhanced)) => format!("The mail server replied with {code} {enhanced}"),
        (Some(code), None) => format!("The mail server replied with {code}"),
        (None, _) if error.is_response() => {
            "The mail server replied with something other than SMTP".to_owned()
        }
        // These errors come from the client or the operating system.
        (None, _) => format!("The connection to the mail server failed: {error}").chars().take(300).collect(),
    }
}

/// The enhanced status code (RFC 3463) at the start of a reply, such as `5.1.1`.
fn enhanced_status(error: &smtp::Error) -> Option<String> {
    let reply = std::error::Error::source(error)?.to_string();
    let code = reply.split_whitespace().next()?;
    let numbers: Vec<&str> = code.split('.').collect();
    let is_code = numbers.len() == 3
        && numbers
            .iter()
            .all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()));
    is_code.then(|| code.to_owned())
}
