//! Errors outside GraphQL: RFC 9457 problem documents with a `code`. The codes are the same as in GraphQL.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::Locale;
use domain::failure::ErrorCode;
use serde::Serialize;
use tracing::error;

use crate::error::Error;

/// A problem document.
#[derive(Debug, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    code: &'static str,
    /// One message per invalid field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    errors: BTreeMap<String, String>,
    #[serde(rename = "retryAfterSeconds", skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
    #[serde(rename = "requestId", skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl Problem {
    /// A problem with the default status of its code.
    pub fn of(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self::new(status(code.http_status()), code, detail)
    }

    /// A problem with a status that is more specific than its code.
    pub fn new(status: StatusCode, code: ErrorCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            code: code.as_str(),
            errors: BTreeMap::new(),
            retry_after_seconds: None,
            request_id: None,
        }
    }

    /// The problem for one of our errors. Internal errors are logged here and not disclosed.
    pub fn from_error(error: &Error, locale: Locale, request_id: &str) -> Self {
        let mut problem =
            Self::new(status(error.http_status()), error.code(), error.message().in_locale(locale));
        problem.retry_after_seconds = error.retry_after_seconds();
        for invalid in error.fields() {
            problem.errors.insert(invalid.field.clone(), invalid.message.in_locale(locale).to_owned());
        }
        if let Error::Internal(cause) = error {
            error!(request_id, cause = format!("{cause:#}"), "Failed to handle a request");
            problem.request_id = Some(request_id.to_owned());
        }
        problem
    }
}

fn status(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let retry_after = self.retry_after_seconds;
        let mut response = (status(self.status), Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The problem for an unknown path.
pub fn not_found() -> Problem {
    Problem::of(ErrorCode::NotFound, "There is no page or endpoint at this address.")
}

/// The problem for a known path with an unsupported method.
pub fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::BadUserInput,
        "Method not allowed. The Allow header lists the accepted methods.",
    )
}
