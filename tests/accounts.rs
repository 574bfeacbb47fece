//! Signing in, refreshing a session and signing out.

use backend::auth::account::{Registration, create_user};
use chrono::TimeDelta;
use domain::access::Role;
use serde_json::{Value, json};

use crate::harness::hub::{Hub, NOW};
use crate::harness::request::ApiResponse;

const PASSWORD: &str = "correct horse battery";
const LOGIN: &str = "mutation ($email: String!, $password: String!) {
    login(email: $email, password: $password) { accessToken expiresAt viewer { email role permissions locale } }
}";
const REFRESH: &str = "mutation { refreshSession { accessToken viewer { email } } }";
const VIEWER: &str = "{ viewer { id } }";

/// Creates an account with a password.
async fn register(hub: &Hub, email: &str) -> i64 {
    let mut conn = hub.database.pool.get().await.unwrap();
    let registration = Registration {
        name: "Ana",
        email,
        role: Role::Admin,
        manage_settings: None,
        password: PASSWORD.into(),
    };
    create_user(&mut conn, &hub.app.auth.passwords, registration).await.unwrap().id
}

async fn login(hub: &Hub, email: &str, password: &str) -> ApiResponse {
    hub.graphql(LOGIN).variables(json!({"email": email, "password": password})).send().await
}

/// The `Cookie` header that a browser would send back.
fn cookie_header(response: &ApiResponse) -> String {
    response.cookie.as_ref().unwrap().split(';').next().unwrap().to_owned()
}

async fn refresh(hub: &Hub, cookie: &str) -> ApiResponse {
    hub.graphql(REFRESH).header("cookie", cookie).send().await
}

fn access_token(response: &ApiResponse, field: &str) -> String {
    response.body["data"][field]["accessToken"]
        .as_str()
        .unwrap_or_else(|| panic!("{}", response.body))
        .to_owned()
}

#[tokio::test]
async fn a_sign_in_returns_an_access_token_and_a_strict_cookie() {
    let hub = Hub::start().await;
    register(&hub, "Ana@example.com").await;
    let response = login(&hub, " ana@EXAMPLE.com", PASSWORD).await;
    let session = &response.body["data"]["login"];
    assert_eq!(session["expiresAt"], json!((NOW + TimeDelta::minutes(15)).to_rfc3339()));
    assert_eq!(
        session["viewer"],
        json!({"email": "Ana@example.com", "role": "ADMIN", "permissions": ["MANAGE_SETTINGS"], "locale": "ES"})
    );
    let cookie = response.cookie.as_ref().unwrap();
    let attributes = cookie.split_once("; ").unwrap().1;
    assert_eq!(attributes, "Path=/graphql; Max-Age=2592000; HttpOnly; SameSite=Strict");
    hub.graphql(VIEWER).by(&access_token(&response, "login")).data().await;
}

#[tokio::test]
async fn the_cookie_is_secure_if_the_hub_uses_https() {
    let hub = Hub::with(|config| config.hub.url = "https://hub.example".parse().unwrap()).await;
    register(&hub, "ana@example.com").await;
    let cookie = login(&hub, "ana@example.com", PASSWORD).await.cookie.unwrap();
    assert!(cookie.ends_with("; Secure"), "{cookie}");
}

#[tokio::test]
async fn a_failed_sign_in_does_not_reveal_what_was_wrong() {
    let hub = Hub::start().await;
    register(&hub, "ana@example.com").await;
    let deactivated = register(&hub, "eva@example.com").await;
    hub.sql(&format!("UPDATE users SET active = false WHERE id = {deactivated}")).await;
    hub.user_named("without-password", Role::Admin).await;
    hub.sql("UPDATE users SET password_hash = null WHERE name = 'without-password'").await;
    let wrong = login(&hub, "ana@example.com", "correct horse batterx").await;
    assert_eq!(wrong.code(), "UNAUTHENTICATED");
    assert!(wrong.cookie.is_none());
    for email in ["nobody@example.com", "eva@example.com", "without-password@example.com", "", "\0"] {
        assert_eq!(login(&hub, email, PASSWORD).await.body, wrong.body, "{email}");
    }
    assert_eq!(login(&hub, "ana@example.com", &"a".repeat(5000)).await.body, wrong.body);
}

#[tokio::test]
async fn sign_ins_are_rate_limited_per_account_even_if_it_does_not_exist() {
    let hub = Hub::with(|config| config.auth.login_attempts_per_address = 100).await;
    register(&hub, "ana@example.com").await;
    for email in ["ana@example.com", "nobody@example.com"] {
        for _ in 0..5 {
            assert_eq!(login(&hub, email, "guess, guess").await.code(), "UNAUTHENTICATED");
        }
        let rejected = login(&hub, email, PASSWORD).await;
        assert_eq!(rejected.code(), "RATE_LIMITED");
        assert_eq!(rejected.body["errors"][0]["extensions"]["retryAfterSeconds"], 30);
    }
    hub.clock.advance(TimeDelta::seconds(30));
    access_token(&login(&hub, "ana@example.com", PASSWORD).await, "login");
}

#[tokio::test]
async fn sign_ins_are_rate_limited_per_address() {
    let hub = Hub::start().await;
    for number in 0..20 {
        assert_eq!(
            login(&hub, &format!("{number}@example.com"), "guess, guess").await.code(),
            "UNAUTHENTICATED"
        );
    }
    assert_eq!(login(&hub, "ana@example.com", PASSWORD).await.code(), "RATE_LIMITED");
    hub.clock.advance(TimeDelta::minutes(1));
    assert_eq!(login(&hub, "ana@example.com", PASSWORD).await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn aliased_sign_ins_count_separately() {
    let hub = Hub::start().await;
    register(&hub, "ana@example.com").await;
    let login = format!(r#"login(email: "ana@example.com", password: "{PASSWORD}") {{ expiresAt }}"#);
    let aliases: Vec<String> = (0..21).map(|number| format!("a{number}: {login}")).collect();
    let aliases = aliases.join(" ");
    let rejected = hub.graphql(&format!("mutation {{ {aliases} }}")).send().await;
    assert_eq!(
        (rejected.code(), &rejected.body["errors"][0]["path"][0]),
        ("RATE_LIMITED".into(), &json!("a20"))
    );
}

#[tokio::test]
async fn a_refresh_returns_a_new_cookie_and_access_token() {
    let hub = Hub::start().await;
    register(&hub, "ana@example.com").await;
    let first = login(&hub, "ana@example.com", PASSWORD).await;
    hub.clock.advance(TimeDelta::days(29));
    assert_eq!(hub.graphql(VIEWER).by(&access_token(&first, "login")).code().await, "UNAUTHENTICATED");
    let second = refresh(&hub, &cookie_header(&first)).await;
    assert_ne!(cookie_header(&first), cookie_header(&second));
    hub.graphql(VIEWER).by(&access_token(&second, "refreshSession")).data().await;
    hub.clock.advance(TimeDelta::days(29));
    let third = refresh(&hub, &cookie_header(&second)).await;
    hub.clock.advance(TimeDelta::days(30));
    assert_eq!(refresh(&hub, &cookie_header(&third)).await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn reusing_a_refresh_token_ends_the_session() {
    let hub = Hub::start().await;
    register(&hub, "ana@example.com").await;
    let first = login(&hub, "ana@example.com", PASSWORD).await;
    let other = login(&hub, "ana@example.com", PASSWORD).await;
    let second = refresh(&hub, &cookie_header(&first)).await;
    let replayed = refresh(&hub, &cookie_header(&first)).await;
    assert_eq!(replayed.code(), "UNAUTHENTICATED");
    assert!(replayed.cookie.unwrap().contains("Max-Age=0"));
    assert_eq!(refresh(&hub, &cookie_header(&second)).await.code(), "UNAUTHENTICATED");
    for token in [access_token(&first, "login"), access_token(&second, "refreshSession")] {
        assert_eq!(hub.graphql(VIEWER).by(&token).code().await, "UNAUTHENTICATED");
    }
    access_token(&refresh(&hub, &cookie_header(&other)).await, "refreshSession");
}

#[tokio::test]
async fn at_most_one_concurrent_refresh_succeeds() {
    let hub = Hub::start().await;
    register(&hub, "ana@example.com").await;
    let first = login(&hub, "ana@example.com", PASSWORD).await;
    let cookie = cookie_header(&first);
    let responses = futures_util::future::join_all((0..8).map(|_| refresh(&hub, &cookie))).await;
    let (succeeded, rejected): (Vec<_>, Vec<_>) =
        responses.iter().partition(|response| response.body["errors"].is_null());
    assert_eq!((succeeded.len(), rejected.len()), (1, 7));
    assert_eq!(refresh(&hub, &cookie_header(succeeded[0])).await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_sign_out_ends_only_the_current_session() {
    let hub = Hub::start().await;
    register(&hub, "ana@example.com").await;
    let current = login(&hub, "ana@example.com", PASSWORD).await;
    let other = login(&hub, "ana@example.com", PASSWORD).await;
    let logout = hub.graphql("mutation { logout }").header("cookie", &cookie_header(&current)).send().await;
    assert_eq!(logout.body["data"]["logout"], true);
    assert!(logout.cookie.unwrap().contains("Max-Age=0"));
    assert_eq!(hub.graphql(VIEWER).by(&access_token(&current, "login")).code().await, "UNAUTHENTICATED");
    assert_eq!(refresh(&hub, &cookie_header(&current)).await.code(), "UNAUTHENTICATED");
    hub.graphql("mutation { logout }").by(&access_token(&other, "login")).data().await;
    assert_eq!(refresh(&hub, &cookie_header(&other)).await.code(), "UNAUTHENTICATED");
    assert_eq!(hub.graphql("mutation { logout }").data().await, json!({"logout": true}));
}

#[tokio::test]
async fn deactivating_a_user_ends_their_sessions_permanently() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    let ana = register(&hub, "ana@example.com").await;
    let session = login(&hub, "ana@example.com", PASSWORD).await;
    let set_active = async |active: bool| -> Value {
        let change = format!("mutation {{ updateUser(id: {ana}, active: {active}) {{ active }} }}");
        hub.graphql(&change).by(&admin.token).data().await
    };
    assert_eq!(set_active(false).await, json!({"updateUser": {"active": false}}));
    assert_eq!(hub.graphql(VIEWER).by(&access_token(&session, "login")).code().await, "UNAUTHENTICATED");
    set_active(true).await;
    assert_eq!(hub.graphql(VIEWER).by(&access_token(&session, "login")).code().await, "UNAUTHENTICATED");
    assert_eq!(refresh(&hub, &cookie_header(&session)).await.code(), "UNAUTHENTICATED");
    access_token(&login(&hub, "ana@example.com", PASSWORD).await, "login");
}
