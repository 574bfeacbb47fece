//! What stands around every request: its id, its line in the log, the headers of every answer, and an answer even where
//! a handler panics.
//!
//! One function rather than a layer for each: a layer boxes the request's future and clones all that is inside of it,
//! and the requests of players come by the thousand.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use domain::Locale;
use futures_util::FutureExt as _;
use uuid::Uuid;

use super::caller;
use super::problem::Problem;
use crate::error::Error;
use crate::metrics::Metrics;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What every answer says unless its route says otherwise.
const HEADERS: [(HeaderName, HeaderValue); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// Answers a request.
///
/// Ids come from here, whatever the sender wrote, so that nobody can make two requests look like one in the log. There
/// is one line a request; never the query string, where links carry their signature.
pub async fn around(State(metrics): State<Metrics>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let request_id = fresh_id();
    request.headers_mut().insert(REQUEST_ID, request_id.clone());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let locale = caller::asked_locale(request.headers()).unwrap_or(Locale::En);
    let id = request_id.to_str().unwrap_or_default();
    let mut response = or_problem(next.run(request), locale, id).await;
    let (status, took) = (response.status(), began.elapsed());
    metrics.requests().answered(&method, route.as_ref().map(MatchedPath::as_str), status, took);
    let (status, ms) = (status.as_u16(), took.as_millis());
    tracing::info!(request_id = id, %method, path = uri.path(), status, ms, "Answered a request");
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(value);
    }
    headers.insert(REQUEST_ID, request_id);
    response
}

/// What a handler answers, or that something failed where it panics. A route whose answers get headers from a layer of
/// its own calls this inside of that layer, since a panic that comes out here has passed the layer by.
pub async fn or_problem(
    handler: impl Future<Output = Response>,
    locale: Locale,
    request_id: &str,
) -> Response {
    AssertUnwindSafe(handler).catch_unwind().await.unwrap_or_else(|cause| {
        Problem::from_error(&Error::of_panic(&*cause), locale, request_id).into_response()
    })
}

fn fresh_id() -> HeaderValue {
    let id = uuid::Builder::from_random_bytes(rand::random()).into_uuid();
    HeaderValue::from_str(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
        .expect("digits and hyphens may stand in a header")
}
