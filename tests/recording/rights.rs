//! Who may record for whom.

use domain::Role;
use domain::access::TokenScope;
use serde_json::json;

use super::{Classroom, refusal};

#[tokio::test]
async fn only_admins_and_services_record_for_others() {
    let class = Classroom::open().await;
    for role in Role::ALL {
        let caller = class.hub.user_named(&format!("caller-{}", role.key()), role).await;
        let theirs = class.event(json!({"userId": caller.id.to_string()}));
        let others = class.event(json!({"userId": class.student.id.to_string()}));
        let data = class.send_by(&caller.token, json!([theirs, others])).data().await;
        let results = &data["recordPlayerEvents"];
        assert!(results[0]["error"].is_null(), "{}: {results}", role.key());
        let own = format!("user_id = {}", caller.id);
        assert_eq!(class.count(&own).await, 1);
        match role {
            Role::Admin | Role::Service => assert!(results[1]["error"].is_null(), "{results}"),
            Role::TeacherAdmin | Role::Teacher | Role::Student => {
                assert_eq!(refusal(&results[1]), ("FORBIDDEN", "NOT_YOUR_USER", "userId"), "{}", role.key());
            }
        }
    }
    assert_eq!(class.count(&format!("user_id = {}", class.student.id)).await, 2);
}

#[tokio::test]
async fn a_report_of_somebody_elses_progress_is_forbidden() {
    let class = Classroom::open().await;
    let other = class.hub.user_named("other", Role::Student).await;
    let input = json!({"lessonId": class.lesson.id, "source": "VIMEO", "lastSecond": 1, "userId": other.id.to_string()});
    assert_eq!(class.report(input.clone()).code().await, "FORBIDDEN");
    assert_eq!(class.count("true").await, 0);
    let service = class.hub.user(Role::Service).await;
    class.report_by(&service.token, input).data().await;
    assert_eq!(class.count(&format!("user_id = {}", other.id)).await, 1);
}

#[tokio::test]
async fn an_unknown_user_is_refused_by_name() {
    let class = Classroom::open().await;
    let admin = class.hub.user(Role::Admin).await;
    let data = class.send_by(&admin.token, json!([class.event(json!({"userId": "987654321"}))])).data().await;
    assert_eq!(refusal(&data["recordPlayerEvents"][0]), ("BAD_USER_INPUT", "UNKNOWN_USER", "userId"));
}

#[tokio::test]
async fn a_player_token_records_its_users_events_and_opens_nothing_else() {
    let class = Classroom::open().await;
    let admin = class.hub.user(Role::Admin).await;
    // Even an admin's player token is for the admin alone.
    for (user, other) in [(&class.student, &admin), (&admin, &class.student)] {
        let token = class.hub.player_token(user.id);
        let events = json!([class.event(json!({})), class.event(json!({"userId": other.id.to_string()}))]);
        let data = class.send_by(&token, events).data().await;
        let results = &data["recordPlayerEvents"];
        assert!(results[0]["error"].is_null(), "{results}");
        assert_eq!(refusal(&results[1]), ("FORBIDDEN", "NOT_YOUR_USER", "userId"));
        assert_eq!(class.count(&format!("user_id = {}", user.id)).await, 1);
        for query in ["{ courses { id } }", "{ videoPlayerEvents { nodes { id } } }", "{ apiTokens { id } }"]
        {
            assert_eq!(class.hub.graphql(query).by(&token).code().await, "FORBIDDEN", "{query}");
        }
    }
}

#[tokio::test]
async fn an_api_token_needs_the_scope_record() {
    let class = Classroom::open().await;
    let service = class.hub.user(Role::Service).await;
    class.hub.academy.grant_manage_settings(service.id).await;
    for scope in TokenScope::ALL {
        let token = class.hub.api_token(service.id, &[scope]).await;
        let answer = class.send_by(&token, json!([class.event(json!({}))])).send().await;
        if scope == TokenScope::Record {
            assert!(answer.body["errors"].is_null(), "{}", answer.body);
        } else {
            assert_eq!(answer.code(), "FORBIDDEN", "{}", scope.key());
        }
    }
    assert_eq!(class.count("true").await, 1);
}

#[tokio::test]
async fn nobody_and_those_who_were_locked_out_record_nothing() {
    let class = Classroom::open().await;
    let events = json!({"events": [class.event(json!({}))]});
    let nobody = class.hub.graphql(super::EVENTS).variables(events.clone()).send().await;
    assert_eq!(nobody.code(), "UNAUTHENTICATED");
    let token = class.hub.player_token(class.student.id);
    class.hub.sql(&format!("UPDATE users SET active = false WHERE id = {}", class.student.id)).await;
    for token in [&token, &class.student.token] {
        let locked_out = class.hub.graphql(super::EVENTS).variables(events.clone()).by(token).send().await;
        assert_eq!(locked_out.code(), "UNAUTHENTICATED");
    }
    assert_eq!(class.count("true").await, 0);
}
