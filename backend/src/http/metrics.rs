//! `/metrics`, for Prometheus: figures for those who keep the hub running, and nothing of anybody's data.
//!
//! With `METRICS_TOKEN` set it is for whoever brings that; without it, for this machine, and not through a proxy on it.

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

use super::caller::bearer;
use super::problem::Problem;
use crate::app::App;
use crate::db::{self, outage};
use crate::metrics::CONTENT_TYPE as FORMAT;
use crate::metrics::gauges::{Connections, DriverGauges, Gauges, Stored};
use crate::telemetry::status::{DriverStatus, Status};

/// One answer at a time is made in a process: it asks the database, and scrapers come back anyway.
static TURN: Semaphore = Semaphore::const_new(1);
/// So long a scraper waits for its turn.
const QUEUE: Duration = Duration::from_secs(5);
/// A database that takes longer than this counts as away, and the rest is told without it.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long to wait for a connection while all are in use: shorter, since that says nothing of the database.
const POOL_PATIENCE: Duration = Duration::from_secs(1);

/// What proxies say of whom they speak for.
const PROXIED: [HeaderName; 5] = [
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
    if let Some(refusal) = refusal(&app, peer, &headers) {
        return refusal;
    }
    let Ok(Ok(_turn)) = timeout(QUEUE, TURN.acquire()).await else {
        let problem = Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::RateLimited,
            "Others read the metrics and are not done yet.",
        );
        return problem.into_response();
    };
    let pool = app.pool.status();
    let gauges = Gauges {
        stored: stored(&app).await,
        pool: Connections {
            most: pool.max_size,
            open: pool.size,
            in_use: pool.size.saturating_sub(pool.available),
            waiting: pool.waiting,
        },
        ingest_waiting: app.ingest.waiting(),
        export_spool_bytes: app.export_disk.used(),
    };
    ([(CONTENT_TYPE, FORMAT), (CACHE_CONTROL, "no-store")], app.metrics.exposition(&gauges)).into_response()
}

/// What somebody is told who may not read them.
fn refusal(app: &App, peer: Option<SocketAddr>, headers: &HeaderMap) -> Option<Response> {
    match &app.config.http.metrics_token {
        Some(token) => {
            // Digests, so that the time it takes to compare them tells nothing of the token.
            let digest = |text: &str| Sha256::digest(text.as_bytes());
            let is_it = bearer(headers).is_some_and(|sent| digest(sent) == digest(token.expose_secret()));
            if is_it {
                return None;
            }
            let problem =
                Problem::of(ErrorCode::Unauthenticated, "METRICS_TOKEN is needed as a bearer token.");
            Some(([(WWW_AUTHENTICATE, "Bearer")], problem).into_response())
        }
        None => {
            let is_here = peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback());
            if is_here && !PROXIED.iter().any(|name| headers.contains_key(name)) {
                return None;
            }
            let why = "Without METRICS_TOKEN the metrics are read on the hub's own machine only.";
            Some(Problem::of(ErrorCode::Forbidden, why).into_response())
        }
    }
}

async fn stored(app: &App) -> Option<Stored> {
    match db::within(PATIENCE, read(app)).await {
        Ok(stored) => Some(stored),
        Err(error) => {
            if let Some(cause) = outage::unexplained(error) {
                warn!(
                    cause,
                    "The database does not answer or its connections are in use; the metrics omit what it would say"
                );
            }
            None
        }
    }
}

async fn read(app: &App) -> anyhow::Result<Stored> {
    let now = app.clock.now();
    let status =
        Status::read(&mut *app.pool.get_within(POOL_PATIENCE).await?, &app.config.telemetry, now).await?;
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
    Ok(Stored {
        pending_events: backlog.events_pending,
        oldest_pending_seconds: backlog.age(now).unwrap_or(TimeDelta::zero()).as_seconds_f64(),
        is_alarmed: alarm.is_some(),
        is_running: running.is_some(),
        last_run_ended: last_run.and_then(|run| run.finished_at),
        drivers: drivers.into_iter().map(driver).collect(),
    })
}
