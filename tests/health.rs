//! What supervisors and load balancers are told, and what holds for every answer.

use reqwest::Response;
use serde_json::{Value, json};

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
