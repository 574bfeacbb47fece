//! `POST /api/platform/events`: events of a learning platform that pushes signed webhooks.
//!
//! The body has the events of `publishPlatformEvents` as JSON. A body whose signature is not valid costs no visit to the
//! database.

mod body;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use domain::Locale;
use domain::failure::ErrorCode;
use domain::text::Text;
use serde::Serialize;

use super::body::BodyError;
use super::caller::{request_id, requested_locale};
use super::problem::{self, Problem};
use crate::app::App;
use crate::auth::webhook_signature::{InvalidSignature, WebhookSignature};
use crate::practices::events::{self, EventReport, Outcome};
use crate::refusal::InputError;

/// The route's path.
const PATH: &str = "/api/platform/events";

/// The header with the time of the signature, in Unix seconds.
const TIMESTAMP: &str = "dataporter-timestamp";
/// The header with the signature.
const SIGNATURE: &str = "dataporter-signature";

/// The maximum size of a body.
const MAX_BODY_BYTES: usize = 4 << 20;

/// The route.
pub fn routes() -> Router<App> {
    Router::new().route(PATH, post(receive))
}

async fn receive(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    let locale = requested_locale(&headers).unwrap_or(app.config.hub.locale);
    let body = match verify(&app, &headers, body).await {
        Ok(body) => body,
        Err(Rejection::NotConfigured) => return problem::not_found().into_response(),
        Err(rejection) => return rejection.problem(locale).into_response(),
    };
    let published = async {
        let (ids, incoming): (Vec<_>, Vec<_>) = body::events(&body)?.into_iter().unzip();
        let outcomes = events::publish(&app, incoming).await?;
        let results =
            ids.into_iter().zip(outcomes).map(|(id, outcome)| EventResult::new(id, outcome, locale));
        Ok(Results { results: results.collect() })
    };
    let response = match published.await {
        Ok(results) => Json(results).into_response(),
        Err(error) => Problem::from_error(&error, locale, &request_id(&headers)).into_response(),
    };
    ([(CACHE_CONTROL, "no-store")], response).into_response()
}

/// Why a request is rejected before its body is parsed.
#[derive(Clone, Copy, Debug)]
enum Rejection {
    /// No secret is configured.
    NotConfigured,
    Signature(InvalidSignature),
    Body(BodyError),
}

/// Reads the body, if its signature is valid.
async fn verify(app: &App, headers: &HeaderMap, body: Body) -> Result<Bytes, Rejection> {
    let secrets = &app.config.auth.webhook_secrets;
    if secrets.is_empty() {
        return Err(Rejection::NotConfigured);
    }
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // Before the body is read, so that old requests cost little.
    let signature = WebhookSignature::parse(header(TIMESTAMP), header(SIGNATURE), app.clock.now())
        .map_err(Rejection::Signature)?;
    let body = super::body::read(body, MAX_BODY_BYTES).await.map_err(Rejection::Body)?;
    signature.verify(secrets, &body).map_err(Rejection::Signature)?;
    Ok(body)
}

impl Rejection {
    fn problem(self, locale: Locale) -> Problem {
        let (status, code) = match self {
            Self::NotConfigured => (StatusCode::NOT_FOUND, ErrorCode::NotFound),
            Self::Signature(_) => (StatusCode::UNAUTHORIZED, ErrorCode::Unauthenticated),
            Self::Body(BodyError::TooLarge) => (StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::BadUserInput),
            Self::Body(BodyError::Incomplete) => (StatusCode::REQUEST_TIMEOUT, ErrorCode::BadUserInput),
        };
        Problem::new(status, code, self.message().in_locale(locale))
    }

    const fn message(self) -> Text {
        match self {
            Self::NotConfigured => {
                Text::new("No hay nada en esta dirección.", "There is nothing at this address.")
            }
            Self::Signature(InvalidSignature::Malformed) => Text::new(
                "Falta la firma o no es válida. Se acepta Dataporter-Timestamp con la hora Unix en segundos, y \
                 Dataporter-Signature con v1= y 64 dígitos hexadecimales.",
                "The signature is missing or malformed. Accepted: Dataporter-Timestamp with the Unix time in seconds, and \
                 Dataporter-Signature with v1= and 64 hexadecimal digits.",
            ),
            Self::Signature(InvalidSignature::Expired) => Text::new(
                "Dataporter-Timestamp difiere más de 5 minutos de la hora del servidor. Firma la petición al enviarla.",
                "Dataporter-Timestamp differs by more than 5 minutes from the server's time. Sign the request when you send it.",
            ),
            Self::Signature(InvalidSignature::Wrong) => Text::new(
                "La firma no corresponde a la hora y al cuerpo de la petición.",
                "The signature does not match the time and the body of the request.",
            ),
            Self::Body(BodyError::TooLarge) => Text::new(
                "La petición es demasiado grande. Se aceptan hasta 4 MiB.",
                "The request is too large. Accepted: up to 4 MiB.",
            ),
            Self::Body(BodyError::Incomplete) => {
                Text::new("La petición llegó incompleta.", "The request body is incomplete.")
            }
        }
    }
}

/// The result for each event, in the order of the request.
#[derive(Serialize)]
struct Results {
    results: Vec<EventResult>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventResult {
    event_id: Option<String>,
    applied: bool,
    duplicate: bool,
    snapshot_ids: Vec<String>,
    error: Option<InputError>,
}

impl EventResult {
    fn new(event_id: Option<String>, outcome: Outcome, locale: Locale) -> Self {
        let EventReport { applied, duplicate, snapshot_ids, error } = EventReport::new(outcome, locale);
        let snapshot_ids = snapshot_ids.iter().map(ToString::to_string).collect();
        Self { event_id, applied, duplicate, snapshot_ids, error }
    }
}
