//! Who may publish events.

use domain::access::{Role, TokenScope};
use serde_json::json;

use super::{PUBLISH, Platform, reserved};

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
