//! Saved exports.

use chrono::{TimeDelta, Utc};
use domain::access::{Role, TokenScope};
use serde_json::{Value, json};

use super::download::Exporter;
use crate::harness::hub::Hub;
use crate::harness::request::ApiResponse;

const SAVE: &str = "mutation ($name: String!, $dataset: Dataset!, $format: ExportFormat!, $options: JSON!) {
    saveExport(name: $name, dataset: $dataset, format: $format, options: $options) {
        id name dataset format options lastUsedAt
    }
}";
const LIST: &str = "{ savedExports { id name dataset format options createdAt lastUsedAt } }";

async fn save(hub: &Hub, token: &str, name: &str, dataset: &str, options: Value) -> ApiResponse {
    let variables = json!({"name": name, "dataset": dataset, "format": "CSV", "options": options});
    hub.graphql(SAVE).by(token).variables(variables).send().await
}

#[tokio::test]
async fn a_saved_export_is_relative_to_the_day_of_its_use() {
    let exporter = Exporter::new().await;
    let hub = &exporter.hub;
    // It does not expire, as a session would.
    let token = &hub.api_token(exporter.admin.id, &[TokenScope::Export]).await;
    let options = json!({
        "headers": "keys", "columns": ["recorded_at"], "filters": {"course_id": 7, "date_range": "this_month"},
    });
    let saved = save(hub, token, " Eventos del mes ", "VIDEO_PLAYER_EVENTS", options.clone()).await;
    let saved = &saved.body["data"]["saveExport"];
    assert_eq!((&saved["name"], &saved["options"]), (&json!("Eventos del mes"), &options));
    assert_eq!(saved["lastUsedAt"], Value::Null);

    let mut urls = Vec::new();
    for _ in 0..2 {
        let link = exporter.create_link(token, &json!({"savedExport": saved["id"]})).await;
        urls.push(link["url"].as_str().unwrap().to_owned());
        hub.clock.advance(TimeDelta::days(31));
    }
    for (url, day) in urls.iter().zip(["2027-01", "2027-02"]) {
        assert!(url.contains(&format!("date_from={day}-01&date_to={day}-15")), "{url}");
        assert!(url.contains("course_id=7") && url.contains("columns=recorded_at"), "{url}");
    }
    let list = hub.graphql(LIST).by(token).data().await["savedExports"].take();
    assert_eq!(list.as_array().unwrap().len(), 1);
    let used: chrono::DateTime<Utc> = list[0]["lastUsedAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(used, hub.clock.now() - TimeDelta::days(31));

    let delete = "mutation ($id: ID!) { deleteSavedExport(id: $id) }";
    for existed in [true, false] {
        let deleted = hub.graphql(delete).by(token).variables(json!({"id": saved["id"]})).data().await;
        assert_eq!(deleted["deleteSavedExport"], existed);
    }
    let gone = exporter.request_link(token, &json!({"savedExport": saved["id"]})).await;
    assert_eq!(gone.status(), 422);
}

#[tokio::test]
async fn saved_exports_belong_to_their_owner_and_are_checked_at_each_use() {
    let exporter = Exporter::with_sample_rows().await;
    let hub = &exporter.hub;
    let teacher = hub.user(Role::TeacherAdmin).await;
    let refused = save(hub, &teacher.token, "Todo", "VIDEO_PLAYER_EVENTS", json!({})).await;
    assert_eq!(refused.code(), "SCOPE_REQUIRED");
    let saved =
        save(hub, &teacher.token, "Curso", "VIDEO_PLAYER_EVENTS", json!({"filters": {"course_id": 1}})).await;
    let id = &saved.body["data"]["saveExport"]["id"];
    let by_id = json!({"savedExport": id});
    assert_eq!(exporter.request_link(&teacher.token, &by_id).await.status(), 201);
    assert_eq!(exporter.request_link(&exporter.admin.token, &by_id).await.status(), 422, "it is not theirs");
    let reader = hub.api_token(teacher.id, &[TokenScope::Read]).await;
    assert_eq!(exporter.request_link(&reader, &by_id).await.status(), 403);
    assert_eq!(hub.graphql(LIST).by(&reader).send().await.code(), "FORBIDDEN");
    let student = hub.user(Role::Student).await;
    assert_eq!(hub.graphql(LIST).by(&student.token).send().await.code(), "FORBIDDEN");
    hub.sql(&format!("UPDATE users SET role = 'student' WHERE id = {}", teacher.id)).await;
    assert_eq!(exporter.request_link(&teacher.token, &by_id).await.status(), 403);
}

#[tokio::test]
async fn what_is_saved_must_be_valid() {
    let exporter = Exporter::new().await;
    let (hub, token) = (&exporter.hub, &exporter.admin.token);
    let field = async |name: &str, options: Value| {
        let refused = save(hub, token, name, "COURSE_TEACHER_ASSIGNMENTS", options).await;
        assert_eq!(refused.code(), "BAD_USER_INPUT", "{}", refused.body);
        refused.body["errors"][0]["extensions"]["field"].as_str().unwrap().to_owned()
    };
    assert_eq!(field(" ", json!({})).await, "name");
    assert_eq!(field(&"x".repeat(101), json!({})).await, "name");
    assert_eq!(field("a", json!([])).await, "options");
    assert_eq!(field("a", json!({"format": "json"})).await, "options");
    assert_eq!(field("a", json!({"columns": ["x".repeat(20_000)]})).await, "options");
    assert_eq!(field("a", json!({"filters": {"event": "play"}})).await, "options.event");
    assert_eq!(field("a", json!({"date_range": "this_month"})).await, "options.date_range");
    for (body, saved_export) in
        [(json!({"savedExport": "x"}), true), (json!({"savedExport": 1, "format": "csv"}), true)]
    {
        let problem: Value = exporter.request_link(token, &body).await.json().await.unwrap();
        assert_eq!(problem.to_string().contains("savedExport"), saved_export, "{problem}");
    }
    let assignments = "COURSE_TEACHER_ASSIGNMENTS";
    assert_eq!(
        save(hub, token, "a", assignments, json!({"format": "csv", "headers": "keys"})).await.status,
        200
    );
    assert_eq!(save(hub, token, "a", assignments, json!({})).await.code(), "CONFLICT");
}
