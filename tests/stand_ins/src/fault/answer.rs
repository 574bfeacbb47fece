//! Responses that replace the real one: those of proxies, and those of a failing service.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::http::Response;

/// A response in place of the real one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub status: u16,
    /// Headers besides `Content-Type`, `Content-Length` and `Retry-After`.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    #[serde(default)]
    pub retry_after: Option<RetryAfter>,
    #[serde(default)]
    pub body: AnswerBody,
}

/// The body of a response.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerBody {
    /// No body.
    #[default]
    Empty,
    /// JSON.
    Json(Value),
    /// Plain text.
    Plain(String),
    /// HTML.
    Html(String),
}

/// The header `Retry-After`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// A number of seconds.
    Seconds(u64),
    /// The date that is this number of seconds after the stand-ins' current time.
    DateIn(i64),
    /// Any text.
    Text(String),
}

impl Answer {
    /// A status without a body.
    pub const fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), retry_after: None, body: AnswerBody::Empty }
    }

    /// A status with a JSON body.
    pub fn json(status: u16, body: Value) -> Self {
        Self { body: AnswerBody::Json(body), ..Self::empty(status) }
    }

    /// A status with a plain-text body.
    pub fn plain(status: u16, body: &str) -> Self {
        Self { body: AnswerBody::Plain(body.to_owned()), ..Self::empty(status) }
    }

    /// A status with an HTML page, as proxies send it.
    pub fn html(status: u16) -> Self {
        let title = crate::http::reason_phrase(status);
        let page =
            format!("<html><head><title>{status} {title}</title></head><body><h1>{title}</h1></body></html>");
        Self { body: AnswerBody::Html(page), ..Self::empty(status) }
    }

    /// Mixpanel's 429. Source: its OpenAPI description.
    pub fn too_many_requests() -> Self {
        Self::mixpanel(
            429,
            "Project exceeded rate limits. Please retry the request with exponential backoff.",
        )
    }

    /// Mixpanel's 401 from `/import`. Source: its OpenAPI description.
    pub fn unauthorized() -> Self {
        Self::mixpanel(401, "Invalid credentials")
    }

    /// Mixpanel's 403 from `/track`, which has no `code`. Source: its OpenAPI description.
    pub fn forbidden() -> Self {
        Self::json(403, json!({"error": "Forbidden", "status": "error"}))
    }

    /// Mixpanel's 413. Source: its OpenAPI description.
    pub fn too_large() -> Self {
        Self::mixpanel(413, "request exceeds max limit of 2097152 bytes")
    }

    /// The 503 of the proxy in front of Mixpanel. Source: issues of Mixpanel's Node library.
    pub fn upstream_unavailable() -> Self {
        Self::plain(
            503,
            "upstream connect error or disconnect/reset before headers. reset reason: connection failure",
        )
    }

    /// A 200 that reports a temporary failure. Source: an issue of Mixpanel's Python library.
    pub fn temporary_failure() -> Self {
        Self::json(200, json!({"status": 0, "error": "a temporary failure occurred"}))
    }

    /// A redirect to this URL.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::empty(status).header("Location", location)
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the header `Retry-After`.
    pub fn retry_after(self, retry_after: RetryAfter) -> Self {
        Self { retry_after: Some(retry_after), ..self }
    }

    fn mixpanel(status: u16, error: &str) -> Self {
        let status_text = crate::http::reason_phrase(status);
        Self::json(status, json!({"code": status, "error": error, "status": status_text}))
    }

    pub(crate) fn response(&self, now: DateTime<Utc>) -> Response {
        let mut response = match &self.body {
            AnswerBody::Empty => Response::empty(self.status),
            AnswerBody::Json(value) => Response::json(self.status, value),
            AnswerBody::Plain(text) => Response::new(self.status, "text/plain", text.as_str()),
            AnswerBody::Html(page) => Response::new(self.status, "text/html; charset=UTF-8", page.as_str()),
        };
        response.headers.extend(self.headers.iter().cloned());
        response
            .headers
            .extend(self.retry_after.as_ref().map(|after| ("Retry-After".to_owned(), after.text(now))));
        response
    }
}

impl RetryAfter {
    fn text(&self, now: DateTime<Utc>) -> String {
        match self {
            Self::Seconds(seconds) => seconds.to_string(),
            Self::DateIn(seconds) => {
                (now + TimeDelta::seconds(*seconds)).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
            }
            Self::Text(text) => text.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_a_number_a_date_or_any_text() {
        let now = "2026-03-10T12:00:00Z".parse().unwrap();
        let header_values = |after| {
            let response = Answer::empty(429).retry_after(after).response(now);
            response.headers.into_iter().map(|(_, value)| value).collect::<Vec<_>>()
        };
        assert_eq!(header_values(RetryAfter::Seconds(0)), ["0"]);
        assert_eq!(header_values(RetryAfter::DateIn(90)), ["Tue, 10 Mar 2026 12:01:30 GMT"]);
        assert_eq!(header_values(RetryAfter::Text("soon".to_owned())), ["soon"]);
        assert!(Answer::empty(429).response(now).headers.is_empty());
    }
}
