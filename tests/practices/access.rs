//! Who may publish events.

use backend::config::access::TeacherAdminScope;
use domain::access::{Role, TokenScope};
use serde_json::{Value, json};

use super::{PUBLISH, Platform, cancelled, reserved};
use crate::harness::hub::NOW;

#[tokio::test]
async fn only_admins_and_services_may_publish_and_tokens_need_the_scope() {
    let platform = Platform::start().await;
    let hub = &platform.hub;
    for (role, expected) in [
        (Role::Admin, None),
        (Role::Service, None),
        (Role::TeacherAdmin, Some("FORBIDDEN")),
        (Role::Teacher, Some("FORBIDDEN")),
        (Role::Student, Some("FORBIDDEN")),
    ] {
        let user = hub.user(role).await;
        let response = hub.graphql(PUBLISH).by(&user.token).variables(json!({"events": []})).send().await;
        assert_eq!(response.body["errors"][0]["extensions"]["code"].as_str(), expected, "{role:?}");
    }
    for (scope, expected) in [(TokenScope::Platform, None), (TokenScope::Record, Some("FORBIDDEN"))] {
        let token = hub.api_token(platform.service.id, &[scope]).await;
        let response = hub.graphql(PUBLISH).by(&token).variables(json!({"events": []})).send().await;
        assert_eq!(response.body["errors"][0]["extensions"]["code"].as_str(), expected, "{scope:?}");
    }
    let anonymous = hub.graphql(PUBLISH).variables(json!({"events": [reserved(31, 101, json!({}))]}));
    assert_eq!(anonymous.code().await, "UNAUTHENTICATED");
    assert_eq!(platform.count("SELECT count(*) FROM platform_events").await, 0);
}

const RESERVATIONS: &str = "query ($id: ID!, $first: Int, $after: String) { \
    practiceReservations(practiceId: $id, first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor } \
    nodes { id userId userEmail status orderId reservedAt cancelledAt attendedAt outcomeRecordedAt } } }";

#[tokio::test]
async fn the_reservations_of_a_practice_show_what_became_of_them() {
    let platform = Platform::start().await;
    platform.apply(reserved(31, 101, json!({"reservationId": "7"}))).await;
    platform.apply(reserved(31, 102, json!({"reservationId": "8"}))).await;
    platform.apply(cancelled(31, 102, json!({}))).await;
    platform.apply(reserved(31, 103, json!({"reservationId": "9", "status": "pending"}))).await;
    let admin = platform.hub.user(Role::Admin).await;
    let page = async |variables: Value| {
        let request = platform.hub.graphql(RESERVATIONS).by(&admin.token).variables(variables);
        request.data().await["practiceReservations"].take()
    };
    let first = page(json!({"id": 31, "first": 2})).await;
    let now = NOW.format("%Y-%m-%dT%H:%M:%S+00:00").to_string();
    let row = |id: &str, user: &str, status: &str, cancelled_at: Value| {
        json!({
            "id": id, "userId": user, "userEmail": format!("s{user}@example.org"), "status": status, "orderId": null,
            "reservedAt": now, "cancelledAt": cancelled_at, "attendedAt": null, "outcomeRecordedAt": null
        })
    };
    let rows = json!([row("7", "101", "confirmed", Value::Null), row("8", "102", "cancelled", json!(now))]);
    assert_eq!((&first["nodes"], &first["totalCount"]), (&rows, &json!(3)));
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let second = page(json!({"id": 31, "first": 2, "after": first["pageInfo"]["endCursor"]})).await;
    assert_eq!(second["nodes"], json!([row("9", "103", "pending", Value::Null)]));
}

#[tokio::test]
async fn only_who_may_read_a_practice_sees_its_reservations() {
    for scope in [TeacherAdminScope::Any, TeacherAdminScope::Assigned] {
        let platform = Platform::with(|config| config.access.teacher_admin_scope = scope).await;
        let hub = &platform.hub;
        hub.sql(
            "INSERT INTO courses (id, slug, titles) VALUES (6, 'other', '{\"es\": \"Otro\"}');
            INSERT INTO lessons (id, course_id, title) VALUES (12, 6, 'Other');
            INSERT INTO discord_practices (id, lesson_id, title, start_at) VALUES (41, 12, 'Other', now())",
        )
        .await;
        let code = async |token: &str, practice: i64| {
            let response =
                hub.graphql(RESERVATIONS).by(token).variables(json!({"id": practice})).send().await;
            response.body["errors"][0]["extensions"]["code"].as_str().unwrap_or("OK").to_owned()
        };
        let teacher_admin = hub.user(Role::TeacherAdmin).await;
        hub.academy.assign(5, teacher_admin.id, "2026-01-01").await;
        let (other, unknown) = match scope {
            TeacherAdminScope::Any => ("OK", "NOT_FOUND"),
            // Nothing tells whether it exists.
            TeacherAdminScope::Assigned => ("FORBIDDEN", "FORBIDDEN"),
        };
        for (practice, expected) in [(31, "OK"), (41, other), (99, unknown)] {
            assert_eq!(code(&teacher_admin.token, practice).await, expected, "{practice}");
        }
        for role in [Role::Admin, Role::Service] {
            let user = hub.user(role).await;
            assert_eq!(
                (code(&user.token, 41).await, code(&user.token, 99).await),
                ("OK".into(), "NOT_FOUND".into())
            );
        }
        for role in [Role::Teacher, Role::Student] {
            let user = hub.user(role).await;
            assert_eq!(
                (code(&user.token, 31).await, code(&user.token, 99).await),
                ("FORBIDDEN".into(), "FORBIDDEN".into())
            );
        }
        let token = hub.api_token(platform.service.id, &[TokenScope::Platform]).await;
        assert_eq!(code(&token, 31).await, "FORBIDDEN");
        assert_eq!(code("nonsense", 31).await, "UNAUTHENTICATED");
    }
}
