//! `exportEstimate` counts few rows exactly, estimates many, and rejects invalid filters.

use domain::access::Role;
use serde_json::{Value, json};

use crate::harness::hub::Hub;

const QUERY: &str = "query ($filters: JSON) {
    exportEstimate(dataset: STUDENT_ACTIVITY_SNAPSHOTS, filters: $filters) { rows exact }
}";

#[tokio::test]
async fn few_rows_are_counted_and_many_are_estimated() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    hub.sql(
        "INSERT INTO student_activity_snapshots (captured_at, user_id, category)
         SELECT now(), (SELECT max(id) FROM users), CASE WHEN row <= 10000 THEN 'some' ELSE 'few' END
         FROM generate_series(1, 10005) AS row;
         ANALYZE student_activity_snapshots",
    )
    .await;
    let estimate = async |filters: Value| {
        let data = hub.graphql(QUERY).by(&admin.token).variables(json!({"filters": filters})).data().await;
        data["exportEstimate"].clone()
    };
    assert_eq!(estimate(json!({"category": "few"})).await, json!({"rows": 5, "exact": true}));
    assert_eq!(estimate(json!({"category": "some"})).await, json!({"rows": 10_000, "exact": true}));
    let all = estimate(Value::Null).await;
    assert_eq!(all["exact"], false);
    assert!(all["rows"].as_i64().unwrap() > 10_000, "{all}");
}

#[tokio::test]
async fn invalid_filters_are_reported_by_name() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    for (filters, field) in [
        (json!([]), "filters"),
        (json!("course_id=7"), "filters"),
        (json!({"course_id": [7]}), "course_id"),
        (json!({"course_id": "seven"}), "course_id"),
        (json!({"format": "csv"}), "format"),
        (json!({"event": "play"}), "event"),
    ] {
        let response =
            hub.graphql(QUERY).by(&admin.token).variables(json!({"filters": filters})).send().await;
        assert_eq!(response.code(), "BAD_USER_INPUT", "{filters}");
        assert!(
            response.body["errors"][0]["message"].as_str().unwrap().starts_with(field),
            "{}",
            response.body
        );
    }
}
