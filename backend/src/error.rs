//! Errors of requests, and the messages that callers get.
//!
//! An error that the caller can fix is explained with a message and a code. Any other error is logged once,
//! where it is handled, and its response reveals nothing about the inside.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::TimeoutType;
use diesel_async::pooled_connection::deadpool::PoolError;
use domain::access::Denied;
use domain::failure::ErrorCode;
use domain::filter::FieldProblem;
use domain::text::{Locale, Phrase, Text};

use crate::db::{ConnectError, outage};

/// `Retry-After` when all database connections are in use.
const RETRY_AFTER_BUSY: Duration = Duration::from_secs(5);

/// `Retry-After` when the database is unavailable.
const RETRY_AFTER_UNAVAILABLE: Duration = Duration::from_secs(5);

/// The result of handling a request.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request failed.
///
/// It has no `Display`, so that no internal error's text gets into a response by accident.
#[derive(Debug)]
pub enum Error {
    /// There is no credential, or it is invalid (401 `UNAUTHENTICATED`).
    Unauthenticated,
    /// The email or the password is wrong (401 `UNAUTHENTICATED`).
    WrongCredentials,
    /// An access rule denies it (403 `FORBIDDEN` or `SCOPE_REQUIRED`).
    Denied(Denied),
    /// Fields of the input are invalid (422 `BAD_USER_INPUT`).
    Invalid(Vec<InvalidField>),
    /// The caller may not store these rows. The other rows were stored (403 `FORBIDDEN`).
    RowsDenied(Vec<InvalidField>),
    /// The object does not exist (404 `NOT_FOUND`).
    NotFound(Phrase),
    /// It conflicts with stored data (409 `CONFLICT`).
    Conflict(Phrase),
    /// A GraphQL document exceeds the limits of a request (400 `TOO_COMPLEX`).
    TooComplex(Phrase),
    /// The caller sent too many requests (429 `RATE_LIMITED`).
    TooManyRequests { retry_after: Duration },
    /// The hub is at capacity, which is not the caller's fault (503 `RATE_LIMITED`).
    Busy { retry_after: Duration },
    /// The database is unavailable (503 `UNAVAILABLE`). [`outage`] has logged it.
    Unavailable,
    /// An internal error (500 `INTERNAL`).
    Internal(anyhow::Error),
}

/// An invalid field of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidField {
    /// The path of the field, as in the input: `filter.courseId`, `input[3].email`.
    pub field: String,
    pub message: Phrase,
}

impl InvalidField {
    fn sentence(&self) -> Phrase {
        let Self { field, message } = self;
        let in_locale = |locale| format!("{field}: {}", message.in_locale(locale));
        Phrase::new(in_locale(Locale::Es), in_locale(Locale::En))
    }
}

impl Error {
    /// An error about one invalid field.
    pub fn invalid(field: impl Into<String>, message: impl Into<Phrase>) -> Self {
        Self::Invalid(vec![InvalidField { field: field.into(), message: message.into() }])
    }

    /// An internal error after a panic.
    pub fn from_panic(cause: &(dyn Any + Send)) -> Self {
        let message = cause.downcast_ref::<String>().map(String::as_str);
        let message = message.or(cause.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Self::Internal(anyhow::anyhow!("The task panicked: {message}"))
    }

    /// The code that clients see.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Unauthenticated | Self::WrongCredentials => ErrorCode::Unauthenticated,
            Self::Denied(denied) => denied.code(),
            Self::Invalid(_) => ErrorCode::BadUserInput,
            Self::RowsDenied(_) => ErrorCode::Forbidden,
            Self::NotFound(_) => ErrorCode::NotFound,
            Self::Conflict(_) => ErrorCode::Conflict,
            Self::TooComplex(_) => ErrorCode::TooComplex,
            Self::TooManyRequests { .. } | Self::Busy { .. } => ErrorCode::RateLimited,
            Self::Unavailable => ErrorCode::Unavailable,
            Self::Internal(_) => ErrorCode::Internal,
        }
    }

    /// The HTTP status outside GraphQL.
    pub const fn http_status(&self) -> u16 {
        match self {
            Self::Busy { .. } => 503,
            Self::Unauthenticated
            | Self::WrongCredentials
            | Self::Denied(_)
            | Self::Invalid(_)
            | Self::RowsDenied(_)
            | Self::NotFound(_)
            | Self::Conflict(_)
            | Self::TooComplex(_)
            | Self::TooManyRequests { .. }
            | Self::Unavailable
            | Self::Internal(_) => self.code().http_status(),
        }
    }

    /// The message for the caller.
    pub fn message(&self) -> Phrase {
        match self {
            Self::Unauthenticated => UNAUTHENTICATED.into(),
            Self::WrongCredentials => WRONG_CREDENTIALS.into(),
            Self::Denied(denied) => denied.message(),
            Self::Invalid(fields) | Self::RowsDenied(fields) => {
                Phrase::joined(&fields.iter().map(InvalidField::sentence).collect::<Vec<_>>())
            }
            Self::NotFound(phrase) | Self::Conflict(phrase) | Self::TooComplex(phrase) => phrase.clone(),
            Self::TooManyRequests { retry_after } => {
                let seconds = retry_after.as_secs().max(1);
                Phrase::new(
                    format!("Demasiados intentos. Vuelve a probar en {seconds} s."),
                    format!("Too many attempts. Try again in {seconds} s."),
                )
            }
            Self::Busy { retry_after } => {
                let seconds = retry_after.as_secs().max(1);
                Phrase::new(
                    format!("El hub está ocupado. Vuelve a probar en {seconds} s."),
                    format!("The hub is busy. Try again in {seconds} s."),
                )
            }
            Self::Unavailable => UNAVAILABLE.into(),
            Self::Internal(_) => INTERNAL.into(),
        }
    }

    /// The seconds after which to retry, if retrying helps.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            Self::TooManyRequests { retry_after } | Self::Busy { retry_after } => {
                Some(retry_after.as_secs().max(1))
            }
            Self::Unavailable => Some(RETRY_AFTER_UNAVAILABLE.as_secs()),
            Self::Unauthenticated
            | Self::WrongCredentials
            | Self::Denied(_)
            | Self::Invalid(_)
            | Self::RowsDenied(_)
            | Self::NotFound(_)
            | Self::Conflict(_)
            | Self::TooComplex(_)
            | Self::Internal(_) => None,
        }
    }

    /// The invalid fields.
    pub fn fields(&self) -> &[InvalidField] {
        match self {
            Self::Invalid(fields) | Self::RowsDenied(fields) => fields,
            Self::Unauthenticated
            | Self::WrongCredentials
            | Self::Denied(_)
            | Self::NotFound(_)
            | Self::Conflict(_)
            | Self::TooComplex(_)
            | Self::TooManyRequests { .. }
            | Self::Busy { .. }
            | Self::Unavailable
            | Self::Internal(_) => &[],
        }
    }
}

const UNAUTHENTICATED: Text =
    Text::new("Inicia sesión o envía un token válido.", "Sign in, or send a valid token.");
const WRONG_CREDENTIALS: Text =
    Text::new("El correo o la contraseña no son correctos.", "The email or the password is wrong.");
const UNAVAILABLE: Text = Text::new(
    "La base de datos del hub no responde en este momento. Vuelve a intentarlo en unos segundos; si estabas haciendo un cambio, comprueba antes si se guardó.",
    "The hub's database is currently unavailable. Try again in a few seconds. If you were making a change, first check whether it was saved.",
);
const INTERNAL: Text = Text::new(
    "Algo falló de nuestro lado. Vuelve a intentarlo; si el problema persiste, indica el identificador de la petición.",
    "Something went wrong on our side. Try again. If the problem persists, include the request ID when you report it.",
);

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<Vec<FieldProblem>> for Error {
    fn from(problems: Vec<FieldProblem>) -> Self {
        Self::Invalid(problems.into_iter().map(InvalidField::from).collect())
    }
}

impl From<FieldProblem> for InvalidField {
    fn from(FieldProblem { field, problem }: FieldProblem) -> Self {
        Self { field, message: problem.message() }
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        if outage::includes(&error) { Self::Unavailable } else { Self::Internal(error) }
    }
}

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        if error.is_full() {
            return Self::Busy { retry_after: RETRY_AFTER_BUSY };
        }
        anyhow::Error::new(error).into()
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        anyhow::Error::new(error).into()
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        anyhow::Error::new(error).into()
    }
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        if matches!(error, PoolError::Timeout(TimeoutType::Wait)) {
            return Self::Busy { retry_after: RETRY_AFTER_BUSY };
        }
        anyhow::Error::new(error).context("Failed to get a database connection").into()
    }
}

/// An error that several callers share, such as those that wait for one batch of a data loader.
#[derive(Clone, Debug)]
pub struct SharedError(Arc<Error>);

impl From<Error> for SharedError {
    fn from(error: Error) -> Self {
        Self(Arc::new(error))
    }
}

impl From<SharedError> for async_graphql::Error {
    fn from(SharedError(error): SharedError) -> Self {
        Self { message: error.message().into_locale(Locale::En), source: Some(error), extensions: None }
    }
}

/// In GraphQL the error is attached as the source. The route that answers adds the message and the
/// extensions, because only it knows the reader's language.
impl From<Error> for async_graphql::Error {
    fn from(error: Error) -> Self {
        SharedError::from(error).into()
    }
}
