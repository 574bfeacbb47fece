//! Tries a driver's settings out without sending anything that would count.

mod ga4;
mod mixpanel;

use chrono::{DateTime, Utc};

use super::Driver;
use super::outcome::SendOutcome;
use super::reply::Reply;
use super::secrets::Secrets;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// As far as it can be told, events would be taken.
    Good {
        /// What cannot be told.
        unproven: Option<&'static str>,
    },
    /// Something is wrong, in the service's words or ours.
    Bad(Vec<String>),
}

impl Driver {
    /// Asks the service what it thinks of the settings.
    pub async fn check(&self, now: DateTime<Utc>) -> Checked {
        match self {
            Self::Ga4(ga4) => ga4::check(ga4, now).await,
            Self::Mixpanel(mixpanel) => mixpanel::check(mixpanel, now).await,
        }
    }
}

/// What an answer that is not as wanted says; `who` is whoever gave it.
fn in_words(who: &str, answer: &SendOutcome) -> String {
    match answer {
        SendOutcome::Unusable(_, failure)
        | SendOutcome::RetryLater { failure, .. }
        | SendOutcome::Unanswered(failure) => match failure.http_status {
            Some(status) => answered(who, status, failure.message.as_deref()),
            None => format!("{who} could not be reached, or did not answer"),
        },
        SendOutcome::Refused(_) | SendOutcome::PerEvent(_) => {
            format!("{who} answered what cannot be understood")
        }
    }
}

/// What an answer says that its service would not give to that.
fn unexpected(who: &str, reply: &Reply, secrets: &Secrets) -> String {
    let said = secrets.redact(&String::from_utf8_lossy(&reply.body));
    answered(who, reply.status.as_u16(), said.as_deref())
}

fn answered(who: &str, status: u16, said: Option<&str>) -> String {
    match said {
        Some(said) => format!("{who} answered {status}: {said}"),
        None => format!("{who} answered {status}"),
    }
}

/// What is said of an answer that somebody else than the service gave.
fn foreign(who: &str, reply: &Reply, service: &str) -> String {
    format!("{who} answered {} in words that are not {service}'s", reply.status.as_u16())
}
