//! Requests that are refused before GraphQL sees them, with the error messages.

use axum::http::StatusCode;
use domain::failure::ErrorCode;
use domain::text::Phrase;

use crate::error::Error;
use crate::http::caller::Caller;
use crate::http::problem::Problem;

/// Why a request is not executed.
#[derive(Debug)]
pub enum Refusal {
    WrongContentType,
    /// A multipart request without the header that forces a preflight.
    NeedsPreflight,
    /// A GET request without a valid query string.
    InvalidQuery,
    MutationNeedsPost,
    /// Several operations in one request.
    Batch,
    /// The body exceeds this many bytes.
    TooLarge(usize),
    /// The body ended early or timed out.
    Incomplete,
    /// The body is not a GraphQL request, for this reason.
    NotGraphql(String),
    /// The parts of a multipart request are invalid.
    InvalidParts,
    /// The caller lacks a permission, or an error on our side.
    Error(Error),
}

impl Refusal {
    /// The problem document, in the caller's language.
    pub fn problem(self, caller: &Caller) -> Problem {
        let (status, phrase) = match self {
            Self::WrongContentType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Phrase::new(
                    "Content-Type no admitido. Se acepta application/json, o multipart/form-data para subir \
                     un archivo.",
                    "Unsupported Content-Type. Accepted: application/json, or multipart/form-data for file \
                     uploads.",
                ),
            ),
            Self::NeedsPreflight => (
                StatusCode::BAD_REQUEST,
                Phrase::new(
                    "Una petición multipart debe llevar la cabecera graphql-require-preflight con cualquier \
                     valor.",
                    "A multipart request must have the header graphql-require-preflight with any value.",
                ),
            ),
            Self::InvalidQuery => (
                StatusCode::BAD_REQUEST,
                Phrase::new(
                    "La consulta falta o no es válida. Se acepta POST con JSON, o GET con query y, si hace \
                     falta, operationName y variables como JSON.",
                    "The query is missing or invalid. Accepted: POST with JSON, or GET with query and, \
                     optionally, operationName and variables as JSON.",
                ),
            ),
            Self::MutationNeedsPost => (
                StatusCode::METHOD_NOT_ALLOWED,
                Phrase::new("Las mutaciones se envían por POST.", "Mutations must be sent by POST."),
            ),
            Self::Batch => (
                StatusCode::BAD_REQUEST,
                Phrase::new(
                    "No se admiten lotes. Envía una sola operación por petición.",
                    "Batching is not supported. Send one operation per request.",
                ),
            ),
            Self::TooLarge(limit) => {
                let max =
                    if limit < 1 << 20 { format!("{limit} bytes") } else { format!("{} MiB", limit >> 20) };
                (
                    StatusCode::PAYLOAD_TOO_LARGE,
                    Phrase::new(
                        format!("La petición es demasiado grande. Se aceptan hasta {max}."),
                        format!("The request is too large. Accepted: up to {max}."),
                    ),
                )
            }
            Self::Incomplete => (
                StatusCode::BAD_REQUEST,
                Phrase::new(
                    "La petición llegó incompleta. Vuelve a enviarla.",
                    "The request body is incomplete. Send the request again.",
                ),
            ),
            Self::NotGraphql(reason) => (
                StatusCode::BAD_REQUEST,
                Phrase::new(
                    format!("No es una petición de GraphQL: {reason}"),
                    format!("Not a GraphQL request: {reason}"),
                ),
            ),
            Self::InvalidParts => (
                StatusCode::BAD_REQUEST,
                Phrase::new(
                    "Petición multipart no válida. Se aceptan las partes operations, map y un archivo, y \
                     map asigna el archivo a una variable: {\"0\": [\"variables.file\"]}.",
                    "Invalid multipart request. Accepted: the parts operations, map and one file, where map \
                     assigns the file to one variable: {\"0\": [\"variables.file\"]}.",
                ),
            ),
            Self::Error(error) => return caller.problem(&error),
        };
        Problem::new(status, ErrorCode::BadUserInput, phrase.in_locale(caller.locale))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self::Error(Error::Internal(anyhow::Error::new(error).context("Failed to store an upload")))
    }
}
