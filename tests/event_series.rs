//! Charts count player events by time bucket and kind, in the hub's time zone and within the filter.

use chrono_tz::Tz;
use domain::access::Role;
use serde_json::{Value, json};

use crate::harness::hub::{Hub, TestUser};
use crate::harness::statements::Statements;

/// A hub in Madrid, where clocks go back on 25 October and forward on 29 March, with these events.
async fn hub_with_events(events: &[(&str, &str)]) -> (Hub, TestUser) {
    let hub = Hub::with(|config| config.hub.timezone = Tz::Europe__Madrid).await;
    for (at, event) in events {
        hub.sql(&format!(
            "SELECT ensure_player_event_partitions('{at}', '{at}');
             INSERT INTO video_player_events (event, provider, recorded_at) VALUES ('{event}', 'vimeo', '{at}')"
        ))
        .await;
    }
    let admin = hub.user(Role::Admin).await;
    (hub, admin)
}

async fn request_series(hub: &Hub, admin: &TestUser, filter: Value, bucket: &str) -> Value {
    let query = "query ($filter: VideoPlayerEventFilter, $bucket: TimeBucket!) {
        series: playerEventSeries(filter: $filter, bucket: $bucket) { bucketStart event count } }";
    let variables = json!({"filter": filter, "bucket": bucket});
    hub.graphql(query).by(&admin.token).variables(variables).send().await.body
}

/// Returns each count as a line.
async fn series(hub: &Hub, admin: &TestUser, filter: Value, bucket: &str) -> Vec<String> {
    let body = request_series(hub, admin, filter, bucket).await;
    let counts = body["data"]["series"].as_array().unwrap_or_else(|| panic!("{body}"));
    let line = |count: &Value| {
        let text = |key: &str| count[key].as_str().unwrap().replace("+00:00", "Z");
        format!("{} {} {}", text("bucketStart"), text("event"), count["count"])
    };
    counts.iter().map(line).collect()
}

#[tokio::test]
async fn buckets_follow_the_hubs_time_zone() {
    let (hub, admin) = hub_with_events(&[
        ("2026-10-24T21:59:59.999999Z", "play"),
        ("2026-10-24T22:00:00Z", "seek"),
        ("2026-10-25T00:30:00Z", "play"),
        ("2026-10-25T01:30:00Z", "play"),
        ("2026-10-25T01:59:59Z", "Pause"),
        ("2026-10-25T22:59:59Z", "play"),
        ("2026-10-25T23:00:00Z", "play"),
    ])
    .await;
    assert_eq!(
        series(&hub, &admin, json!(null), "DAY").await,
        [
            "2026-10-23T22:00:00Z play 1",
            "2026-10-24T22:00:00Z Pause 1",
            "2026-10-24T22:00:00Z play 3",
            "2026-10-24T22:00:00Z seek 1",
            "2026-10-25T23:00:00Z play 1",
        ]
    );
    assert_eq!(
        series(&hub, &admin, json!({"event": "play"}), "WEEK").await,
        ["2026-10-18T22:00:00Z play 4", "2026-10-25T23:00:00Z play 1"]
    );
    let night = json!({"dateFrom": "2026-10-25T00:00:00Z", "dateTo": "2026-10-25T02:00:00Z"});
    assert_eq!(
        series(&hub, &admin, night, "HOUR").await,
        ["2026-10-25T00:00:00Z play 1", "2026-10-25T01:00:00Z Pause 1", "2026-10-25T01:00:00Z play 1"]
    );
    let default = "{ playerEventSeries { count } }";
    let days = hub.graphql(default).by(&admin.token).data().await;
    assert_eq!(days["playerEventSeries"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn filtered_out_events_are_not_counted() {
    let (hub, admin) =
        hub_with_events(&[("2026-03-28T12:00:00Z", "play"), ("2026-03-29T12:00:00Z", "play")]).await;
    for (filter, days) in [
        (json!({"dateFrom": "2026-03-29", "dateTo": "2026-03-29"}), vec!["2026-03-28T23:00:00Z play 1"]),
        (json!({"dateTo": "2026-03-28"}), vec!["2026-03-27T23:00:00Z play 1"]),
        (json!({"provider": "vimeo", "event": "play", "dateFrom": "2026-03-30"}), vec![]),
        (json!({"provider": "youtube"}), vec![]),
        (json!({"lessonId": "404"}), vec![]),
    ] {
        assert_eq!(series(&hub, &admin, filter, "DAY").await, days);
    }
}

#[tokio::test]
async fn a_chart_with_too_many_buckets_is_rejected() {
    let (hub, admin) = hub_with_events(&[
        ("2021-01-01T12:00:00Z", "play"),
        ("2026-11-01T12:00:00Z", "play"),
        ("2026-11-16T12:00:00Z", "play"),
    ])
    .await;
    let statements = Statements::of(&hub.app.pool).await;
    for bucket in ["HOUR", "DAY"] {
        let body = request_series(&hub, &admin, json!({"dateFrom": "2001-01-01"}), bucket).await;
        let extensions = &body["errors"][0]["extensions"];
        assert_eq!((&extensions["code"], &extensions["field"]), (&json!("BAD_USER_INPUT"), &json!("bucket")));
        assert!(!statements.take().iter().any(|statement| statement.contains("width_bucket")), "{bucket}");
    }
    assert_eq!(series(&hub, &admin, json!(null), "WEEK").await.len(), 3);
    // The limit applies to the range of the events, not to the range of the filter.
    assert_eq!(series(&hub, &admin, json!({"dateFrom": "2021-01-02"}), "HOUR").await.len(), 2);
    assert_eq!(statements.take().iter().filter(|statement| statement.contains("width_bucket")).count(), 2);
}
