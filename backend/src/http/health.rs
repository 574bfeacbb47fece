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

/// A database that takes longer than this is as good as none.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait for a connection while all are in use: shorter, since that says nothing of the database.
const POOL_PATIENCE: Duration = Duration::from_secs(2);

/// The routes.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/healthz", get(healthy)).route("/readyz", get(ready))
}

/// The process is alive; asks nobody else.
async fn healthy() -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(json!({ "status": "ok" }))).into_response()
}

/// The database answers, has every table, and takes player events.
async fn ready(State(app): State<App>) -> Response {
    match db::within(PATIENCE, standing(&app)).await {
        Ok(Standing::Ready) => healthy().await,
        Ok(Standing::OldTables) => not_ready("Migrations are missing in the database."),
        Ok(Standing::RecordsNothing) => not_ready("The database records no player events."),
        Err(error) => {
            let error = match error {
                Error::Internal(cause) => {
                    warn!(cause = format!("{cause:#}"), "The database does not answer");
                    Error::Unavailable
                }
                error => error,
            };
            let problem = Problem::from_error(&error, Locale::En, "");
            ([(CACHE_CONTROL, "no-store")], problem).into_response()
        }
    }
}

/// How the hub stands with a database that answers.
enum Standing {
    Ready,
    OldTables,
    RecordsNothing,
}

async fn standing(app: &App) -> Result<Standing> {
    let mut conn = app.pool.get_within(POOL_PATIENCE).await?;
    if !db::is_current(&mut conn).await? {
        return Ok(Standing::OldTables);
    }
    drop(conn);
    if app.ingest.is_ready().await? { Ok(Standing::Ready) } else { Ok(Standing::RecordsNothing) }
}

fn not_ready(why: &str) -> Response {
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Internal, why);
    ([(CACHE_CONTROL, "no-store")], problem).into_response()
}
