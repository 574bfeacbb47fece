//! Why a mail was not sent, as far as that decides what happens to it, in words that hold no secret.

use std::time::Duration;

use lettre::transport::smtp;

/// Why a mail was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It will never be: the server refused its recipient or what it says, or there is no such address.
    Refused(String),
    /// The server may take it later.
    Later(String),
    /// The server takes nothing now, of anybody.
    Unreachable(String),
}

impl Trouble {
    /// What the server's refusal of one mail means.
    pub(super) fn of_mail(error: &smtp::Error) -> Self {
        let told = words(error);
        match error.status().map(|code| code.severity) {
            // 421: the server is about to hang up.
            _ if error.status().is_some_and(|code| u16::from(code) == 421) => Self::Unreachable(told),
            Some(smtp::response::Severity::PermanentNegativeCompletion) => Self::Refused(told),
            Some(_) => Self::Later(told),
            None => Self::Unreachable(told),
        }
    }

    /// What trouble with the server itself means: nobody's mail is to blame, whatever the server says.
    pub(super) fn of_server(error: &smtp::Error) -> Self {
        Self::Unreachable(words(error))
    }

    /// The server said nothing for too long.
    pub(super) fn of_silence(limit: Duration) -> Self {
        Self::Unreachable(format!("The mail server did not answer within {} s", limit.as_secs_f32()))
    }

    /// The words.
    pub fn words(&self) -> &str {
        match self {
            Self::Refused(words) | Self::Later(words) | Self::Unreachable(words) => words,
        }
    }
}

/// Of what a server says only the numbers are kept: its words could repeat a name or a password.
fn words(error: &smtp::Error) -> String {
    match (error.status(), enhanced_status(error)) {
        (Some(code), Some(enhanced)) => format!("The mail server answered {code} {enhanced}"),
        (Some(code), None) => format!("The mail server answered {code}"),
        (None, _) if error.is_response() => {
            "The mail server answered with something that is no SMTP".to_owned()
        }
        // What the client or the system says of a connection.
        (None, _) => format!("The mail server cannot be talked to: {error}").chars().take(300).collect(),
    }
}

/// The code of RFC 3463 that many a server's answer begins with, such as `5.1.1`.
fn enhanced_status(error: &smtp::Error) -> Option<String> {
    let answer = std::error::Error::source(error)?.to_string();
    let code = answer.split_whitespace().next()?;
    let numbers: Vec<&str> = code.split('.').collect();
    let is_code = numbers.len() == 3
        && numbers
            .iter()
            .all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()));
    is_code.then(|| code.to_owned())
}
