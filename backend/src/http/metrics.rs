//! `/metrics`, for Prometheus: operational figures without personal data.
//!
//! If `METRICS_TOKEN` is set, it is required as a bearer token. Otherwise only local requests are allowed
//! that do not come through a proxy.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Extension;
use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, FORWARDED, VIA, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use chrono::TimeDelta;
use domain::failure::ErrorCode;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::warn;

use super::caller::bearer_token;
use super::problem::Problem;
use crate::app::App;
use crate::db::{self, outage};
use crate::metrics::CONTENT_TYPE as FORMAT;
use crate::metrics::gauges::{DatabaseGauges, DriverGauges, Gauges, PoolGauges};
use crate::telemetry::status::{DriverStatus, Status};

/// Limits a process to one scrape at a time, since each queries the database.
static SCRAPE_PERMIT: Semaphore = Semaphore::const_new(1);
/// How long a scrape may wait for another one to finish.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the database may take. After that the metrics omit its gauges.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(3);
/// How long to wait for a free connection. It is shorter, since a busy pool says nothing about the database.
const POOL_TIMEOUT: Duration = Duration::from_secs(1);

/// Headers that proxies add to requests.
const PROXY_HEADERS: [HeaderName; 5] = [
    FORWARDED,
    VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-real-ip"),
];

/// The route.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/metrics", get(metrics))
}

async fn metrics(
    State(app): State<App>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
) -> Response {
    let peer = peer.map(|Extension(ConnectInfo(peer))| peer);
    if let Some(denial) = deny(&app, peer, &headers) {
        return denial;
    }
    let Ok(Ok(_permit)) = timeout(QUEUE_TIMEOUT, SCRAPE_PERMIT.acquire()).await else {
        let problem = Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::RateLimited,
            "Another client is still reading the metrics. Try again later.",
        );
        return problem.into_response();
    };
    let pool = app.pool.status();
    let gauges = Gauges {
        database: database_gauges(&app).await,
        pool: PoolGauges {
            max: pool.max_size,
            open: pool.size,
            in_use: pool.size.saturating_sub(pool.available),
            waiting: pool.waiting,
        },
        ingest_waiting: app.ingest.waiting(),
        export_spool_bytes: app.export_disk.used(),
    };
    ([(CONTENT_TYPE, FORMAT), (CACHE_CONTROL, "no-store")], app.metrics.exposition(&gauges)).into_response()
}

/// The error response for a client that may not read the metrics.
fn deny(app: &App, peer: Option<SocketAddr>, headers: &HeaderMap) -> Option<Response> {
    match &app.config.http.metrics_token {
        Some(token) => {
            // Compares digests, so that the time it takes reveals nothing about the token.
            let digest = |text: &str| Sha256::digest(text.as_bytes());
            let is_valid =
                bearer_token(headers).is_some_and(|sent| digest(sent) == digest(token.expose_secret()));
            if is_valid {
                return None;
            }
            let problem =
                Problem::of(ErrorCode::Unauthenticated, "METRICS_TOKEN is required as a bearer token.");
            Some(([(WWW_AUTHENTICATE, "Bearer")], problem).into_response())
        }
        None => {
            let is_local = peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback());
            if is_local && !PROXY_HEADERS.iter().any(|name| headers.contains_key(name)) {
                return None;
            }
            let reason = "Without METRICS_TOKEN, the metrics can only be read on the hub's own machine.";
            Some(Problem::of(ErrorCode::Forbidden, reason).into_response())
        }
    }
}

async fn database_gauges(app: &App) -> Option<DatabaseGauges> {
    match db::within(DATABASE_TIMEOUT, read_gauges(app)).await {
        Ok(gauges) => Some(gauges),
        Err(error) => {
            if let Some(cause) = outage::loggable_cause(error) {
                warn!(
                    cause,
                    "The database is not responding or all connections are in use; its metrics are omitted"
                );
            }
            None
        }
    }
}

async fn read_gauges(app: &App) -> anyhow::Result<DatabaseGauges> {
    let now = app.clock.now();
    let status =
        Status::read(&mut *app.pool.get_within(POOL_TIMEOUT).await?, &app.config.telemetry, now).await?;
    let Status { backlog, alarm, drivers, last_run, running } = status;
    let driver = |status: DriverStatus| {
        let DriverStatus {
            name,
            is_enabled,
            is_enabled_here: _,
            missing_setting: _,
            outage,
            pending,
            dead,
            last_delivered_at: _,
        } = status;
        DriverGauges { driver: name, is_enabled, pending, dead, outage }
    };
    Ok(DatabaseGauges {
        pending_events: backlog.events_pending,
        oldest_pending_seconds: backlog.age(now).unwrap_or(TimeDelta::zero()).as_seconds_f64(),
        is_alarmed: alarm.is_some(),
        is_running: running.is_some(),
        last_run_ended: last_run.and_then(|run| run.finished_at),
        drivers: drivers.into_iter().map(driver).collect(),
    })
}
