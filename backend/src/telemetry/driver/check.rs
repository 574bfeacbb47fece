//! Checks a driver's settings without storing any event at the service.

mod ga4;
mod mixpanel;

use chrono::{DateTime, Utc};

use super::Driver;
use super::outcome::SendOutcome;
use super::response::Response;
use super::secrets::Secrets;

/// The result of checking a driver's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckResult {
    /// No problem was found.
    Passed {
        /// What the service does not let us check.
        unproven: Option<&'static str>,
    },
    /// The problems that were found.
    Failed(Vec<String>),
}

impl Driver {
    /// Checks the settings against the service.
    pub async fn check(&self, now: DateTime<Utc>) -> CheckResult {
        match self {
            Self::Ga4(ga4) => ga4::check(ga4, now).await,
            Self::Mixpanel(mixpanel) => mixpanel::check(mixpanel, now).await,
        }
    }
}

/// Describes an unsuccessful outcome.
fn describe(endpoint: &str, outcome: &SendOutcome) -> String {
    match outcome {
        SendOutcome::Unusable(_, failure)
        | SendOutcome::RetryLater { failure, .. }
        | SendOutcome::Unanswered(failure) => match failure.http_status {
            Some(status) => returned_status(endpoint, status, failure.message.as_deref()),
            None => format!("{endpoint} could not be reached or did not respond"),
        },
        SendOutcome::Refused(_) | SendOutcome::PerEvent(_) => {
            format!("{endpoint} returned an unexpected response")
        }
    }
}

/// Describes a response that the service does not give to valid settings.
fn describe_unexpected(endpoint: &str, response: &Response, secrets: &Secrets) -> String {
    let message = secrets.redact(&String::from_utf8_lossy(&response.body));
    returned_status(endpoint, response.status.as_u16(), message.as_deref())
}

fn returned_status(endpoint: &str, status: u16, message: Option<&str>) -> String {
    match message {
        Some(message) => format!("{endpoint} returned {status}: {message}"),
        None => format!("{endpoint} returned {status}"),
    }
}

/// Describes a response that comes from another server, such as a proxy.
fn describe_foreign(endpoint: &str, response: &Response, service: &str) -> String {
    format!("{endpoint} returned {}, but not with a response from {service}", response.status.as_u16())
}
