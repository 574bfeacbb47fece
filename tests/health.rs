//! What supervisors and load balancers are told, and what holds for every answer.

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
    let answer = get(&hub, "/readyz").await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert_eq!(answer.json::<Value>().await.unwrap()["detail"], "Migrations are missing in the database.");
    assert_eq!(get(&hub, "/healthz").await.status(), 200, "it is alive all the same");
}

#[tokio::test]
async fn a_hub_is_not_ready_while_its_database_is_out_of_reach() {
    let hub = Hub::start().await;
    hub.database.pool.close();
    assert_eq!(get(&hub, "/readyz").await.status(), 503);
    assert_eq!(get(&hub, "/healthz").await.status(), 200, "it is alive all the same");
}

#[tokio::test]
async fn a_hub_is_not_ready_while_no_player_event_can_be_recorded() {
    let hub = Hub::start().await;
    let broken = "CREATE OR REPLACE FUNCTION note_pending_player_events() RETURNS trigger LANGUAGE plpgsql AS \
                  $$ BEGIN RAISE 'the library cannot be loaded'; END $$";
    hub.sql(
        "CREATE TABLE good AS SELECT pg_get_functiondef('note_pending_player_events'::regproc) AS definition",
    )
    .await;
    hub.sql(broken).await;
    for attempt in ["found out", "remembered"] {
        let answer = get(&hub, "/readyz").await;
        assert_eq!(answer.status(), 503, "{attempt}");
        let detail = answer.json::<Value>().await.unwrap()["detail"].take();
        assert_eq!(detail, "The database records no player events.", "{attempt}");
    }
    hub.sql("DO $$ BEGIN EXECUTE (SELECT definition FROM good); END $$").await;
    until_ready(&hub).await;
    assert_eq!(hub.rows("SELECT count(*) AS count FROM video_player_events").await[0]["count"], 0);
}

#[tokio::test]
async fn a_hub_is_not_ready_while_new_connections_cannot_record_although_old_ones_can() {
    let hub = Hub::start().await;
    let default = |what: &str| {
        format!(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I {what} default_transaction_read_only', current_database()); \
             END $$"
        )
    };
    let mut old = hub.app.pool.get().await.unwrap();
    hub.sql(&default("SET").replace("read_only'", "read_only = on'")).await;
    old.batch_execute("CREATE TABLE written ()").await.unwrap();
    drop(old);
    let answer = get(&hub, "/readyz").await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], "UNAVAILABLE");
    let writer = hub.database.client().await;
    writer.batch_execute("SET default_transaction_read_only = off").await.unwrap();
    writer.batch_execute(&default("RESET")).await.unwrap();
    until_ready(&hub).await;
}

#[tokio::test]
async fn a_hub_is_ready_while_its_server_has_no_place_for_further_connections() {
    let hub = Hub::start().await;
    assert_eq!(get(&hub, "/readyz").await.status(), 200);
    let no_more =
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT 0', current_database()); END $$";
    hub.database.client().await.batch_execute(no_more).await.unwrap();
    // What was found out before no longer counts.
    sleep(Duration::from_secs(6)).await;
    assert_eq!(get(&hub, "/readyz").await.status(), 200);
}

/// Waits until what was found out before is looked at anew.
async fn until_ready(hub: &Hub) {
    let began = Instant::now();
    while get(hub, "/readyz").await.status() != 200 {
        assert!(began.elapsed() < Duration::from_secs(15), "it is not ready again");
        sleep(Duration::from_millis(250)).await;
    }
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_method_get_problem_documents() {
    let hub = Hub::start().await;
    let unknown = get(&hub, "/nowhere").await;
    assert_eq!(unknown.status(), 404);
    assert_eq!(unknown.headers()["content-type"], "application/problem+json");
    assert_eq!(unknown.json::<Value>().await.unwrap()["code"], json!("NOT_FOUND"));

    let wrong = hub.http.delete(hub.url("/healthz")).send().await.unwrap();
    assert_eq!(wrong.status(), 405);
    assert_eq!(wrong.headers()["allow"], "GET,HEAD");
    assert_eq!(wrong.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn every_answer_carries_an_id_of_ours_and_forbids_sniffing_and_framing() {
    let hub = Hub::start().await;
    let request = hub.http.get(hub.url("/healthz")).header("x-request-id", "forged");
    let answer = request.send().await.unwrap();
    let headers = answer.headers();
    assert_eq!(headers["x-request-id"].len(), 36);
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["x-frame-options"], "DENY");
    assert_eq!(headers["referrer-policy"], "no-referrer");
}
