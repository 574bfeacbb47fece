//! `/metrics`: its values, who may read it, and what it must not contain.

mod access;
mod exposition;
mod values;

use reqwest::Response;

use crate::harness::hub::Hub;
use exposition::Exposition;

async fn get(hub: &Hub) -> Response {
    hub.http.get(hub.url("/metrics")).send().await.unwrap()
}

/// Reads the current metrics of a hub.
async fn scrape(hub: &Hub) -> Exposition {
    let response = get(hub).await;
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.headers()["content-type"],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    Exposition::read(&response.text().await.unwrap())
}
