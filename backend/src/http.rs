//! The web server: its routes, with one file per topic, and the layer that wraps all of them.

mod attachment;
mod body;
mod byte_range;
pub mod caller;
mod embedded_files;
mod export;
mod field_value;
mod graphql;
mod health;
mod hub;
mod import_files;
mod link_request;
mod metrics;
mod person;
mod platform;
mod player;
mod player_demo;
mod player_files;
pub mod problem;
mod request_layer;

use axum::{Router, middleware};
use domain::failure::ErrorCode;

use crate::app::App;
use problem::Problem;

/// All routes.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/graphql", graphql::route())
        .route("/graphql/ws", graphql::websocket())
        .route("/graphql/stream", graphql::stream())
        .merge(export::routes())
        .merge(import_files::routes())
        .merge(person::routes())
        .merge(platform::routes())
        .merge(player::routes(&app))
        .merge(player_demo::routes())
        .merge(player_files::routes())
        .merge(hub::routes())
        .merge(health::routes())
        .merge(metrics::routes())
        .fallback(async || Problem::of(ErrorCode::NotFound, "There is no page or endpoint at this address."))
        .method_not_allowed_fallback(async || problem::method_not_allowed())
        .layer(middleware::from_fn_with_state(app.metrics.clone(), request_layer::handle))
        .with_state(app)
}
