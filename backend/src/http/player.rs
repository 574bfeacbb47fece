//! `POST /api/video/progress`: what a video player reports, as JSON or as a browser's beacon sends it.
//!
//! The body is a report of progress, as `recordVideoProgress` takes it, or several events, as `recordPlayerEvents` takes
//! them. A beacon can set no headers, so the token may stand in the body; and since no cookie counts here, other sites
//! may be let in (`PLAYER_ORIGINS`).

mod answer;
mod body;
mod fields;

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

use self::answer::{Progress, Results};
use self::body::{Received, Report, Unreadable};
use super::caller::{asked_locale, bearer, request_id};
use super::outermost::or_problem;
use super::problem::Problem;
use crate::app::App;
use crate::auth::identity::{Proof, identify};
use crate::error::{Error, Result};
use crate::telemetry::player_event::Recording;

/// The route's path.
const PATH: &str = "/api/video/progress";

/// How long a browser may remember that it is let in.
const PREFLIGHT_AGE: std::time::Duration = std::time::Duration::from_hours(2);

/// The route.
pub fn routes(app: &App) -> Router<App> {
    let origins = &app.config.http.player_origins;
    let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE])
        .expose_headers([RETRY_AFTER])
        .max_age(PREFLIGHT_AGE);
    // OPTIONS is named, or it would fall to the answer for methods that are not taken; the layer answers it.
    let answered_by_layer = async || StatusCode::NO_CONTENT;
    Router::new().route(PATH, post(receive).options(answered_by_layer)).layer(cors)
}

/// Whatever happens, the answer is one that the page of a player may read.
async fn receive(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    let locale = asked_locale(&headers).unwrap_or(app.config.hub.locale);
    or_problem(answer(&app, locale, &headers, body), locale, &request_id(&headers)).await
}

async fn answer(app: &App, locale: Locale, headers: &HeaderMap, body: Body) -> Response {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let received = match body::read(content_type, body).await {
        Ok(received) => received,
        Err(unreadable) => return refused(&unreadable, locale).into_response(),
    };
    match record(app, locale, bearer(headers), received).await {
        Ok(answer) => answer,
        Err(error) => Problem::from_error(&error, locale, &request_id(headers)).into_response(),
    }
}

fn refused(unreadable: &Unreadable, locale: Locale) -> Problem {
    let status = match unreadable {
        Unreadable::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Unreadable::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Unreadable::BrokenOff => StatusCode::REQUEST_TIMEOUT,
        Unreadable::NotAnObject(_) => StatusCode::BAD_REQUEST,
    };
    Problem::new(status, ErrorCode::BadUserInput, unreadable.message().in_locale(locale))
}

/// Whose events a token lets its holder record. All that a player token says is checked without the database; whether
/// its user is active shows when the events are recorded.
async fn recording(app: &App, token: &str) -> Result<Recording> {
    let now = app.clock.now();
    match Proof::of(&app.auth, token, now).await.ok_or(Error::Unauthenticated)? {
        Proof::Player(token) => Ok(Recording::by_player(token)),
        proof => {
            let identity = identify(&app.auth, &mut *app.pool.get().await?, proof, now).await?;
            Ok(Recording::by(&identity.ok_or(Error::Unauthenticated)?.viewer)?)
        }
    }
}

async fn record(app: &App, locale: Locale, token: Option<&str>, received: Received) -> Result<Response> {
    let token = received.token().or(token).ok_or(Error::Unauthenticated)?;
    let by = recording(app, token).await?;
    let answer = match received.report()? {
        Report::Progress(report) => {
            Json(Progress::from(app.ingest.record_progress(report, by, "").await?)).into_response()
        }
        Report::Events(events) => {
            let (ids, events): (Vec<_>, Vec<_>) = events.into_iter().unzip();
            let answers = app.ingest.record(events, by).await?;
            Json(Results::new(ids.into_iter().zip(answers), locale)).into_response()
        }
    };
    Ok(([(CACHE_CONTROL, "no-store")], answer).into_response())
}
