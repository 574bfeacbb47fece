//! Finishes a response: gives each error its code and its message in the reader's language, and hides
//! internals.

mod invalid_argument;

use std::any::Any;
use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, Response, ServerError, Value};
use domain::Locale;
use domain::failure::ErrorCode;
use tracing::error;

use super::context::AuthState;
use crate::config::graphql::Graphql;
use crate::error::Error;

/// The maximum number of errors in a response, because a small document can cause very many.
const MAX_ERRORS: usize = 20;

/// The facts about a request that its response depends on.
#[derive(Debug)]
pub struct ResponseContext {
    /// The GraphQL document.
    pub document: String,
    /// The language of error messages.
    pub locale: Locale,
    pub request_id: String,
    pub suggestions: Suggestions,
}

/// Whether error messages keep the library's suggestions, which reveal names of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suggestions {
    /// Suggestions are kept.
    Shown,
    /// Suggestions are removed.
    Hidden,
}

impl Suggestions {
    /// Shown to callers who are signed in, unless introspection is disabled.
    pub const fn for_caller(auth: AuthState, config: &Graphql) -> Self {
        match auth {
            AuthState::SignedIn if config.introspection => Self::Shown,
            AuthState::SignedIn | AuthState::Anonymous => Self::Hidden,
        }
    }
}

/// The text that starts the library's suggestions, at the end of a message.
const SUGGESTIONS_PREFIX: &str = " Did you mean ";

/// Adds codes and localized messages to the errors of a response.
pub fn finish(mut response: Response, context: &ResponseContext) -> Response {
    response.errors.truncate(MAX_ERRORS);
    response.errors = response.errors.into_iter().map(|error| finish_error(error, context)).collect();
    response
}

/// The seconds after which to retry, if a part of a finished response is missing because the database is
/// unavailable. A query can be repeated. After a mutation, only another request shows whether
/// it was applied.
pub fn retry_after_seconds(response: &Response) -> Option<u64> {
    let code = |error: &ServerError| error.extensions.as_ref()?.get("code").cloned();
    let unavailable = Value::from(ErrorCode::Unavailable.as_str());
    let is_unavailable = response.errors.iter().any(|error| code(error).as_ref() == Some(&unavailable));
    is_unavailable.then(|| Error::Unavailable.retry_after_seconds())?
}

/// The response to a request with a resolver that panicked. It must be finished like any other.
pub fn from_panic(cause: &(dyn Any + Send)) -> Response {
    let mut error = ServerError::new("", None);
    error.source = Some(Arc::new(Error::from_panic(cause)));
    Response::from_errors(vec![error])
}

fn finish_error(error: ServerError, context: &ResponseContext) -> ServerError {
    let ResponseContext { locale, request_id, .. } = context;
    let (locale, request_id) = (*locale, request_id.as_str());
    let Some(hub_error) = error.source::<Error>() else { return finish_library_error(error, context) };
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", hub_error.code().as_str());
    if let Some(first) = hub_error.fields().first() {
        extensions.set("field", first.field.as_str());
        let fields = hub_error.fields().iter().map(|invalid| {
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
    if let Some(seconds) = hub_error.retry_after_seconds() {
        extensions.set("retryAfterSeconds", seconds);
    }
    if let Error::Internal(cause) = hub_error {
        error!(request_id, cause = format!("{cause:#}"), "A GraphQL request failed");
        extensions.set("requestId", request_id);
    }
    let message = hub_error.message().into_locale(locale);
    ServerError {
        message,
        source: None,
        locations: error.locations,
        path: error.path,
        extensions: Some(extensions),
    }
}

/// Finishes an error of the library itself: invalid GraphQL, unknown fields, wrong types, or an exceeded
/// limit.
fn finish_library_error(mut error: ServerError, context: &ResponseContext) -> ServerError {
    match context.suggestions {
        Suggestions::Shown => {}
        Suggestions::Hidden => {
            let end = error.message.find(SUGGESTIONS_PREFIX).unwrap_or(error.message.len());
            error.message.truncate(end);
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
            && let Some(field) =
                invalid_argument::from_message(&error.message).or_else(|| argument_at(&error, context))
        {
            extensions.set("field", field);
        }
    }
    if error.source.take().is_some() {
        // A source that is not an error of the hub may reveal internals, so it is removed.
        error!(
            request_id = context.request_id,
            message = error.message,
            "A GraphQL request failed with an unexpected error"
        );
    }
    error.extensions = Some(extensions);
    error
}

/// The argument that could not be parsed. For such errors, the library reports only the position of the
/// value.
fn argument_at(error: &ServerError, context: &ResponseContext) -> Option<String> {
    let prefixes = ["Failed to parse \"", "Expected input type \""];
    let position = error.locations.first()?;
    prefixes.iter().any(|prefix| error.message.starts_with(prefix)).then_some(())?;
    invalid_argument::at_position(&context.document, position.line, position.column)
}
