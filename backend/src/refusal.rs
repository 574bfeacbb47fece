//! Refusals of single inputs in a list. The other inputs of the list are not affected.

use std::borrow::Cow;

use async_graphql::SimpleObject;
use domain::failure::ErrorCode;
use domain::text::{Locale, Text};
use serde::Serialize;

/// The maximum number of events in a request.
pub const MAX_EVENTS: usize = 500;

/// The error for a request with more events.
pub const TOO_MANY_EVENTS: Text =
    Text::new("Se aceptan hasta 500 eventos por petición.", "Accepted: up to 500 events per request.");

/// Why an input is refused.
pub trait Reason: Copy {
    /// The error code in the response. After `RATE_LIMITED` and `INTERNAL` the input can be sent again.
    fn code(self) -> ErrorCode;
    /// The machine-readable reason, in responses and in metrics.
    fn key(self) -> &'static str;
    /// The error message, which says what is accepted.
    fn message(self) -> Text;
}

/// The refusal of one input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal<R> {
    pub reason: R,
    /// The invalid field, by its name in the request. `None` if the input as a whole is refused.
    pub field: Option<Cow<'static, str>>,
}

impl<R> Refusal<R> {
    /// Refuses an input because of a field.
    pub const fn of(field: &'static str, reason: R) -> Self {
        Self { reason, field: Some(Cow::Borrowed(field)) }
    }

    /// Refuses an input because of a field that is not known.
    pub const fn of_unknown_field(field: String, reason: R) -> Self {
        Self { reason, field: Some(Cow::Owned(field)) }
    }

    /// Refuses an input as a whole.
    pub const fn of_event(reason: R) -> Self {
        Self { reason, field: None }
    }
}

/// Why an input in a list was refused.
#[derive(SimpleObject, Serialize)]
pub struct InputError {
    /// BAD_USER_INPUT, FORBIDDEN, CONFLICT, RATE_LIMITED or INTERNAL. After the last two, the input can be sent again.
    code: &'static str,
    /// The violated rule, such as UNKNOWN_LESSON or IN_THE_FUTURE.
    reason: &'static str,
    /// The invalid field. Null if the whole input is invalid.
    field: Option<String>,
    /// What is wrong and what is accepted.
    message: &'static str,
}

impl InputError {
    /// The error in this language.
    pub fn new<R: Reason>(Refusal { reason, field }: Refusal<R>, locale: Locale) -> Self {
        Self {
            code: reason.code().as_str(),
            reason: reason.key(),
            field: field.map(Cow::into_owned),
            message: reason.message().in_locale(locale),
        }
    }
}
