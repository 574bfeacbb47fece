//! The values of the metrics.

use std::time::Duration;

use axum::http::Method;
use chrono::TimeDelta;
use domain::Role;
use reqwest::multipart::{Form, Part};
use secrecy::SecretString;
use serde_json::{Value, json};
use stand_ins::fault::{Answer, Fault, Rule};
use stand_ins::{Service, config as valid};
use uuid::Uuid;

use super::{Exposition, scrape};
use crate::harness::hub::Hub;
use crate::sync::fixture::{SyncFixture, both};

/// Asserts that the samples have these values.
#[track_caller]
fn assert_samples(metrics: &Exposition, expected: &[(&str, f64)]) {
    for (series, value) in expected {
        assert_eq!(
            metrics.get(&format!("dataporter_{series}")),
            Some(*value),
            "{series} in\n{}",
            metrics.text
        );
    }
}

#[tokio::test]
async fn a_sync_is_counted_by_driver_outcome_and_reason() {
    let fixture = SyncFixture::with(|config, services| {
        both(config, services);
        config.telemetry.sync.max_wait = Duration::ZERO;
    })
    .await;
    fixture.insert_events_from(TimeDelta::hours(4), 3).await;
    assert_samples(
        &scrape(&fixture.hub).await,
        &[
            ("database_up", 1.0),
            ("sync_pending_events", 3.0),
            ("sync_oldest_pending_age_seconds", 4.0 * 3600.0),
            ("sync_backlog_alarm", 1.0),
            (r#"sync_pending_deliveries{driver="ga4"}"#, 3.0),
            (r#"sync_pending_deliveries{driver="mixpanel"}"#, 3.0),
            (r#"sync_driver_enabled{driver="ga4"}"#, 1.0),
            (r#"sync_deliveries_total{driver="ga4",outcome="delivered",reason=""}"#, 0.0),
        ],
    );
    let faults = [
        Rule::new(Service::Ga4, Fault::Answer(Answer::empty(503))).times(1),
        Rule::new(Service::Mixpanel, Fault::Answer(Answer::unauthorized())),
    ];
    fixture.services.set_faults(faults).unwrap();
    fixture.run().await;
    fixture.advance(TimeDelta::minutes(1));
    fixture.run().await;
    let metrics = scrape(&fixture.hub).await;
    assert_samples(
        &metrics,
        &[
            ("sync_pending_events", 3.0),
            (r#"sync_pending_deliveries{driver="ga4"}"#, 0.0),
            (r#"sync_pending_deliveries{driver="mixpanel"}"#, 3.0),
            (r#"sync_deliveries_total{driver="ga4",outcome="delivered",reason=""}"#, 3.0),
            (r#"sync_deliveries_total{driver="ga4",outcome="retried",reason="down"}"#, 1.0),
            (r#"sync_deliveries_total{driver="mixpanel",outcome="delivered",reason=""}"#, 0.0),
            (r#"sync_request_duration_seconds_count{driver="ga4",outcome="taken"}"#, 3.0),
            (r#"sync_request_duration_seconds_count{driver="ga4",outcome="later"}"#, 1.0),
            (r#"sync_request_duration_seconds_count{driver="mixpanel",outcome="closed"}"#, 2.0),
            (r#"sync_driver_outage{driver="mixpanel",kind="refused"}"#, 1.0),
            (r#"sync_driver_outage{driver="mixpanel",kind="paused"}"#, 0.0),
            (r#"sync_driver_outage{driver="ga4",kind="refused"}"#, 0.0),
            (r#"sync_breaker_open{driver="mixpanel"}"#, 0.0),
            (r#"sync_runs_total{state="partial"}"#, 2.0),
            ("sync_running", 0.0),
        ],
    );
    assert!(metrics.get("dataporter_sync_last_run_timestamp_seconds").is_some());
}

#[tokio::test]
async fn a_refused_event_is_counted_as_dead() {
    let fixture = SyncFixture::new().await;
    let ids = fixture.insert_events(2).await;
    let refused = Answer::json(400, json!({"code": 400, "error": "no", "status": "Bad Request"}));
    let rule = Rule::new(Service::Mixpanel, Fault::Answer(refused)).events([format!("vpe-{}", ids[0])]);
    fixture.services.set_faults([rule]).unwrap();
    fixture.run().await;
    assert_samples(
        &scrape(&fixture.hub).await,
        &[
            (r#"sync_deliveries_total{driver="mixpanel",outcome="dead",reason="refused"}"#, 1.0),
            (r#"sync_dead_deliveries{driver="mixpanel"}"#, 1.0),
            (r#"sync_request_duration_seconds_count{driver="mixpanel",outcome="refused"}"#, 2.0),
            ("sync_pending_events", 0.0),
        ],
    );
}

#[tokio::test]
async fn recorded_events_are_counted() {
    let hub = Hub::start().await;
    let student = hub.user(Role::Student).await;
    let lesson = hub.academy.lesson(hub.academy.course().await).await;
    record(&hub, &student.token, lesson.id).await;
    assert_samples(
        &scrape(&hub).await,
        &[
            (r#"ingest_events_total{result="recorded",reason=""}"#, 1.0),
            (r#"ingest_events_total{result="duplicate",reason=""}"#, 1.0),
            (r#"ingest_events_total{result="refused",reason="NEGATIVE_SECONDS"}"#, 1.0),
            (r#"ingest_events_total{result="refused",reason="UNKNOWN_LESSON"}"#, 1.0),
            // The event with the unknown lesson was in the first group.
            ("ingest_group_events_sum", 3.0),
            ("ingest_group_events_count", 2.0),
            ("ingest_commit_duration_seconds_count", 2.0),
            ("ingest_queue_events", 0.0),
            (r#"http_request_duration_seconds_count{status="200",method="POST",route="/graphql"}"#, 2.0),
        ],
    );
}

/// Sends a valid event, one with an unknown lesson and one with negative seconds, and then the valid one
/// again.
async fn record(hub: &Hub, token: &str, lesson: i64) {
    let event = |lesson: i64, seconds: i32| json!({"clientEventId": Uuid::new_v4(), "event": "play", "lessonId": lesson, "playbackSeconds": seconds});
    let [valid_event, unknown, negative] = [event(lesson, 1), event(987_654, 1), event(lesson, -1)];
    let events =
        "mutation ($events: [PlayerEventInput!]!) { recordPlayerEvents(events: $events) { eventId } }";
    for batch in [json!([valid_event, unknown, negative]), json!([valid_event])] {
        hub.graphql(events).by(token).variables(json!({"events": batch})).data().await;
    }
}

#[tokio::test]
async fn exports_and_imports_are_counted() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    let course = hub.academy.course().await;
    let file = format!("user_id,course_id,category,value\n{0},{course},a,1\n{0},{course},b,x\n", admin.id);
    for (mode, dry_run) in [("SKIP_INVALID", true), ("SKIP_INVALID", false), ("SKIP_INVALID", false)] {
        import(&hub, &admin.token, mode, dry_run, &file).await;
    }
    let refused = import(&hub, &admin.token, "SKIP_INVALID", false, "colour\nred\n").await;
    assert!(!refused["errors"].is_null(), "{refused}");
    let content = export(&hub, &admin.token).await;
    let [dataset, labels] =
        [r#"dataset="student_activity_snapshots""#, r#"dataset="student_activity_snapshots",format="csv""#];
    let series_name = |name: &str, labels: &str| format!("{name}{{{labels}}}");
    let exports = series_name("exports_total", &format!(r#"{labels},outcome="complete""#));
    let [rows, bytes, seconds] = ["export_rows_total", "export_bytes_total", "export_duration_seconds_count"]
        .map(|name| series_name(name, labels));
    let state = |state: &str, dry| {
        series_name("imports_total", &format!(r#"{dataset},state="{state}",dry_run="{dry}""#))
    };
    let result = |result: &str| series_name("import_rows_total", &format!(r#"{dataset},result="{result}""#));
    assert_samples(
        &scrape(&hub).await,
        &[
            (&exports, 1.0),
            (&rows, 1.0),
            (&bytes, f64::from(u32::try_from(content.len()).unwrap())),
            (&seconds, 1.0),
            (&state("done", true), 1.0),
            (&state("done", false), 2.0),
            (&state("rejected", false), 1.0),
            (&result("inserted"), 1.0),
            (&result("duplicate"), 1.0),
            (&result("rejected"), 2.0),
            (&series_name("import_duration_seconds_count", dataset), 4.0),
        ],
    );
}

async fn import(hub: &Hub, token: &str, mode: &str, dry_run: bool, file: &str) -> Value {
    let mutation = "mutation ($file: Upload!, $mode: ImportMode!, $dryRun: Boolean!) { \
        importSnapshots(dataset: STUDENT_ACTIVITY_SNAPSHOTS, file: $file, mode: $mode, dryRun: $dryRun) { id } }";
    let variables = json!({"file": null, "mode": mode, "dryRun": dry_run});
    let form = Form::new()
        .text("operations", json!({"query": mutation, "variables": variables}).to_string())
        .text("map", json!({"0": ["variables.file"]}).to_string())
        .part("0", Part::text(file.to_owned()).file_name("snapshots.csv"));
    let request =
        hub.http.post(hub.url("/graphql")).bearer_auth(token).header("graphql-require-preflight", "1");
    request.multipart(form).send().await.unwrap().json().await.unwrap()
}

async fn export(hub: &Hub, token: &str) -> String {
    let links = hub.http.post(hub.url("/admin/data-porter/export-links")).bearer_auth(token);
    let request = json!({"dataset": "student_activity_snapshots", "format": "csv"});
    let link: Value = links.json(&request).send().await.unwrap().json().await.unwrap();
    let file = hub.http.get(hub.url(link["url"].as_str().unwrap())).header("accept-encoding", "identity");
    file.send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn metrics_contain_no_personal_data_and_no_secrets() {
    const TOKEN: &str = "the token of the scraper";
    let fixture = SyncFixture::with(|config, services| {
        both(config, services);
        config.http.metrics_token = Some(SecretString::from(TOKEN));
    })
    .await;
    let hub = &fixture.hub;
    fixture.insert_events(2).await;
    fixture.run().await;
    record(hub, &fixture.admin_token, fixture.lesson.id).await;
    export(hub, &fixture.admin_token).await;
    for (method, path) in [
        (Method::GET, "/es/admin/data-porter/exports?user=luz%40example.com"),
        (Method::GET, "/admin/data-porter/export?signature=abc&user=41"),
        (Method::GET, "/luz@example.com/1234567"),
        (Method::from_bytes(b"LUZ").unwrap(), "/graphql"),
    ] {
        hub.http.request(method, hub.url(path)).send().await.unwrap();
    }
    let request = hub.http.get(hub.url("/metrics")).bearer_auth(TOKEN);
    let metrics = Exposition::read(&request.send().await.unwrap().text().await.unwrap());
    for secret in [
        TOKEN,
        &fixture.admin_token,
        valid::API_SECRET,
        valid::PROJECT_SECRET,
        valid::PROJECT_TOKEN,
        valid::MEASUREMENT_ID,
        crate::harness::hub::APP_KEY,
    ] {
        assert!(!metrics.text.contains(secret), "{secret}");
    }
    for (label, value) in metrics.labels() {
        match label.as_str() {
            "le" | "status" => assert!(value == "+Inf" || value.parse::<f64>().is_ok(), "{label}: {value}"),
            "version" => assert_eq!(value, env!("CARGO_PKG_VERSION")),
            // Fixed words and route templates only: no id, no address, and no text from a client.
            _ => {
                let is_variable =
                    value.contains(|char: char| char.is_ascii_digit() || "@?&%=".contains(char));
                let is_personal = value.to_ascii_lowercase().contains("luz");
                assert!(value == "ga4" || !(is_variable || is_personal), "{label}: {value}");
            }
        }
    }
    let page_series = r#"dataporter_http_request_duration_seconds_count{status="200",method="GET",route="/{locale}/admin/data-porter/{*section}"}"#;
    assert_eq!(metrics.get(page_series), Some(1.0), "{}", metrics.text);
}
