//! `POST /admin/data-porter/export-links` makes a signed link; `GET /admin/data-porter/export` streams the file.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, extract::DefaultBodyLimit};
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use domain::Grant;
use domain::failure::ErrorCode;
use domain::filter::FilterKey;
use domain::text::{Phrase, Text};
use serde::Serialize;
use serde_json::{Map, Value};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use super::caller::Caller;
use super::problem::Problem;
use crate::app::App;
use crate::auth::identity;
use crate::error::{Error, Invalid, Result};
use crate::export::link::{self, Link};
use crate::export::request::{Defaults, ExportRequest, Parameters};
use crate::export::spool::Broken;
use crate::export::{Export, link::LIFETIME};
use crate::source::{self, erased};

/// The most that a request for a link may hold, in bytes.
const MAX_REQUEST_BYTES: usize = 64 << 10;

/// The two routes.
pub fn routes() -> Router<App> {
    // Exports are compressed while they are written, so the quickest level is the best.
    let compression = CompressionLayer::new().quality(CompressionLevel::Fastest);
    Router::new()
        .route(
            "/admin/data-porter/export-links",
            post(make_link).layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES)),
        )
        .route(link::PATH, get(download).layer(compression))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MadeLink {
    url: String,
    expires_at: DateTime<Utc>,
    filename: String,
    estimated_rows: i64,
}

async fn make_link(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Ok(body) = body else {
        let detail = TOO_LARGE.in_locale(caller.locale);
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::BadUserInput, detail).into_response();
    };
    match try_make_link(&app, &caller, &headers, &body).await {
        Ok(made) => (StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(made)).into_response(),
        Err(error) => caller.problem(&error).into_response(),
    }
}

async fn try_make_link(app: &App, caller: &Caller, headers: &HeaderMap, body: &[u8]) -> Result<MadeLink> {
    let identity = caller.identity.as_ref().ok_or(Error::Unauthenticated)?;
    let own_zone = identity.user.timezone.as_deref().and_then(|name| name.parse().ok());
    let defaults = Defaults { locale: caller.locale, timezone: own_zone.unwrap_or(app.config.hub.timezone) };
    let request = ExportRequest::parse(&read_body(headers, body)?, defaults)?;
    let mut conn = app.pool.get().await?;
    let filter = request.filter.clone();
    let grant = source::grant::to_export(&mut conn, &identity.viewer, request.dataset, filter).await?;
    let estimated_rows =
        erased::of(request.dataset).estimate(&mut conn, &grant, app.config.hub.timezone).await?;
    let now = app.clock.now().duration_trunc(TimeDelta::seconds(1)).unwrap_or_else(|_| app.clock.now());
    let link =
        Link { user_id: identity.user.id, token_id: identity.token_id, request, expires_at: now + LIFETIME };
    Ok(MadeLink {
        url: link.sign(&app.auth.keys),
        expires_at: link.expires_at,
        filename: link.filename(),
        estimated_rows,
    })
}

/// Reads `{dataset, format, filters: {…}, …}` into parameters; filters and options may not pose as each other.
fn read_body(headers: &HeaderMap, body: &[u8]) -> Result<Parameters> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.trim_start().to_ascii_lowercase().starts_with("application/json") {
        return Err(Error::invalid(
            "Content-Type",
            Text::new("Se acepta application/json.", "Accepted: application/json."),
        ));
    }
    let body: Map<String, Value> = serde_json::from_slice(body).map_err(|error| {
        Error::invalid(
            "body",
            Phrase::new(format!("No es un objeto JSON: {error}"), format!("Not a JSON object: {error}")),
        )
    })?;
    let mut parameters = Vec::new();
    let mut invalid = Vec::new();
    for (key, value) in body {
        match value {
            Value::Object(filters) if key == "filters" => {
                for (key, value) in filters {
                    match plain(&value) {
                        Some(_) if FilterKey::parse(&key).is_none() => {
                            invalid.push(refused(&key, UNKNOWN_FILTER))
                        }
                        Some(value) => parameters.push((key, value)),
                        None => invalid.push(refused(&key, PLAIN_VALUE)),
                    }
                }
            }
            Value::Null if key == "filters" => {}
            _ if !OPTIONS.contains(&key.as_str()) => invalid.push(refused(&key, UNKNOWN_OPTION)),
            Value::Array(columns) if key == "columns" => {
                match columns.iter().map(Value::as_str).collect::<Option<Vec<_>>>() {
                    Some(columns) => parameters.push((key, columns.join(","))),
                    None => invalid.push(refused(&key, COLUMN_KEYS)),
                }
            }
            Value::Null => {}
            value => match plain(&value) {
                Some(value) => parameters.push((key, value)),
                None => invalid.push(refused(&key, PLAIN_VALUE)),
            },
        }
    }
    if invalid.is_empty() { Ok(parameters) } else { Err(Error::Invalid(invalid)) }
}

const OPTIONS: [&str; 9] =
    ["dataset", "format", "columns", "headers", "locale", "timezone", "delimiter", "decimal", "bom"];

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn refused(field: &str, text: Text) -> Invalid {
    Invalid { field: field.to_owned(), message: text.into() }
}

const UNKNOWN_FILTER: Text = Text::new("No es un filtro de ningún conjunto.", "Not a filter of any dataset.");
const PLAIN_VALUE: Text = Text::new("Se acepta un texto o un número.", "Accepted: text or a number.");
const TOO_LARGE: Text = Text::new(
    "La petición no llegó entera o es demasiado grande. Se aceptan hasta 64 KiB.",
    "The request did not come whole, or is too large. Accepted: up to 64 KiB.",
);
const COLUMN_KEYS: Text =
    Text::new("Se acepta una lista de claves de columnas.", "Accepted: a list of column keys.");
const UNKNOWN_OPTION: Text = Text::new(
    "Campo desconocido. Se acepta dataset, format, filters, columns, headers, locale, timezone, delimiter, decimal y bom.",
    "Unknown field. Accepted: dataset, format, filters, columns, headers, locale, timezone, delimiter, decimal and bom.",
);

async fn download(
    State(app): State<App>,
    method: Method,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Response {
    match try_download(&app, &method, &caller, query.as_deref().unwrap_or_default()).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn try_download(app: &App, method: &Method, caller: &Caller, query: &str) -> Result<Response, Problem> {
    let now = app.clock.now();
    let link = Link::verify(&app.auth.keys, query, now)
        .map_err(|bad| Problem::of(ErrorCode::Forbidden, bad.reason().in_locale(caller.locale)))?;
    let grant = grant(app, &link, now).await.map_err(|error| caller.problem(&error))?;
    let Some(grant) = grant else {
        return Err(Problem::of(ErrorCode::Forbidden, NO_LONGER_ALLOWED.in_locale(caller.locale)));
    };
    let headers = headers(&link);
    if method == Method::HEAD {
        // Not an empty body, whose length would be told as the file's.
        let unknown = futures_util::stream::empty::<Result<Bytes, Broken>>();
        return Ok((headers, Body::from_stream(unknown)).into_response());
    }
    let export =
        Export { user_id: Some(link.user_id), address: caller.address, request: link.request, grant };
    let started = export.start(app).await.map_err(|error| caller.problem(&error))?;
    Ok((headers, Body::from_stream(started.into_stream())).into_response())
}

/// Whether the link's user may still have the file.
async fn grant(app: &App, link: &Link, now: DateTime<Utc>) -> Result<Option<Grant>> {
    let mut conn = app.pool.get().await?;
    let identity = identity::behind_link(&app.auth, &mut conn, link.user_id, link.token_id, now).await?;
    let Some(identity) = identity else { return Ok(None) };
    let request = &link.request;
    source::grant::to_export(&mut conn, &identity.viewer, request.dataset, request.filter.clone())
        .await
        .map(Some)
}

const NO_LONGER_ALLOWED: Text = Text::new(
    "La persona o el token que creó este enlace ya no tiene acceso.",
    "The person or token that made this link no longer has access.",
);

fn headers(link: &Link) -> [(HeaderName, HeaderValue); 3] {
    let disposition = format!("attachment; filename=\"{}\"", link.filename());
    [
        (CONTENT_TYPE, HeaderValue::from_static(link.request.format.media_type())),
        (
            CONTENT_DISPOSITION,
            HeaderValue::try_from(disposition).unwrap_or(HeaderValue::from_static("attachment")),
        ),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]
}
