//! The files for video players: the script that learning platforms embed to report progress, and the demo's
//! video clip.

use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::embedded_files::File;
use crate::app::App;

include!(concat!(env!("OUT_DIR"), "/player_files.rs"));

/// Lets pages of other sites load the script, also as a module.
const CROSS_ORIGIN: [(HeaderName, HeaderValue); 2] = [
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin")),
    (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
];

/// URLs of these files have no version, so a short lifetime makes sure that updates reach browsers within
/// minutes.
const CACHE: &str = "public, max-age=300";

/// The routes.
pub fn routes() -> Router<App> {
    Router::new().route("/player/dataporter-player.js", get(script)).route("/player/demo.webm", get(clip))
}

async fn script(headers: HeaderMap) -> Response {
    (CROSS_ORIGIN, SCRIPT.respond(&headers, CACHE)).into_response()
}

async fn clip(headers: HeaderMap) -> Response {
    CLIP.respond(&headers, CACHE)
}
