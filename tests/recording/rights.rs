//! Permissions: who may record for whom.

use domain::Role;
use domain::access::TokenScope;
use serde_json::json;

use super::{RecordingFixture, error_of};

#[tokio::test]
async fn only_admins_and_services_may_record_for_others() {
    let fixture = RecordingFixture::new().await;
    for role in Role::ALL {
        let caller = fixture.hub.user_named(&format!("caller-{}", role.key()), role).await;
        let own_event = fixture.event(json!({"userId": caller.id.to_string()}));
        let other_event = fixture.event(json!({"userId": fixture.student.id.to_string()}));
        let data = fixture.send_as(&caller.token, json!([own_event, other_event])).data().await;
        let results = &data["recordPlayerEvents"];
        assert!(results[0]["error"].is_null(), "{}: {results}", role.key());
        let condition = format!("user_id = {}", caller.id);
        assert_eq!(fixture.count_events(&condition).await, 1);
        match role {
            Role::Admin | Role::Service => assert!(results[1]["error"].is_null(), "{results}"),
            Role::TeacherAdmin | Role::Teacher | Role::Student => {
                assert_eq!(error_of(&results[1]), ("FORBIDDEN", "NOT_YOUR_USER", "userId"), "{}", role.key());
            }
        }
    }
    assert_eq!(fixture.count_events(&format!("user_id = {}", fixture.student.id)).await, 2);
}

#[tokio::test]
async fn reporting_another_users_progress_is_forbidden() {
    let fixture = RecordingFixture::new().await;
    let other = fixture.hub.user_named("other", Role::Student).await;
    let input = json!({"lessonId": fixture.lesson.id, "source": "VIMEO", "lastSecond": 1, "userId": other.id.to_string()});
    assert_eq!(fixture.report(input.clone()).code().await, "FORBIDDEN");
    assert_eq!(fixture.count_events("true").await, 0);
    let service = fixture.hub.user(Role::Service).await;
    fixture.report_as(&service.token, input).data().await;
    assert_eq!(fixture.count_events(&format!("user_id = {}", other.id)).await, 1);
}

#[tokio::test]
async fn an_unknown_user_is_refused() {
    let fixture = RecordingFixture::new().await;
    let admin = fixture.hub.user(Role::Admin).await;
    let data =
        fixture.send_as(&admin.token, json!([fixture.event(json!({"userId": "987654321"}))])).data().await;
    assert_eq!(error_of(&data["recordPlayerEvents"][0]), ("BAD_USER_INPUT", "UNKNOWN_USER", "userId"));
}

#[tokio::test]
async fn a_player_token_only_records_events_of_its_user() {
    let fixture = RecordingFixture::new().await;
    let admin = fixture.hub.user(Role::Admin).await;
    // An admin's player token only records for the admin, too.
    for (user, other) in [(&fixture.student, &admin), (&admin, &fixture.student)] {
        let token = fixture.hub.player_token(user.id);
        let events =
            json!([fixture.event(json!({})), fixture.event(json!({"userId": other.id.to_string()}))]);
        let data = fixture.send_as(&token, events).data().await;
        let results = &data["recordPlayerEvents"];
        assert!(results[0]["error"].is_null(), "{results}");
        assert_eq!(error_of(&results[1]), ("FORBIDDEN", "NOT_YOUR_USER", "userId"));
        assert_eq!(fixture.count_events(&format!("user_id = {}", user.id)).await, 1);
        for query in ["{ courses { id } }", "{ videoPlayerEvents { nodes { id } } }", "{ apiTokens { id } }"]
        {
            assert_eq!(fixture.hub.graphql(query).by(&token).code().await, "FORBIDDEN", "{query}");
        }
    }
}

#[tokio::test]
async fn an_api_token_needs_the_scope_record() {
    let fixture = RecordingFixture::new().await;
    let service = fixture.hub.user(Role::Service).await;
    fixture.hub.academy.grant_manage_settings(service.id).await;
    for scope in TokenScope::ALL {
        let token = fixture.hub.api_token(service.id, &[scope]).await;
        let response = fixture.send_as(&token, json!([fixture.event(json!({}))])).send().await;
        if scope == TokenScope::Record {
            assert!(response.body["errors"].is_null(), "{}", response.body);
        } else {
            assert_eq!(response.code(), "FORBIDDEN", "{}", scope.key());
        }
    }
    assert_eq!(fixture.count_events("true").await, 1);
}

#[tokio::test]
async fn anonymous_callers_and_deactivated_users_record_nothing() {
    let fixture = RecordingFixture::new().await;
    let events = json!({"events": [fixture.event(json!({}))]});
    let anonymous = fixture.hub.graphql(super::EVENTS).variables(events.clone()).send().await;
    assert_eq!(anonymous.code(), "UNAUTHENTICATED");
    let token = fixture.hub.player_token(fixture.student.id);
    fixture.hub.sql(&format!("UPDATE users SET active = false WHERE id = {}", fixture.student.id)).await;
    for token in [&token, &fixture.student.token] {
        let deactivated = fixture.hub.graphql(super::EVENTS).variables(events.clone()).by(token).send().await;
        assert_eq!(deactivated.code(), "UNAUTHENTICATED");
    }
    assert_eq!(fixture.count_events("true").await, 0);
}
