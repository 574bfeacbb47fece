//! What learning platforms embed: the script that reports what a player plays, and the clip that the demo plays.

use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::packed::File;
use crate::app::App;

include!(concat!(env!("OUT_DIR"), "/player_files.rs"));

/// Pages of other sites may load the script, as a module too.
const FOR_ANY_SITE: [(HeaderName, HeaderValue); 2] = [
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin")),
    (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
];

/// Pages name the files without a version, so a new one is taken up within minutes.
const CACHE: &str = "public, max-age=300";

/// The routes.
pub fn routes() -> Router<App> {
    Router::new().route("/player/dataporter-player.js", get(script)).route("/player/demo.webm", get(clip))
}

async fn script(headers: HeaderMap) -> Response {
    (FOR_ANY_SITE, SCRIPT.answer(&headers, CACHE)).into_response()
}

async fn clip(headers: HeaderMap) -> Response {
    CLIP.answer(&headers, CACHE)
}
