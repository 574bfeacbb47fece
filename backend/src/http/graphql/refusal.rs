//! Requests that do not get as far as GraphQL, and what their senders are told.

use axum::http::StatusCode;
use domain::failure::ErrorCode;
use domain::text::Phrase;

use crate::error::Error;
use crate::http::caller::Caller;
use crate::http::problem::Problem;

/// Why a request is not even tried.
#[derive(Debug)]
pub enum Refusal {
    WrongContentType,
    NeedsPreflight,
    NeedsQuery,
    OnlyByPost,
    Batch,
    /// The body has more bytes than these.
    TooLarge(usize),
    /// The sender stopped in the middle, or took too long.
    BrokenOff,
    /// The body is no GraphQL request, for this reason.
    NotGraphql(String),
    /// The parts of an upload do not go together.
    WrongParts,
    /// A rule of the product forbids it, or a fault of ours.
    Because(Error),
}

impl Refusal {
    /// The refusal as this caller is told it.
    pub fn problem(self, caller: &Caller) -> Problem {
        let (status, phrase) = match self {
            Self::WrongContentType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Phrase::new(
                    "Se acepta Content-Type application/json, o multipart/form-data para subir un archivo.",
                    "Accepted: Content-Type application/json, or multipart/form-data for a file upload.",
                ),
            ),
            Self::NeedsPreflight => (
                StatusCode::BAD_REQUEST,
                Phrase::new(
                    "Una petición multipart debe llevar la cabecera graphql-require-preflight con cualquier valor.",
                    "A multipart request must carry the header graphql-require-preflight with any value.",
                ),
            ),
            Self::NeedsQuery => (
                StatusCode::BAD_REQUEST,
                Phrase::new(
                    "Se acepta POST con JSON, o GET con query y, si hace falta, operationName y variables como JSON.",
                    "Accepted: POST with JSON, or GET with query and, where needed, operationName and variables as JSON.",
                ),
            ),
            Self::OnlyByPost => (
                StatusCode::METHOD_NOT_ALLOWED,
                Phrase::new("Una mutación se envía por POST.", "A mutation goes by POST."),
            ),
            Self::Batch => (
                StatusCode::BAD_REQUEST,
                Phrase::new(
                    "Se acepta una sola operación por petición.",
                    "Accepted: one operation a request.",
                ),
            ),
            Self::TooLarge(limit) => {
                let most =
                    if limit < 1 << 20 { format!("{limit} bytes") } else { format!("{} MiB", limit >> 20) };
                (
                    StatusCode::PAYLOAD_TOO_LARGE,
                    Phrase::new(
                        format!("La petición es demasiado grande. Se aceptan hasta {most}."),
                        format!("The request is too large. Accepted: up to {most}."),
                    ),
                )
            }
            Self::BrokenOff => (
                StatusCode::BAD_REQUEST,
                Phrase::new(
                    "La petición se interrumpió antes de terminar. Vuelve a enviarla.",
                    "The request broke off before its end. Send it again.",
                ),
            ),
            Self::NotGraphql(reason) => (
                StatusCode::BAD_REQUEST,
                Phrase::new(
                    format!("No es una petición de GraphQL: {reason}"),
                    format!("Not a GraphQL request: {reason}"),
                ),
            ),
            Self::WrongParts => (
                StatusCode::BAD_REQUEST,
                Phrase::new(
                    "Se aceptan las partes operations, map y un archivo, y map lleva el archivo a una variable: \
                     {\"0\": [\"variables.file\"]}.",
                    "Accepted: the parts operations, map and one file, and map leads the file to one variable: \
                     {\"0\": [\"variables.file\"]}.",
                ),
            ),
            Self::Because(error) => return caller.problem(&error),
        };
        Problem::new(status, ErrorCode::BadUserInput, phrase.in_locale(caller.locale))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Because(error)
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self::Because(Error::Internal(anyhow::Error::new(error).context("An upload could not be kept")))
    }
}
