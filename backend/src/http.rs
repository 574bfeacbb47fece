//! The web server: its routes, one file a topic, and what holds for all of them.

mod byte_range;
pub mod caller;
mod export;
mod graphql;
mod health;
mod hub;
mod packed;
mod player;
mod player_demo;
mod player_files;
pub mod problem;
mod received;

use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use domain::Locale;
use domain::failure::ErrorCode;
use futures_util::FutureExt as _;
use tower::ServiceBuilder;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::app::App;
use crate::error::Error;
use problem::Problem;

/// Every route.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/graphql", graphql::route())
        .merge(export::routes())
        .merge(player::routes(&app))
        .merge(player_demo::routes())
        .merge(player_files::routes())
        .merge(hub::routes())
        .merge(health::routes())
        .fallback(async || Problem::of(ErrorCode::NotFound, "There is nothing at this address."))
        .method_not_allowed_fallback(async || problem::method_not_allowed())
        .layer(
            ServiceBuilder::new()
                .layer(middleware::from_fn(without_foreign_request_id))
                .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
                .layer(middleware::from_fn(log))
                .layer(PropagateRequestIdLayer::x_request_id())
                .layer(always(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
                .layer(always(header::X_FRAME_OPTIONS, "DENY"))
                .layer(always(header::REFERRER_POLICY, "no-referrer"))
                .layer(middleware::from_fn(survive)),
        )
        .with_state(app)
}

fn always(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

/// Ids come from here, so that nobody can make two requests look like one in the log.
async fn without_foreign_request_id(mut request: Request, next: Next) -> Response {
    request.headers_mut().remove("x-request-id");
    next.run(request).await
}

/// A handler that panics is answered for as any other fault of ours.
async fn survive(request: Request, next: Next) -> Response {
    let request_id = caller::request_id(request.headers());
    let locale = caller::asked_locale(request.headers()).unwrap_or(Locale::En);
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(cause) => Problem::from_error(&Error::of_panic(&*cause), locale, &request_id).into_response(),
    }
}

/// One line a request; never the query string, where links carry their signature.
async fn log(request: Request, next: Next) -> Response {
    let began = std::time::Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let request_id = caller::request_id(request.headers());
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let ms = began.elapsed().as_millis();
    tracing::info!(request_id, %method, path, status, ms, "Answered a request");
    response.into_response()
}
