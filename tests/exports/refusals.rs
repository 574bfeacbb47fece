//! Links that are not made.

use domain::access::Role;
use serde_json::{Value, json};

use super::download::{Exporter, LINKS};

async fn refused(exporter: &Exporter, token: &str, request: Value) -> (u16, Value) {
    let response = exporter.ask(token, &request).await;
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn everything_wrong_is_told_at_once_one_message_a_field() {
    let exporter = Exporter::new().await;
    let request = json!({
        "dataset": "discord_practices", "format": "csv", "columns": ["title", "meeting_token"], "headers": "none",
        "locale": "fr", "timezone": "Mars/Olympus", "delimiter": "|", "decimal": "'", "bom": "yes",
        "filters": {
            "course_id": "1 OR 1=1", "lesson_id": -1, "creator_id": 1.5, "date_from": "16/11/2026", "date_to": "2026-02-30",
            "status": "gone", "type": "x".repeat(51), "event": "play",
        },
    });
    let (status, problem) = refused(&exporter, &exporter.admin.token, request).await;
    assert_eq!(status, 422);
    insta::assert_json_snapshot!(problem);
}

#[tokio::test]
async fn a_request_must_be_json_of_known_fields() {
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
        (json!([]), "body"),
    ] {
        let (status, problem) = refused(&exporter, token, request).await;
        assert_eq!((status, problem["code"].as_str().unwrap()), (422, "BAD_USER_INPUT"), "{problem}");
        assert!(problem["errors"][field].is_string(), "{problem}");
    }
    let (status, problem) = refused(&exporter, token, json!({"dataset": "x".repeat(65 << 10)})).await;
    assert_eq!((status, problem["code"].as_str().unwrap()), (413, "BAD_USER_INPUT"));
    let form = exporter.hub.http.post(exporter.hub.url(LINKS)).bearer_auth(token).body("dataset=x");
    assert_eq!(form.send().await.unwrap().status(), 422);
}

#[tokio::test]
async fn nobody_gets_a_link_and_neither_does_a_token_without_the_scope() {
    let exporter = Exporter::new().await;
    let request = json!({"dataset": "video_player_events", "format": "csv"});
    let anonymous = exporter.hub.http.post(exporter.hub.url(LINKS)).json(&request).send().await.unwrap();
    assert_eq!(anonymous.status(), 401);
    let (status, problem) = refused(&exporter, "dph_nonsense", request.clone()).await;
    assert_eq!((status, problem["code"].as_str().unwrap()), (401, "UNAUTHENTICATED"));
    let create = "mutation { createApiToken(name: \"reader\", scopes: [READ]) { secret } }";
    let created = exporter.hub.graphql(create).by(&exporter.admin.token).data().await;
    let reader = created["createApiToken"]["secret"].as_str().unwrap();
    let (status, problem) = refused(&exporter, reader, request).await;
    assert_eq!((status, problem["code"].as_str().unwrap()), (403, "FORBIDDEN"));
}

#[tokio::test]
async fn a_teacher_admin_must_name_a_course_that_is_there() {
    let exporter = Exporter::of_an_academy().await;
    let teacher_admin = exporter.hub.user(Role::TeacherAdmin).await;
    let answer = async |dataset: &str, filters: Value| {
        let request = json!({"dataset": dataset, "format": "csv", "filters": filters});
        let response = exporter.ask(&teacher_admin.token, &request).await;
        let status = response.status().as_u16();
        let body: Value = response.json().await.unwrap();
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    };
    let scope_required = (403, "SCOPE_REQUIRED".to_owned());
    assert_eq!(answer("video_player_events", json!({})).await, scope_required);
    assert_eq!(answer("video_player_events", json!({"course_id": ""})).await, scope_required);
    assert_eq!(answer("video_player_events", json!({"course_id": 99})).await, scope_required);
    assert_eq!(answer("video_player_events", json!({"course_id": 1})).await.0, 201);
    assert_eq!(answer("video_player_events", json!({"lesson_id": 101})).await.0, 201);
    let never = answer("teacher_activity_snapshots", json!({"course_id": 1})).await;
    assert_eq!(never, (403, "FORBIDDEN".to_owned()));
}
