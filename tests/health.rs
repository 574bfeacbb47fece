//! The health endpoints of supervisors and load balancers, and properties of every response.

use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection as _;
use reqwest::Response;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::harness::hub::Hub;

async fn get(hub: &Hub, path: &str) -> Response {
    hub.http.get(hub.url(path)).send().await.unwrap()
}

#[tokio::test]
async fn a_hub_with_its_database_is_alive_and_ready() {
    let hub = Hub::start().await;
    assert_eq!(get(&hub, "/healthz").await.status(), 200);
    assert_eq!(get(&hub, "/readyz").await.status(), 200);
}

#[tokio::test]
async fn a_hub_is_not_ready_while_a_migration_is_missing() {
    let hub = Hub::start().await;
    hub.sql("DELETE FROM __diesel_schema_migrations").await;
    let response = get(&hub, "/readyz").await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.json::<Value>().await.unwrap()["detail"], "The database has pending migrations.");
    assert_eq!(get(&hub, "/healthz").await.status(), 200, "the hub is still alive");
}

#[tokio::test]
async fn a_hub_is_not_ready_while_its_database_is_unreachable() {
    let hub = Hub::start().await;
    hub.database.pool.close();
    assert_eq!(get(&hub, "/readyz").await.status(), 503);
    assert_eq!(get(&hub, "/healthz").await.status(), 200, "the hub is still alive");
}

#[tokio::test]
async fn a_hub_is_not_ready_while_player_events_cannot_be_recorded() {
    let hub = Hub::start().await;
    hub.sql("ALTER TABLE player_event_keys RENAME TO missing").await;
    for source in ["detected", "cached"] {
        let response = get(&hub, "/readyz").await;
        assert_eq!(response.status(), 503, "{source}");
        let detail = response.json::<Value>().await.unwrap()["detail"].take();
        assert_eq!(detail, "The database cannot record player events.", "{source}");
    }
    hub.sql("ALTER TABLE missing RENAME TO player_event_keys").await;
    wait_until_ready(&hub).await;
    assert_eq!(hub.rows("SELECT count(*) AS count FROM video_player_events").await[0]["count"], 0);
}

#[tokio::test]
async fn a_hub_is_not_ready_while_only_old_connections_can_write() {
    let hub = Hub::start().await;
    let alter_default = |action: &str| {
        format!(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I {action} default_transaction_read_only', current_database()); \
             END $$"
        )
    };
    let mut old_conn = hub.app.pool.get().await.unwrap();
    hub.sql(&alter_default("SET").replace("read_only'", "read_only = on'")).await;
    old_conn.batch_execute("CREATE TABLE written ()").await.unwrap();
    drop(old_conn);
    let response = get(&hub, "/readyz").await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.json::<Value>().await.unwrap()["code"], "UNAVAILABLE");
    let writer = hub.database.client().await;
    writer.batch_execute("SET default_transaction_read_only = off").await.unwrap();
    writer.batch_execute(&alter_default("RESET")).await.unwrap();
    wait_until_ready(&hub).await;
}

#[tokio::test]
async fn a_hub_is_ready_while_postgres_accepts_no_more_connections() {
    let hub = Hub::start().await;
    assert_eq!(get(&hub, "/readyz").await.status(), 200);
    let no_connections =
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT 0', current_database()); END $$";
    hub.database.client().await.batch_execute(no_connections).await.unwrap();
    // The cached result has expired.
    sleep(Duration::from_secs(6)).await;
    assert_eq!(get(&hub, "/readyz").await.status(), 200);
}

/// Waits until the cached result has expired and the hub is ready again.
async fn wait_until_ready(hub: &Hub) {
    let began = Instant::now();
    while get(hub, "/readyz").await.status() != 200 {
        assert!(began.elapsed() < Duration::from_secs(15), "the hub does not become ready again");
        sleep(Duration::from_millis(250)).await;
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_get_problem_documents() {
    let hub = Hub::start().await;
    let unknown = get(&hub, "/nowhere").await;
    assert_eq!(unknown.status(), 404);
    assert_eq!(unknown.headers()["content-type"], "application/problem+json");
    assert_eq!(unknown.json::<Value>().await.unwrap()["code"], json!("NOT_FOUND"));

    let wrong_method = hub.http.delete(hub.url("/healthz")).send().await.unwrap();
    assert_eq!(wrong_method.status(), 405);
    assert_eq!(wrong_method.headers()["allow"], "GET,HEAD");
    assert_eq!(wrong_method.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn every_response_has_a_request_id_and_security_headers() {
    let hub = Hub::start().await;
    let request = hub.http.get(hub.url("/healthz")).header("x-request-id", "forged");
    let response = request.send().await.unwrap();
    let headers = response.headers();
    assert_eq!(headers["x-request-id"].len(), 36);
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["x-frame-options"], "DENY");
    assert_eq!(headers["referrer-policy"], "no-referrer");
}
