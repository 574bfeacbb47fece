//! Requests for links that are rejected.

use domain::access::Role;
use serde_json::{Value, json};

use super::download::{Exporter, LINKS_PATH};

/// Requests a link that must be rejected, and returns the status and the body.
async fn request_rejected(exporter: &Exporter, token: &str, request: Value) -> (u16, Value) {
    let response = exporter.request_link(token, &request).await;
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn all_errors_are_reported_at_once_by_field() {
    let exporter = Exporter::new().await;
    let request = json!({
        "dataset": "discord_practices", "format": "csv", "columns": ["title", "meeting_token"], "headers": "none",
        "locale": "fr", "timezone": "Mars/Olympus", "delimiter": "|", "decimal": "'", "bom": "yes",
        "filters": {
            "course_id": "1 OR 1=1", "lesson_id": -1, "creator_id": 1.5, "date_from": "16/11/2026", "date_to": "2026-02-30",
            "status": "gone", "type": "x".repeat(51), "event": "play",
        },
    });
    let (status, problem) = request_rejected(&exporter, &exporter.admin.token, request).await;
    assert_eq!(status, 422);
    insta::assert_json_snapshot!(problem);
}

#[tokio::test]
async fn a_request_must_be_json_with_known_fields() {
    let exporter = Exporter::new().await;
    let token = &exporter.admin.token;
    for (request, field) in [
        (json!({"format": "csv"}), "dataset"),
        (json!({"dataset": "video_player_events", "format": "pdf"}), "format"),
        (json!({"dataset": "users", "format": "csv"}), "dataset"),
        (json!({"dataset": "video_player_events", "format": "csv", "course_id": 1}), "course_id"),
        (json!({"dataset": "video_player_events", "format": "csv", "filters": {"format": "csv"}}), "format"),
        (
            json!({"dataset": "video_player_events", "format": "csv", "filters": {"course_id": [1]}}),
            "course_id",
        ),
        (
            json!({"dataset": "video_player_events", "format": "csv", "columns": ["event", "event"]}),
            "columns",
        ),
        (json!({"dataset": "video_player_events", "format": "csv", "columns": [["event"]]}), "columns"),
        (
            json!({"dataset": "video_player_events", "format": "csv", "date_range": "this_month",
                "filters": {"date_range": "last_month"}}),
            "date_range",
        ),
        (json!([]), "body"),
    ] {
        let (status, problem) = request_rejected(&exporter, token, request).await;
        assert_eq!((status, problem["code"].as_str().unwrap()), (422, "BAD_USER_INPUT"), "{problem}");
        assert!(problem["errors"][field].is_string(), "{problem}");
    }
    let (status, problem) =
        request_rejected(&exporter, token, json!({"dataset": "x".repeat(65 << 10)})).await;
    assert_eq!((status, problem["code"].as_str().unwrap()), (413, "BAD_USER_INPUT"));
    let form = exporter.hub.http.post(exporter.hub.url(LINKS_PATH)).bearer_auth(token).body("dataset=x");
    assert_eq!(form.send().await.unwrap().status(), 422);
}

#[tokio::test]
async fn a_link_needs_a_caller_with_the_export_scope() {
    let exporter = Exporter::new().await;
    let request = json!({"dataset": "video_player_events", "format": "csv"});
    let anonymous = exporter.hub.http.post(exporter.hub.url(LINKS_PATH)).json(&request).send().await.unwrap();
    assert_eq!(anonymous.status(), 401);
    let (status, problem) = request_rejected(&exporter, "dph_nonsense", request.clone()).await;
    assert_eq!((status, problem["code"].as_str().unwrap()), (401, "UNAUTHENTICATED"));
    let create = "mutation { createApiToken(name: \"reader\", scopes: [READ]) { secret } }";
    let created = exporter.hub.graphql(create).by(&exporter.admin.token).data().await;
    let reader = created["createApiToken"]["secret"].as_str().unwrap();
    let (status, problem) = request_rejected(&exporter, reader, request).await;
    assert_eq!((status, problem["code"].as_str().unwrap()), (403, "FORBIDDEN"));
}

#[tokio::test]
async fn a_teacher_admin_must_name_an_existing_course() {
    let exporter = Exporter::with_sample_rows().await;
    let teacher_admin = exporter.hub.user(Role::TeacherAdmin).await;
    let status_and_code = async |dataset: &str, filters: Value| {
        let request = json!({"dataset": dataset, "format": "csv", "filters": filters});
        let response = exporter.request_link(&teacher_admin.token, &request).await;
        let status = response.status().as_u16();
        let body: Value = response.json().await.unwrap();
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    };
    let scope_required = (403, "SCOPE_REQUIRED".to_owned());
    assert_eq!(status_and_code("video_player_events", json!({})).await, scope_required);
    assert_eq!(status_and_code("video_player_events", json!({"course_id": ""})).await, scope_required);
    assert_eq!(status_and_code("video_player_events", json!({"course_id": 99})).await, scope_required);
    assert_eq!(status_and_code("video_player_events", json!({"course_id": 1})).await.0, 201);
    assert_eq!(status_and_code("video_player_events", json!({"lesson_id": 101})).await.0, 201);
    let forbidden = status_and_code("teacher_activity_snapshots", json!({"course_id": 1})).await;
    assert_eq!(forbidden, (403, "FORBIDDEN".to_owned()));
}
