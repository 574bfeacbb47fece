//! The last touch on an answer: error codes, the reader's language, and silence about the inside.

mod wrong_field;

use std::any::Any;
use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, Response, ServerError, Value};
use domain::Locale;
use domain::failure::ErrorCode;
use tracing::error;

use super::context::AuthState;
use crate::config::graphql::Graphql;
use crate::error::Error;

/// Nobody reads more errors than these, and a small document can have very many.
const MAX_ERRORS: usize = 20;

/// What an answer is an answer to.
#[derive(Debug)]
pub struct Asked {
    /// The GraphQL document.
    pub document: String,
    /// The reader's language.
    pub locale: Locale,
    /// The request's id in the log.
    pub request_id: String,
    /// Whether the names that the reader may have meant are told.
    pub suggestions: Suggestions,
}

/// Whether the library's suggestions are passed on. They name fields and arguments that were not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suggestions {
    /// They are.
    Given,
    /// They are cut off.
    Withheld,
}

impl Suggestions {
    /// They are for callers who are signed in, and for nobody where the schema may not be asked for.
    pub const fn for_caller(auth: AuthState, config: &Graphql) -> Self {
        match auth {
            AuthState::SignedIn if config.introspection => Self::Given,
            AuthState::SignedIn | AuthState::Anonymous => Self::Withheld,
        }
    }
}

/// What stands before the library's suggestions, at the end of a message.
const SUGGESTIONS: &str = " Did you mean ";

/// Puts codes and words on every error of a response.
pub fn finish(mut response: Response, asked: &Asked) -> Response {
    response.errors.truncate(MAX_ERRORS);
    response.errors = response.errors.into_iter().map(|error| told(error, asked)).collect();
    response
}

/// In how many seconds to come back, where something of a finished response is missing because the database cannot be
/// used. What it read may be asked for again; whether what it wrote is written, the next answer shows.
pub fn unavailable_for(response: &Response) -> Option<u64> {
    let code = |error: &ServerError| error.extensions.as_ref()?.get("code").cloned();
    let unavailable = Value::from(ErrorCode::Unavailable.as_str());
    let is_unavailable = response.errors.iter().any(|error| code(error).as_ref() == Some(&unavailable));
    is_unavailable.then(|| Error::Unavailable.retry_after_seconds())?
}

/// The response of a resolver that panicked, to be finished as others are.
pub fn of_panic(cause: &(dyn Any + Send)) -> Response {
    let mut error = ServerError::new("", None);
    error.source = Some(Arc::new(Error::from_panic(cause)));
    Response::from_errors(vec![error])
}

fn told(error: ServerError, asked: &Asked) -> ServerError {
    let Asked { locale, request_id, .. } = asked;
    let (locale, request_id) = (*locale, request_id.as_str());
    let Some(ours) = error.source::<Error>() else { return by_library(error, asked) };
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
fn by_library(mut error: ServerError, asked: &Asked) -> ServerError {
    match asked.suggestions {
        Suggestions::Given => {}
        Suggestions::Withheld => {
            let told = error.message.find(SUGGESTIONS).unwrap_or(error.message.len());
            error.message.truncate(told);
        }
    }
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
        if code == ErrorCode::BadUserInput
            && let Some(field) = wrong_field::named_in(&error.message).or_else(|| pointed_at(&error, asked))
        {
            extensions.set("field", field);
        }
    }
    if error.source.take().is_some() {
        // A source that is not ours was not written for the caller.
        error!(asked.request_id, message = error.message, "A GraphQL request failed outside our own errors");
    }
    error.extensions = Some(extensions);
    error
}

/// The argument that could not be read; the library says only where its value stands.
fn pointed_at(error: &ServerError, asked: &Asked) -> Option<String> {
    let unread = ["Failed to parse \"", "Expected input type \""];
    let place = error.locations.first()?;
    unread.iter().any(|words| error.message.starts_with(words)).then_some(())?;
    wrong_field::at(&asked.document, place.line, place.column)
}
