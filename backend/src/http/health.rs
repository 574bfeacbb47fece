//! `/healthz` and `/readyz`, for supervisors and load balancers.

use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use domain::Locale;
use domain::failure::ErrorCode;
use serde_json::json;
use tokio::time::timeout;
use tracing::warn;

use super::problem::Problem;
use crate::app::App;
use crate::db::{self, outage};
use crate::error::Error;

/// A database that takes longer than this to say a word is as good as none.
const PATIENCE: Duration = Duration::from_secs(3);

/// The routes.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/healthz", get(healthy)).route("/readyz", get(ready))
}

/// The process is alive; asks nobody else.
async fn healthy() -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(json!({ "status": "ok" }))).into_response()
}

/// The database answers and has every table.
async fn ready(State(app): State<App>) -> Response {
    let current = timeout(PATIENCE, is_current(&app)).await.unwrap_or_else(|late| Err(late.into()));
    match current {
        Ok(true) => healthy().await,
        Ok(false) => not_ready("Migrations are missing in the database."),
        Err(error) => {
            if !outage::explains(&error) {
                warn!(cause = format!("{error:#}"), "The database does not answer");
            }
            let problem = Problem::from_error(&Error::Unavailable, Locale::En, "");
            ([(CACHE_CONTROL, "no-store")], problem).into_response()
        }
    }
}

async fn is_current(app: &App) -> anyhow::Result<bool> {
    db::is_current(&mut *app.pool.get().await?).await
}

fn not_ready(why: &str) -> Response {
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Internal, why);
    ([(CACHE_CONTROL, "no-store")], problem).into_response()
}
