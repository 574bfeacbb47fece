//! `/metrics`: what it counts, who may read it, and what is never in it.

mod access;
mod exposition;
mod figures;

use reqwest::Response;

use crate::harness::hub::Hub;
use exposition::Exposition;

async fn get(hub: &Hub) -> Response {
    hub.http.get(hub.url("/metrics")).send().await.unwrap()
}

/// Everything that a hub says of itself now.
async fn scrape(hub: &Hub) -> Exposition {
    let answer = get(hub).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.headers()["content-type"],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    Exposition::read(&answer.text().await.unwrap())
}
