//! Managing users, and users' own preferences.

use domain::access::Role;
use serde_json::json;

use crate::harness::hub::Hub;

#[tokio::test]
async fn a_demotion_takes_effect_with_the_next_request() {
    let hub = Hub::start().await;
    let (admin, other) = (hub.user(Role::Admin).await, hub.user_named("other", Role::Admin).await);
    hub.graphql("{ users { totalCount } }").by(&other.token).data().await;
    let demote = format!("mutation {{ updateUser(id: {}, role: TEACHER) {{ role permissions }} }}", other.id);
    let demoted = hub.graphql(&demote).by(&admin.token).data().await;
    assert_eq!(demoted, json!({"updateUser": {"role": "TEACHER", "permissions": []}}));
    assert_eq!(hub.graphql("{ users { totalCount } }").by(&other.token).code().await, "FORBIDDEN");
}

#[tokio::test]
async fn the_last_active_admin_cannot_be_demoted() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    for change in ["role: SERVICE", "active: false", "role: ADMIN, active: false"] {
        let change = format!("mutation {{ updateUser(id: {}, {change}) {{ id }} }}", admin.id);
        assert_eq!(hub.graphql(&change).by(&admin.token).code().await, "CONFLICT", "{change}");
    }
    let other = hub.user_named("other", Role::Admin).await;
    let demote = |id: i64, token: &str| {
        hub.graphql(&format!("mutation {{ updateUser(id: {id}, role: TEACHER) {{ id }} }}")).by(token).send()
    };
    let (first, second) = tokio::join!(demote(other.id, &admin.token), demote(admin.id, &other.token));
    let succeeded = [first, second].iter().filter(|response| response.body["errors"].is_null()).count();
    assert_eq!(succeeded, 1);
}

#[tokio::test]
async fn users_set_only_valid_preferences_of_their_own() {
    let hub = Hub::start().await;
    let ana = hub.user(Role::Teacher).await;
    let set_preferences = |preferences: &str| {
        hub.graphql(&format!("mutation {{ updatePreferences({preferences}) {{ locale timezone }} }}"))
            .by(&ana.token)
    };
    let changed = set_preferences(r#"locale: EN, timezone: "America/Bogota""#).data().await;
    assert_eq!(changed, json!({"updatePreferences": {"locale": "EN", "timezone": "America/Bogota"}}));
    let partly_changed = set_preferences("locale: ES").data().await;
    assert_eq!(partly_changed, json!({"updatePreferences": {"locale": "ES", "timezone": "America/Bogota"}}));
    assert_eq!(set_preferences(r#"timezone: "Mars/Olympus""#).code().await, "BAD_USER_INPUT");
    assert_eq!(hub.graphql("mutation { updatePreferences { id } }").code().await, "UNAUTHENTICATED");
}

#[tokio::test]
async fn admins_can_page_through_and_search_users() {
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
