//! `POST /api/video/progress`: reports from video players, as JSON or from `navigator.sendBeacon`.
//!
//! The body is a progress report with the fields of `recordVideoProgress`, or several events with the fields
//! of `recordPlayerEvents`. A beacon cannot set headers, so the token may be in the body. Cookies are
//! ignored, so other sites can safely be allowed to send reports (`PLAYER_ORIGINS`).

mod body;
mod fields;
mod response;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use domain::Locale;
use domain::failure::ErrorCode;
use tower_http::cors::{AllowOrigin, CorsLayer};

use self::body::{InvalidBody, Report, RequestBody};
use self::response::{Progress, Results};
use super::caller::{bearer_token, request_id, requested_locale};
use super::problem::Problem;
use super::request_layer::catch_panic;
use crate::app::App;
use crate::auth::identity::{Proof, identify};
use crate::error::{Error, Result};
use crate::telemetry::player_event::Recording;

/// The route's path.
const PATH: &str = "/api/video/progress";

/// How long a browser may cache the response to a preflight request.
const PREFLIGHT_MAX_AGE: std::time::Duration = std::time::Duration::from_hours(2);

/// The route.
pub fn routes(app: &App) -> Router<App> {
    let origins = &app.config.http.player_origins;
    let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE])
        .expose_headers([RETRY_AFTER])
        .max_age(PREFLIGHT_MAX_AGE);
    // The layer responds to preflights. Without this route, OPTIONS would be a method that is not allowed.
    let handled_by_layer = async || StatusCode::NO_CONTENT;
    Router::new().route(PATH, post(receive).options(handled_by_layer)).layer(cors)
}

/// Catches panics inside the CORS layer, so that the player's page can read the error response too.
async fn receive(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    let locale = requested_locale(&headers).unwrap_or(app.config.hub.locale);
    catch_panic(respond(&app, locale, &headers, body), locale, &request_id(&headers)).await
}

async fn respond(app: &App, locale: Locale, headers: &HeaderMap, body: Body) -> Response {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let body = match body::read(content_type, body).await {
        Ok(body) => body,
        Err(error) => return problem(&error, locale).into_response(),
    };
    match record(app, locale, bearer_token(headers), body).await {
        Ok(response) => response,
        Err(error) => Problem::from_error(&error, locale, &request_id(headers)).into_response(),
    }
}

fn problem(error: &InvalidBody, locale: Locale) -> Problem {
    let status = match error {
        InvalidBody::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        InvalidBody::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        InvalidBody::Incomplete => StatusCode::REQUEST_TIMEOUT,
        InvalidBody::Unparsable(_) => StatusCode::BAD_REQUEST,
    };
    Problem::new(status, ErrorCode::BadUserInput, error.message().in_locale(locale))
}

/// Which users' events the holder of a token may record. A player token is checked without the database;
/// recording the events checks whether its user is active.
async fn recording(app: &App, token: &str) -> Result<Recording> {
    let now = app.clock.now();
    match Proof::from_token(&app.auth, token, now).await.ok_or(Error::Unauthenticated)? {
        Proof::Player(token) => Ok(Recording::by_player(token)),
        proof => {
            let identity = identify(&app.auth, &mut *app.pool.get().await?, proof, now).await?;
            Ok(Recording::by(&identity.ok_or(Error::Unauthenticated)?.viewer)?)
        }
    }
}

async fn record(app: &App, locale: Locale, token: Option<&str>, body: RequestBody) -> Result<Response> {
    let token = body.token().or(token).ok_or(Error::Unauthenticated)?;
    let by = recording(app, token).await?;
    let response = match body.report()? {
        Report::Progress(report) => {
            Json(Progress::from(app.ingest.record_progress(report, by, "").await?)).into_response()
        }
        Report::Events(events) => {
            let (ids, events): (Vec<_>, Vec<_>) = events.into_iter().unzip();
            let results = app.ingest.record(events, by).await?;
            Json(Results::new(ids.into_iter().zip(results), locale)).into_response()
        }
    };
    Ok(([(CACHE_CONTROL, "no-store")], response).into_response())
}
