//! What admins do with users, and users with themselves.

use domain::access::Role;
use serde_json::json;

use crate::harness::hub::Hub;

#[tokio::test]
async fn a_role_that_is_taken_away_is_gone_with_the_next_request() {
    let hub = Hub::start().await;
    let (admin, other) = (hub.user(Role::Admin).await, hub.user_named("other", Role::Admin).await);
    hub.graphql("{ users { totalCount } }").by(&other.token).data().await;
    let demote = format!("mutation {{ updateUser(id: {}, role: TEACHER) {{ role permissions }} }}", other.id);
    let demoted = hub.graphql(&demote).by(&admin.token).data().await;
    assert_eq!(demoted, json!({"updateUser": {"role": "TEACHER", "permissions": []}}));
    assert_eq!(hub.graphql("{ users { totalCount } }").by(&other.token).code().await, "FORBIDDEN");
}

#[tokio::test]
async fn one_active_admin_always_remains() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    for change in ["role: SERVICE", "active: false", "role: ADMIN, active: false"] {
        let change = format!("mutation {{ updateUser(id: {}, {change}) {{ id }} }}", admin.id);
        assert_eq!(hub.graphql(&change).by(&admin.token).code().await, "CONFLICT", "{change}");
    }
    let other = hub.user_named("other", Role::Admin).await;
    let depose = |id: i64, token: &str| {
        hub.graphql(&format!("mutation {{ updateUser(id: {id}, role: TEACHER) {{ id }} }}")).by(token).send()
    };
    let (first, second) = tokio::join!(depose(other.id, &admin.token), depose(admin.id, &other.token));
    let succeeded = [first, second].iter().filter(|answer| answer.body["errors"].is_null()).count();
    assert_eq!(succeeded, 1);
}

#[tokio::test]
async fn preferences_are_ones_own_and_make_sense() {
    let hub = Hub::start().await;
    let ana = hub.user(Role::Teacher).await;
    let prefer = |preferences: &str| {
        hub.graphql(&format!("mutation {{ updatePreferences({preferences}) {{ locale timezone }} }}"))
            .by(&ana.token)
    };
    let preferred = prefer(r#"locale: EN, timezone: "America/Bogota""#).data().await;
    assert_eq!(preferred, json!({"updatePreferences": {"locale": "EN", "timezone": "America/Bogota"}}));
    let kept = prefer("locale: ES").data().await;
    assert_eq!(kept, json!({"updatePreferences": {"locale": "ES", "timezone": "America/Bogota"}}));
    assert_eq!(prefer(r#"timezone: "Mars/Olympus""#).code().await, "BAD_USER_INPUT");
    assert_eq!(hub.graphql("mutation { updatePreferences { id } }").code().await, "UNAUTHENTICATED");
}

#[tokio::test]
async fn admins_page_through_users_and_find_them() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    for name in ["ana_1", "ana_2", "anax1"] {
        hub.user_named(name, Role::Student).await;
    }
    let page = |arguments: &str| {
        let fields = "nodes { name } pageInfo { hasNextPage endCursor } totalCount";
        hub.graphql(&format!("{{ users({arguments}) {{ {fields} }} }}")).by(&admin.token)
    };
    let first = page(r#"search: "ANA_", first: 1"#).data().await;
    assert_eq!(first["users"]["nodes"], json!([{"name": "ana_1"}]));
    assert_eq!(first["users"]["totalCount"], 2);
    let cursor = first["users"]["pageInfo"]["endCursor"].as_str().unwrap();
    let second = page(&format!(r#"search: "ana_", after: "{cursor}""#)).data().await;
    assert_eq!(second["users"]["nodes"], json!([{"name": "ana_2"}]));
    assert_eq!(second["users"]["pageInfo"]["hasNextPage"], false);
    assert_eq!(page(r#"after: "x""#).code().await, "BAD_USER_INPUT");
    assert_eq!(page("first: 501").code().await, "BAD_USER_INPUT");
    for role in [Role::TeacherAdmin, Role::Teacher, Role::Service] {
        let other = hub.user(role).await;
        assert_eq!(hub.graphql("{ users { totalCount } }").by(&other.token).code().await, "FORBIDDEN");
    }
}
