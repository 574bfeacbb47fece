//! The layer that wraps every request: the request id, the access log, default response headers, and a
//! response when a handler panics.
//!
//! All of this is one function, since each layer boxes the request's future and clones the services inside
//! it. That is too expensive for the thousands of requests per second that players send.

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

/// Headers of every response, unless its route sets them.
const HEADERS: [(HeaderName, HeaderValue); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// Handles a request.
///
/// The request id is always generated here, since a client could otherwise make two requests look like one in
/// the log. Each request is logged on one line, without the query string, which may contain a link's
/// signature.
pub async fn handle(State(metrics): State<Metrics>, mut request: Request, next: Next) -> Response {
    let started_at = Instant::now();
    let request_id = new_request_id();
    request.headers_mut().insert(REQUEST_ID, request_id.clone());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let locale = caller::requested_locale(request.headers()).unwrap_or(Locale::En);
    let id = request_id.to_str().unwrap_or_default();
    let mut response = catch_panic(next.run(request), locale, id).await;
    let (status, duration) = (response.status(), started_at.elapsed());
    metrics.requests().observe(&method, route.as_ref().map(MatchedPath::as_str), status, duration);
    let (status, ms) = (status.as_u16(), duration.as_millis());
    tracing::info!(request_id = id, %method, path = uri.path(), status, ms, "Handled a request");
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(value);
    }
    headers.insert(REQUEST_ID, request_id);
    response
}

/// The handler's response, or an internal error if it panics. A route with a layer that adds response headers
/// calls this inside that layer, since a panic that is caught here bypasses the layer.
pub async fn catch_panic(
    handler: impl Future<Output = Response>,
    locale: Locale,
    request_id: &str,
) -> Response {
    AssertUnwindSafe(handler).catch_unwind().await.unwrap_or_else(|cause| {
        Problem::from_error(&Error::from_panic(&*cause), locale, request_id).into_response()
    })
}

fn new_request_id() -> HeaderValue {
    let id = uuid::Builder::from_random_bytes(rand::random()).into_uuid();
    HeaderValue::from_str(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
        .expect("a UUID is a valid header value")
}
