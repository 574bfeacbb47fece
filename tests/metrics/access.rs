//! Who may read the metrics.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use backend::http;
use secrecy::SecretString;
use tower::ServiceExt as _;

use super::{get, scrape};
use crate::harness::hub::Hub;

const TOKEN: &str = "a token for the scraper";

/// The response status for a request from this address with this header.
async fn status(hub: &Hub, from: &str, header: (&str, &str)) -> u16 {
    let mut request = Request::get("/metrics").header(header.0, header.1).body(Body::empty()).unwrap();
    let peer: SocketAddr = from.parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    http::router(hub.app.clone()).oneshot(request).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn without_a_token_metrics_are_only_readable_from_the_same_machine() {
    let hub = Hub::start().await;
    let plain = ("accept", "*/*");
    assert_eq!(status(&hub, "127.0.0.1:4000", plain).await, 200);
    assert_eq!(status(&hub, "[::1]:4000", plain).await, 200);
    assert_eq!(status(&hub, "[::ffff:127.0.0.1]:4000", plain).await, 200);
    assert_eq!(status(&hub, "203.0.113.7:4000", plain).await, 403);
    assert_eq!(status(&hub, "203.0.113.7:4000", ("authorization", "Bearer x")).await, 403);
    for header in ["x-forwarded-for", "forwarded", "via", "x-real-ip"] {
        assert_eq!(status(&hub, "127.0.0.1:4000", (header, "127.0.0.1")).await, 403, "{header}");
    }
}

#[tokio::test]
async fn with_a_token_metrics_are_readable_by_its_bearers() {
    let hub = Hub::with(|config| config.http.metrics_token = Some(SecretString::from(TOKEN))).await;
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(status(&hub, "203.0.113.7:4000", ("authorization", &bearer)).await, 200);
    assert_eq!(status(&hub, "203.0.113.7:4000", ("authorization", "Bearer another")).await, 401);
    let refused = get(&hub).await;
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["www-authenticate"]),
        (401, &"Bearer".parse().unwrap())
    );
}

#[tokio::test]
async fn an_unavailable_database_leaves_the_other_metrics() {
    let hub = Hub::start().await;
    assert_eq!(scrape(&hub).await.get("dataporter_database_up"), Some(1.0));
    hub.database.pool.close();
    let metrics = scrape(&hub).await;
    assert_eq!(metrics.get("dataporter_database_up"), Some(0.0));
    assert_eq!(metrics.get("dataporter_sync_pending_events"), None, "unknown values are left out");
    let first_scrape =
        r#"dataporter_http_request_duration_seconds_count{status="200",method="GET",route="/metrics"}"#;
    assert_eq!(metrics.get(first_scrape), Some(1.0));
}
