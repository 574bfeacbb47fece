//! What can go wrong with a request, and what its sender is told.
//!
//! What the user can mend is told in their words with a code; what they cannot is logged once, where it is handled, and
//! says nothing about the inside.

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

/// When to come back to a hub whose database connections are all in use.
const WHEN_BUSY: Duration = Duration::from_secs(5);

/// When to come back to a hub whose database cannot be used.
const WHEN_UNAVAILABLE: Duration = Duration::from_secs(5);

/// The result of handling a request.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request was not answered.
///
/// It has no `Display`: nothing turns an internal error's text into an answer by accident.
#[derive(Debug)]
pub enum Error {
    /// Nobody is signed in, or the credential is not good (401 `UNAUTHENTICATED`).
    Unauthenticated,
    /// The e-mail and the password do not go together (401 `UNAUTHENTICATED`).
    WrongLogin,
    /// A rule forbids it (403 `FORBIDDEN` or `SCOPE_REQUIRED`).
    Denied(Denied),
    /// Fields of the input are wrong (422 `BAD_USER_INPUT`).
    Invalid(Vec<Invalid>),
    /// These rows are more than the caller may store; the others were stored (403 `FORBIDDEN`).
    RowsRefused(Vec<Invalid>),
    /// There is no such thing (404 `NOT_FOUND`).
    NotFound(Phrase),
    /// It contradicts what is stored (409 `CONFLICT`).
    Conflict(Phrase),
    /// A document asks for more than one request may (400 `TOO_COMPLEX`).
    TooComplex(Phrase),
    /// Too many requests; the sender may come back after this time (429 `RATE_LIMITED`).
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// As much is under way as the hub takes on at a time (503 `RATE_LIMITED`): not the sender's doing.
    Busy {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The database cannot be used for now (503 `UNAVAILABLE`); [`outage`] has logged it.
    Unavailable,
    /// A fault of ours (500 `INTERNAL`).
    Internal(anyhow::Error),
}

/// One field of an input that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The field's path, as the sender wrote it: `filter.courseId`, `input[3].email`.
    pub field: String,
    /// What is wrong and what is accepted.
    pub message: Phrase,
}

impl Error {
    /// One wrong field.
    pub fn invalid(field: impl Into<String>, message: impl Into<Phrase>) -> Self {
        Self::Invalid(vec![Invalid { field: field.into(), message: message.into() }])
    }

    /// A fault of ours that ended in a panic.
    pub fn of_panic(cause: &(dyn Any + Send)) -> Self {
        let words = cause.downcast_ref::<String>().map(String::as_str);
        let words = words.or(cause.downcast_ref::<&str>().copied()).unwrap_or("without words");
        Self::Internal(anyhow::anyhow!("It panicked: {words}"))
    }

    /// The code that clients see.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Unauthenticated | Self::WrongLogin => ErrorCode::Unauthenticated,
            Self::Denied(denied) => denied.code(),
            Self::Invalid(_) => ErrorCode::BadUserInput,
            Self::RowsRefused(_) => ErrorCode::Forbidden,
            Self::NotFound(_) => ErrorCode::NotFound,
            Self::Conflict(_) => ErrorCode::Conflict,
            Self::TooComplex(_) => ErrorCode::TooComplex,
            Self::TooMany { .. } | Self::Busy { .. } => ErrorCode::RateLimited,
            Self::Unavailable => ErrorCode::Unavailable,
            Self::Internal(_) => ErrorCode::Internal,
        }
    }

    /// The HTTP status outside GraphQL.
    pub const fn http_status(&self) -> u16 {
        match self {
            Self::Busy { .. } => 503,
            Self::Unauthenticated
            | Self::WrongLogin
            | Self::Denied(_)
            | Self::Invalid(_)
            | Self::RowsRefused(_)
            | Self::NotFound(_)
            | Self::Conflict(_)
            | Self::TooComplex(_)
            | Self::TooMany { .. }
            | Self::Unavailable
            | Self::Internal(_) => self.code().http_status(),
        }
    }

    /// What the sender is told.
    pub fn message(&self, locale: Locale) -> String {
        match self {
            Self::Unauthenticated => UNAUTHENTICATED.in_locale(locale).to_owned(),
            Self::WrongLogin => WRONG_LOGIN.in_locale(locale).to_owned(),
            Self::Denied(denied) => denied.message(locale),
            Self::Invalid(fields) | Self::RowsRefused(fields) => {
                let told: Vec<String> = fields
                    .iter()
                    .map(|invalid| format!("{}: {}", invalid.field, invalid.message.in_locale(locale)))
                    .collect();
                told.join(" ")
            }
            Self::NotFound(phrase) | Self::Conflict(phrase) | Self::TooComplex(phrase) => {
                phrase.in_locale(locale).to_owned()
            }
            Self::TooMany { retry_after } => {
                let seconds = retry_after.as_secs().max(1);
                match locale {
                    Locale::Es => format!("Demasiados intentos. Vuelve a probar en {seconds} s."),
                    Locale::En => format!("Too many attempts. Try again in {seconds} s."),
                }
            }
            Self::Busy { retry_after } => {
                let seconds = retry_after.as_secs().max(1);
                match locale {
                    Locale::Es => format!("El hub está ocupado. Vuelve a probar en {seconds} s."),
                    Locale::En => format!("The hub is busy. Try again in {seconds} s."),
                }
            }
            Self::Unavailable => UNAVAILABLE.in_locale(locale).to_owned(),
            Self::Internal(_) => INTERNAL.in_locale(locale).to_owned(),
        }
    }

    /// The seconds to wait before trying again, when that helps.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            Self::TooMany { retry_after } | Self::Busy { retry_after } => Some(retry_after.as_secs().max(1)),
            Self::Unavailable => Some(WHEN_UNAVAILABLE.as_secs()),
            Self::Unauthenticated
            | Self::WrongLogin
            | Self::Denied(_)
            | Self::Invalid(_)
            | Self::RowsRefused(_)
            | Self::NotFound(_)
            | Self::Conflict(_)
            | Self::TooComplex(_)
            | Self::Internal(_) => None,
        }
    }

    /// The fields that are wrong.
    pub fn fields(&self) -> &[Invalid] {
        match self {
            Self::Invalid(fields) | Self::RowsRefused(fields) => fields,
            Self::Unauthenticated
            | Self::WrongLogin
            | Self::Denied(_)
            | Self::NotFound(_)
            | Self::Conflict(_)
            | Self::TooComplex(_)
            | Self::TooMany { .. }
            | Self::Busy { .. }
            | Self::Unavailable
            | Self::Internal(_) => &[],
        }
    }
}

const UNAUTHENTICATED: Text =
    Text::new("Inicia sesión o envía un token válido.", "Sign in, or send a valid token.");
const WRONG_LOGIN: Text =
    Text::new("El correo o la contraseña no son correctos.", "The e-mail or the password is wrong.");
const UNAVAILABLE: Text = Text::new(
    "La base de datos del hub no responde en este momento. Vuelve a probar en unos segundos; si estabas cambiando algo, mira antes si se hizo.",
    "The hub's database does not answer at the moment. Try again in a few seconds; if you were changing something, look first whether it was done.",
);
const INTERNAL: Text = Text::new(
    "Algo falló de nuestro lado. Vuelve a probar; si sigue, menciona el identificador de la petición.",
    "Something failed on our side. Try again; if it goes on, quote the request id.",
);

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<Vec<FieldProblem>> for Error {
    fn from(problems: Vec<FieldProblem>) -> Self {
        let invalid = |found: FieldProblem| Invalid {
            message: Phrase::new(found.problem.message(Locale::Es), found.problem.message(Locale::En)),
            field: found.field,
        };
        Self::Invalid(problems.into_iter().map(invalid).collect())
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        if outage::explains(&error) { Self::Unavailable } else { Self::Internal(error) }
    }
}

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        anyhow::Error::new(error).into()
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        anyhow::Error::new(error).into()
    }
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        if matches!(error, PoolError::Timeout(TimeoutType::Wait)) {
            return Self::Busy { retry_after: WHEN_BUSY };
        }
        anyhow::Error::new(error).context("No database connection").into()
    }
}

/// An error that several askers are told, as those are who wait for one look-up of a data loader.
#[derive(Clone, Debug)]
pub struct SharedError(Arc<Error>);

impl From<Error> for SharedError {
    fn from(error: Error) -> Self {
        Self(Arc::new(error))
    }
}

impl From<SharedError> for async_graphql::Error {
    fn from(SharedError(error): SharedError) -> Self {
        Self { message: error.message(Locale::En), source: Some(error), extensions: None }
    }
}

/// In GraphQL the error travels as the source; the route that answers fills in words and extensions, since only it
/// knows the reader's language.
impl From<Error> for async_graphql::Error {
    fn from(error: Error) -> Self {
        SharedError::from(error).into()
    }
}
