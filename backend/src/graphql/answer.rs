//! The last touch on an answer: error codes, the reader's language, and silence about the inside.

use async_graphql::{ErrorExtensionValues, Response, ServerError, Value};
use domain::Locale;
use domain::failure::ErrorCode;
use tracing::error;

use crate::error::Error;

/// Nobody reads more errors than these, and a small document can have very many.
const MAX_ERRORS: usize = 20;

/// Puts codes and words on every error of a response.
pub fn finish(mut response: Response, locale: Locale, request_id: &str) -> Response {
    response.errors.truncate(MAX_ERRORS);
    response.errors = response.errors.into_iter().map(|error| told(error, locale, request_id)).collect();
    response
}

fn told(error: ServerError, locale: Locale, request_id: &str) -> ServerError {
    let Some(ours) = error.source::<Error>() else { return by_library(error, request_id) };
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", ours.code().as_str());
    if let Some(first) = ours.fields().first() {
        extensions.set("field", first.field.as_str());
        let fields = ours.fields().iter().map(|invalid| {
            let message = invalid.message.in_locale(locale);
            Value::Object(
                [("field", invalid.field.as_str()), ("message", message)]
                    .map(|(key, value)| (async_graphql::Name::new(key), Value::from(value)))
                    .into_iter()
                    .collect(),
            )
        });
        extensions.set("fields", Value::List(fields.collect()));
    }
    if let Some(seconds) = ours.retry_after_seconds() {
        extensions.set("retryAfterSeconds", seconds);
    }
    if let Error::Internal(cause) = ours {
        error!(request_id, cause = format!("{cause:#}"), "A GraphQL request failed");
        extensions.set("requestId", request_id);
    }
    let message = ours.message(locale);
    ServerError {
        message,
        source: None,
        locations: error.locations,
        path: error.path,
        extensions: Some(extensions),
    }
}

/// What the library itself refuses: a document that is no GraphQL, unknown fields, wrong types, too much at once.
fn by_library(mut error: ServerError, request_id: &str) -> ServerError {
    let mut extensions = error.extensions.take().unwrap_or_default();
    if extensions.get("code").is_none() {
        let code = match error.message.as_str() {
            "Query is nested too deep." | "Query is too complex." => ErrorCode::TooComplex,
            message
                if message.starts_with("The recursion depth")
                    || message.contains("directives on the field") =>
            {
                ErrorCode::TooComplex
            }
            _ => ErrorCode::BadUserInput,
        };
        extensions.set("code", code.as_str());
    }
    if error.source.take().is_some() {
        // A source that is not ours was not written for the caller.
        error!(request_id, message = error.message, "A GraphQL request failed outside our own errors");
    }
    error.extensions = Some(extensions);
    error
}
