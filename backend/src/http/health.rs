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
use crate::db::{self, outage};
use crate::error::Error;

/// A database that takes longer than this is as good as none.
const PATIENCE: Duration = Duration::from_secs(5);

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
            if let Some(cause) = outage::unexplained(error) {
                warn!(cause, "The database does not answer");
            }
            let problem = Problem::from_error(&Error::Unavailable, Locale::En, "");
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

async fn standing(app: &App) -> anyhow::Result<Standing> {
    if !db::is_current(&mut *app.pool.get().await?).await? {
        return Ok(Standing::OldTables);
    }
    if app.ingest.is_ready().await? { Ok(Standing::Ready) } else { Ok(Standing::RecordsNothing) }
}

fn not_ready(why: &str) -> Response {
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Internal, why);
    ([(CACHE_CONTROL, "no-store")], problem).into_response()
}
