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
use tracing::warn;

use super::problem::Problem;
use crate::app::App;
use crate::db;
use crate::error::{Error, Result};

/// How long the whole check may take before the database counts as unavailable.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait for a free connection. It is shorter, since a busy pool says nothing about the database.
const POOL_TIMEOUT: Duration = Duration::from_secs(2);

/// The routes.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/healthz", get(healthy)).route("/readyz", get(ready))
}

/// Liveness: the process responds. Checks nothing else.
async fn healthy() -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(json!({ "status": "ok" }))).into_response()
}

/// Readiness: the database responds, has all migrations and can record player events.
async fn ready(State(app): State<App>) -> Response {
    match db::within(CHECK_TIMEOUT, check_readiness(&app)).await {
        Ok(Readiness::Ready) => healthy().await,
        Ok(Readiness::MigrationsPending) => not_ready("The database has pending migrations."),
        Ok(Readiness::CannotRecord) => not_ready("The database cannot record player events."),
        Err(error) => {
            let error = match error {
                Error::Internal(cause) => {
                    warn!(cause = format!("{cause:#}"), "The database is not responding");
                    Error::Unavailable
                }
                error => error,
            };
            let problem = Problem::from_error(&error, Locale::En, "");
            ([(CACHE_CONTROL, "no-store")], problem).into_response()
        }
    }
}

/// Whether the hub can work with a database that responds.
enum Readiness {
    Ready,
    MigrationsPending,
    CannotRecord,
}

async fn check_readiness(app: &App) -> Result<Readiness> {
    let mut conn = app.pool.get_within(POOL_TIMEOUT).await?;
    if !db::is_current(&mut conn).await? {
        return Ok(Readiness::MigrationsPending);
    }
    drop(conn);
    if app.ingest.is_ready().await? { Ok(Readiness::Ready) } else { Ok(Readiness::CannotRecord) }
}

fn not_ready(reason: &str) -> Response {
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Internal, reason);
    ([(CACHE_CONTROL, "no-store")], problem).into_response()
}
