//! API tokens, tokens of the learning platform, and player tokens.

use backend::auth::player_token::PlayerToken;
use chrono::{DateTime, TimeDelta, Utc};
use domain::access::Role;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::harness::hub::{Hub, NOW, TestUser};

const CREATE: &str = "mutation ($name: String!, $scopes: [TokenScope!]!, $expiresAt: DateTime) {
    createApiToken(name: $name, scopes: $scopes, expiresAt: $expiresAt) {
        secret token { id name prefix scopes createdAt expiresAt lastUsedAt revokedAt }
    }
}";
const VIEWER: &str = "{ viewer { id } }";

/// Creates an API token, and returns its secret and its description.
async fn create(
    hub: &Hub,
    owner: &TestUser,
    scopes: &[&str],
    expires_at: Option<DateTime<Utc>>,
) -> (String, Value) {
    let variables = json!({"name": "nightly export", "scopes": scopes, "expiresAt": expires_at});
    let mut data = hub.graphql(CREATE).by(&owner.token).variables(variables).data().await;
    let secret = data["createApiToken"]["secret"].as_str().unwrap().to_owned();
    (secret, data["createApiToken"]["token"].take())
}

async fn revoke(hub: &Hub, token: &Value, by: &TestUser) -> Value {
    let revoke = "mutation ($id: ID!) { revokeApiToken(id: $id) { revokedAt } }";
    let response = hub.graphql(revoke).by(&by.token).variables(json!({"id": token["id"]})).send().await;
    response.body
}

#[tokio::test]
async fn a_token_is_shown_once_and_stored_as_a_hash() {
    let hub = Hub::start().await;
    let owner = hub.user(Role::Service).await;
    let (secret, token) = create(&hub, &owner, &["READ", "EXPORT", "READ"], None).await;
    assert!(secret.starts_with("dph_") && secret.starts_with(token["prefix"].as_str().unwrap()));
    assert_eq!(token["scopes"], json!(["READ", "EXPORT"]));
    let stored =
        hub.database.client().await.query_one("SELECT t::text FROM api_tokens t", &[]).await.unwrap();
    let stored: String = stored.get(0);
    assert!(!stored.contains(&secret[10..]), "{stored}");
    let viewer = hub.graphql(VIEWER).by(&secret).data().await;
    assert_eq!(viewer["viewer"]["id"], owner.id.to_string());
}

#[tokio::test]
async fn the_last_use_is_recorded_at_most_once_a_minute() {
    let hub = Hub::start().await;
    let owner = hub.user(Role::Service).await;
    let (secret, _) = create(&hub, &owner, &["READ"], None).await;
    let last_use = async || {
        hub.graphql(VIEWER).by(&secret).data().await;
        hub.graphql("{ apiTokens { lastUsedAt } }").by(&owner.token).data().await["apiTokens"][0]["lastUsedAt"].take()
    };
    assert_eq!(last_use().await, json!(NOW.to_rfc3339()));
    hub.clock.advance(TimeDelta::seconds(59));
    assert_eq!(last_use().await, json!(NOW.to_rfc3339()));
    hub.clock.advance(TimeDelta::seconds(1));
    assert_eq!(last_use().await, json!((NOW + TimeDelta::minutes(1)).to_rfc3339()));
}

#[tokio::test]
async fn a_token_ends_when_it_expires_is_revoked_or_loses_its_owner() {
    let hub = Hub::start().await;
    let owner = hub.user(Role::Admin).await;
    hub.user_named("another", Role::Admin).await;
    let (expiring, _) = create(&hub, &owner, &["READ"], Some(NOW + TimeDelta::minutes(5))).await;
    let (revoked, token) = create(&hub, &owner, &["READ"], None).await;
    let (orphaned, _) = create(&hub, &owner, &["READ"], None).await;
    for secret in [&expiring, &revoked, &orphaned] {
        hub.graphql("{ users { totalCount } }").by(secret).data().await;
    }
    let revoked_at = revoke(&hub, &token, &owner).await;
    hub.clock.advance(TimeDelta::minutes(5));
    assert_eq!(revoke(&hub, &token, &owner).await, revoked_at, "the first revocation counts");
    assert_eq!(hub.graphql(VIEWER).by(&expiring).code().await, "UNAUTHENTICATED");
    assert_eq!(hub.graphql(VIEWER).by(&revoked).code().await, "UNAUTHENTICATED");
    hub.sql(&format!("UPDATE users SET role = 'teacher' WHERE id = {}", owner.id)).await;
    assert_eq!(hub.graphql("{ users { totalCount } }").by(&orphaned).code().await, "FORBIDDEN");
    hub.sql(&format!("UPDATE users SET active = false WHERE id = {}", owner.id)).await;
    assert_eq!(hub.graphql(VIEWER).by(&orphaned).code().await, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_token_cannot_have_more_scopes_than_its_owner() {
    let hub = Hub::start().await;
    let expected = [
        (Role::Admin, "READ EXPORT IMPORT SYNC RECORD PLATFORM"),
        (Role::TeacherAdmin, "READ EXPORT RECORD"),
        (Role::Teacher, "READ RECORD"),
        (Role::Service, "READ EXPORT RECORD PLATFORM"),
    ];
    for (role, granted) in expected {
        let owner = hub.user(role).await;
        for scope in ["READ", "EXPORT", "IMPORT", "SYNC", "RECORD", "PLATFORM"] {
            let variables = json!({"name": "x", "scopes": [scope]});
            let response = hub.graphql(CREATE).by(&owner.token).variables(variables).send().await;
            assert_eq!(response.body["errors"].is_null(), granted.contains(scope), "{role:?} {scope}");
        }
    }
    let student = hub.user(Role::Student).await;
    assert_eq!(hub.graphql("{ apiTokens { id } }").by(&student.token).code().await, "FORBIDDEN");
    for (role, code) in [(Role::TeacherAdmin, None), (Role::Admin, Some("BAD_USER_INPUT"))] {
        let owner = hub.user_named(&format!("another {}", role.key()), role).await;
        let granted = role == Role::TeacherAdmin;
        hub.sql(&format!("UPDATE users SET manage_settings = {granted} WHERE id = {}", owner.id)).await;
        let variables = json!({"name": "x", "scopes": ["IMPORT", "SYNC"]});
        let response = hub.graphql(CREATE).by(&owner.token).variables(variables).send().await;
        assert_eq!(response.body["errors"][0]["extensions"]["code"].as_str(), code);
    }
}

#[tokio::test]
async fn a_token_cannot_manage_users_or_tokens() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    let every_scope = ["READ", "EXPORT", "IMPORT", "SYNC", "RECORD", "PLATFORM"];
    let (secret, _) = create(&hub, &admin, &every_scope, None).await;
    for operation in [
        "{ apiTokens { id } }",
        r#"mutation { createApiToken(name: "more", scopes: [READ]) { secret } }"#,
        "mutation { revokeApiToken(id: 1) { id } }",
        "mutation { updateUser(id: 1, active: true) { id } }",
        "mutation { updatePreferences(locale: EN) { id } }",
    ] {
        assert_eq!(hub.graphql(operation).by(&secret).code().await, "FORBIDDEN", "{operation}");
    }
}

#[tokio::test]
async fn only_admins_see_and_revoke_the_tokens_of_others() {
    let hub = Hub::start().await;
    let (admin, ana) = (hub.user(Role::Admin).await, hub.user(Role::TeacherAdmin).await);
    let (secret, anas_token) = create(&hub, &ana, &["READ"], None).await;
    let (_, admins_token) = create(&hub, &admin, &["READ"], None).await;
    let tokens = hub.graphql("{ apiTokens { id } }").by(&ana.token).data().await;
    assert_eq!(tokens["apiTokens"], json!([{"id": anas_token["id"]}]));
    let rejected = revoke(&hub, &admins_token, &ana).await;
    assert_eq!(rejected["errors"][0]["extensions"]["code"], "NOT_FOUND");
    let tokens = hub.graphql("{ apiTokens { id } }").by(&admin.token).data().await;
    assert_eq!(tokens["apiTokens"], json!([{"id": admins_token["id"]}, {"id": anas_token["id"]}]));
    revoke(&hub, &anas_token, &admin).await;
    assert_eq!(hub.graphql(VIEWER).by(&secret).code().await, "UNAUTHENTICATED");
}

#[tokio::test]
async fn invalid_token_fields_are_rejected_by_name() {
    let hub = Hub::start().await;
    let owner = hub.user(Role::Admin).await;
    for (variables, field) in [
        (json!({"name": " ", "scopes": ["READ"]}), "name"),
        (json!({"name": "ñ".repeat(101), "scopes": ["READ"]}), "name"),
        (json!({"name": "a\0b", "scopes": ["READ"]}), "name"),
        (json!({"name": "x", "scopes": []}), "scopes"),
        (json!({"name": "x", "scopes": ["READ"], "expiresAt": NOW}), "expiresAt"),
    ] {
        let response = hub.graphql(CREATE).by(&owner.token).variables(variables).send().await;
        assert_eq!(response.code(), "BAD_USER_INPUT");
        assert_eq!(response.body["errors"][0]["extensions"]["field"], field);
    }
}

#[tokio::test]
async fn unknown_tokens_are_rejected() {
    let hub = Hub::start().await;
    for token in ["", "dph_", "dph_ñ", &format!("dph_{}", "a".repeat(46)), "a.b.c", &"a".repeat(7000)] {
        assert_eq!(
            hub.graphql(VIEWER).header("authorization", &format!("Bearer {token}")).code().await,
            "UNAUTHENTICATED"
        );
    }
}

#[tokio::test]
async fn platform_tokens_authenticate_users() {
    const SECRET: &str = "a secret of the platform and the hub";
    let hub = Hub::with(|config| {
        config.auth.hs256_secret = Some(SECRET.into());
        config.auth.issuer = Some("https://academy.example".into());
        config.auth.audience = Some("hub".into());
    })
    .await;
    let admin = hub.user(Role::Admin).await;
    let token = |user: &str| {
        let exp = NOW.timestamp() + 60;
        let claims = json!({"iss": "https://academy.example", "aud": "hub", "sub": user, "exp": exp});
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap()
    };
    let admins_token = token(&admin.id.to_string());
    hub.graphql("{ users { totalCount } apiTokens { id } }").by(&admins_token).data().await;
    assert_eq!(hub.graphql(VIEWER).by(&token("999")).code().await, "UNAUTHENTICATED");
    hub.sql("UPDATE users SET active = false").await;
    assert_eq!(hub.graphql(VIEWER).by(&admins_token).code().await, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_player_token_only_allows_recording() {
    let hub = Hub::start().await;
    let (admin, service) = (hub.user(Role::Admin).await, hub.user(Role::Service).await);
    let (with_record, _) = create(&hub, &service, &["RECORD"], None).await;
    let (with_platform, _) = create(&hub, &service, &["PLATFORM"], None).await;
    let (with_read, _) = create(&hub, &service, &["READ"], None).await;
    let issue = format!("mutation {{ issuePlayerToken(userId: {}) {{ token expiresAt }} }}", admin.id);
    assert_eq!(hub.graphql(&issue).by(&with_read).code().await, "FORBIDDEN");
    for token in [with_record, with_platform] {
        let issued = hub.graphql(&issue).by(&token).data().await["issuePlayerToken"].take();
        assert_eq!(issued["expiresAt"], json!((NOW + TimeDelta::hours(2)).to_rfc3339()));
        let token = issued["token"].as_str().unwrap();
        let player = PlayerToken::verify(&hub.app.auth.keys, token, NOW);
        assert_eq!(player, Some(PlayerToken { user_id: admin.id }));
        for operation in
            [VIEWER, "{ apiTokens { id } }", "{ users { totalCount } }", "{ courses { id } }", &issue]
        {
            assert_eq!(hub.graphql(operation).by(token).code().await, "FORBIDDEN", "{operation}");
        }
        assert_eq!(hub.graphql("{ datasets { key } }").by(token).data().await, json!({"datasets": []}));
    }
}

#[tokio::test]
async fn player_tokens_need_an_existing_user_and_last_at_most_a_day() {
    let hub = Hub::start().await;
    let (admin, teacher) = (hub.user(Role::Admin).await, hub.user(Role::Teacher).await);
    let issue =
        |arguments: &str| hub.graphql(&format!("mutation {{ issuePlayerToken({arguments}) {{ token }} }}"));
    let for_teacher = format!("userId: {}", teacher.id);
    assert_eq!(issue(&for_teacher).by(&teacher.token).code().await, "FORBIDDEN");
    assert_eq!(issue("userId: 1").by(&admin.token).code().await, "NOT_FOUND");
    for minutes in [0, 1441, -5] {
        let arguments = format!("{for_teacher}, minutes: {minutes}");
        assert_eq!(issue(&arguments).by(&admin.token).code().await, "BAD_USER_INPUT");
    }
    issue(&format!("{for_teacher}, minutes: 1440")).by(&admin.token).data().await;
}
