//! What the requests for signed links have in common, and the downloads by them.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::DefaultBodyLimit;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use domain::failure::ErrorCode;
use domain::text::{Phrase, Text};
use serde::Serialize;
use serde_json::{Map, Value};

use super::caller::Caller;
use super::problem::Problem;
use crate::error::{Error, Result};
use crate::export::link::LIFETIME;
use crate::export::spool::Interrupted;

/// The maximum size of a request for a link.
const MAX_REQUEST_BYTES: usize = 64 << 10;

const TOO_LARGE: Text = Text::new(
    "La petición llegó incompleta o es demasiado grande. Se aceptan hasta 64 KiB.",
    "The request body is incomplete or too large. Accepted: up to 64 KiB.",
);

/// The owner of a link may no longer use it.
const NO_LONGER_ALLOWED: Text = Text::new(
    "La persona o el token que creó este enlace ya no tiene acceso.",
    "The person or token that created this link no longer has access.",
);

/// Limits the size of a request.
pub fn limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(MAX_REQUEST_BYTES)
}

/// The response to a request whose body did not arrive.
pub fn not_received(caller: &Caller) -> Problem {
    let detail = TOO_LARGE.in_locale(caller.locale);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::BadUserInput, detail)
}

/// Parses the JSON body of a request.
pub fn parse_body(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !content_type.trim_start().to_ascii_lowercase().starts_with("application/json") {
        return Err(Error::invalid(
            "Content-Type",
            Text::new("Se acepta application/json.", "Accepted: application/json."),
        ));
    }
    serde_json::from_slice(body).map_err(|error| {
        Error::invalid(
            "body",
            Phrase::new(format!("No es un objeto JSON: {error}"), format!("Not a JSON object: {error}")),
        )
    })
}

/// An id in JSON, which may be a text or a number, as text.
pub fn id_text(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

/// When a link that is created now expires.
pub fn expiry(now: DateTime<Utc>) -> DateTime<Utc> {
    now.duration_trunc(TimeDelta::seconds(1)).unwrap_or(now) + LIFETIME
}

/// The response with a link.
pub fn created(link: impl Serialize) -> Response {
    (StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(link)).into_response()
}

/// The response to a link that is invalid for this reason.
pub fn forbidden(caller: &Caller, reason: Text) -> Problem {
    Problem::of(ErrorCode::Forbidden, reason.in_locale(caller.locale))
}

/// The response to a link whose owner may no longer use it.
pub fn no_longer_allowed(caller: &Caller) -> Problem {
    forbidden(caller, NO_LONGER_ALLOWED)
}

/// The body of the response to HEAD for a stream of unknown length. An empty body would set `Content-Length: 0`.
pub fn head_body() -> Body {
    Body::from_stream(futures_util::stream::empty::<Result<Bytes, Interrupted>>())
}
