//! `mirrorUsers` changes privileged accounts only for an admin who has signed in to the hub.

use domain::Role;
use domain::access::TokenScope;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::with;
use crate::harness::hub::{Hub, NOW};
use crate::harness::request::ApiResponse;

const SECRET: &str = "a secret of the platform and the hub";
const MIRROR: &str = "mutation ($input: [UserInput!]!) { mirrorUsers(input: $input) }";
const ACCOUNTS: &str = "SELECT id, name, email, role, manage_settings, active, password_hash IS NOT NULL AS password, \
                        erased_at IS NOT NULL AS erased FROM users WHERE id < 1000 ORDER BY id";

/// A row that equals an account of [`academy`].
fn user(id: i64, role: &str) -> Value {
    json!({"id": id.to_string(), "name": format!("P{id}"), "email": format!("p{id}@platform.example"), "role": role})
}

/// A hub that accepts the platform's tokens, with accounts of every kind.
async fn academy() -> Hub {
    let hub = Hub::with(|config| {
        config.auth.hs256_secret = Some(SECRET.into());
        config.auth.issuer = Some("https://academy.example".into());
        config.auth.audience = Some("hub".into());
    })
    .await;
    hub.sql(
        "INSERT INTO users (id, name, email, role, password_hash, manage_settings) \
         SELECT id, 'P' || id, 'p' || id || '@platform.example', role, password, granted FROM (VALUES \
             (10, 'admin', NULL, NULL::boolean), (11, 'admin', NULL, NULL), (12, 'admin', NULL, NULL), \
             (13, 'admin', NULL, NULL), (14, 'admin', 'hash', NULL), (15, 'admin', NULL, NULL), \
             (20, 'student', 'hash', NULL), (21, 'student', 'hash', NULL), (22, 'teacher', 'hash', NULL), \
             (23, 'student', 'hash', NULL), (24, 'student', 'hash', NULL), (25, 'teacher_admin', 'hash', true), \
             (30, 'student', NULL, NULL), (31, 'teacher_admin', NULL, NULL), (32, 'student', NULL, NULL), \
             (40, 'student', NULL, NULL), (41, 'student', NULL, NULL), (42, 'student', NULL, NULL), \
             (43, 'student', NULL, NULL), (44, 'teacher_admin', NULL, true), (45, 'student', NULL, NULL)\
         ) AS accounts (id, role, password, granted)",
    )
    .await;
    hub.sql(
        "UPDATE users SET active = false WHERE id = 15; UPDATE users SET erased_at = now() WHERE id = 45",
    )
    .await;
    hub
}

/// Rows that only a signed-in admin may store, each with the field of the error for other callers.
fn privileged_rows() -> Vec<(Value, &'static str)> {
    let manage_settings = || json!({"permissions": ["MANAGE_SETTINGS"]});
    vec![
        // Users that become admins or get the manage-settings permission.
        (user(100, "ADMIN"), "role"),
        (user(30, "ADMIN"), "role"),
        (with(user(101, "TEACHER_ADMIN"), manage_settings()), "permissions"),
        (with(user(31, "TEACHER_ADMIN"), manage_settings()), "permissions"),
        // Admins, with or without a password here.
        (user(10, "STUDENT"), "id"),
        (with(user(11, "ADMIN"), json!({"active": false})), "id"),
        (with(user(12, "ADMIN"), json!({"email": "thief@platform.example"})), "id"),
        (with(user(13, "ADMIN"), json!({"permissions": []})), "id"),
        (with(user(14, "ADMIN"), json!({"name": "Other"})), "id"),
        (user(15, "ADMIN"), "id"),
        // Accounts with a password here.
        (with(user(20, "STUDENT"), json!({"name": "Other"})), "id"),
        (with(user(21, "STUDENT"), json!({"email": "thief2@platform.example"})), "id"),
        (user(22, "TEACHER_ADMIN"), "id"),
        (with(user(23, "STUDENT"), json!({"active": false})), "id"),
        (with(user(25, "TEACHER_ADMIN"), json!({"permissions": []})), "id"),
        // The address of an account with a password (24) goes to another (32), whose address goes to a third.
        (with(user(24, "STUDENT"), json!({"email": "p32@platform.example"})), "id"),
        (with(user(32, "STUDENT"), json!({"email": "P24@Platform.example"})), "email"),
        (with(user(102, "STUDENT"), json!({"email": "p32@platform.example"})), "email"),
    ]
}

/// Rows that every caller may mirror, and how many of them are changes.
fn ordinary_rows() -> (Vec<Value>, usize) {
    let changes = vec![
        user(110, "STUDENT"),
        user(111, "TEACHER_ADMIN"),
        user(112, "SERVICE"),
        with(user(40, "TEACHER"), json!({"name": "Other"})),
        with(user(41, "STUDENT"), json!({"active": false})),
        with(user(42, "STUDENT"), json!({"email": "p43@platform.example"})),
        with(user(43, "STUDENT"), json!({"email": "p42@platform.example"})),
    ];
    let count = changes.len();
    let unchanged = [
        with(user(44, "TEACHER_ADMIN"), json!({"permissions": ["MANAGE_SETTINGS"]})),
        with(user(45, "TEACHER"), json!({"name": "Revived"})),
    ];
    (changes.into_iter().chain(unchanged).collect(), count)
}

/// The accounts that [`ordinary_rows`] changes, in their new state.
fn changed_accounts() -> Value {
    let account = |id: i64, name: &str, email: i64, role: &str, active: bool| {
        json!({"id": id, "name": name, "email": format!("p{email}@platform.example"), "role": role,
            "manage_settings": null, "active": active, "password": false, "erased": false})
    };
    json!([
        account(40, "Other", 40, "teacher", true),
        account(41, "P41", 41, "student", false),
        account(42, "P42", 43, "student", true),
        account(43, "P43", 42, "student", true),
        account(110, "P110", 110, "student", true),
        account(111, "P111", 111, "teacher_admin", true),
        account(112, "P112", 112, "service", true),
    ])
}

fn platform_token(user_id: i64) -> String {
    let claims = json!({
        "iss": "https://academy.example", "aud": "hub", "sub": user_id.to_string(), "exp": NOW.timestamp() + 60
    });
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap()
}

async fn mirror(hub: &Hub, token: &str, input: &[Value]) -> ApiResponse {
    hub.graphql(MIRROR).by(token).variables(json!({ "input": input })).send().await
}

/// The fields that a response rejects.
fn rejected_fields(response: &ApiResponse) -> Vec<String> {
    let errors = response.body["errors"].as_array().unwrap_or_else(|| panic!("{}", response.body));
    let [error] = errors.as_slice() else { panic!("{}", response.body) };
    assert_eq!(
        (&error["extensions"]["code"], &error["path"]),
        (&json!("FORBIDDEN"), &json!(["mirrorUsers"]))
    );
    let fields = error["extensions"]["fields"].as_array().unwrap();
    fields.iter().map(|rejected| rejected["field"].as_str().unwrap().to_owned()).collect()
}

/// Checks that the privileged rows are rejected with this token, and the other rows are stored.
async fn check_only_ordinary_rows_are_stored(hub: &Hub, token: &str) {
    const CHANGED: &str = "id IN (40, 41, 42, 43, 110, 111, 112)";
    let others = format!("SELECT * FROM ({ACCOUNTS}) AS accounts WHERE NOT {CHANGED} ORDER BY id");
    let before = hub.rows(&others).await;
    let (rows, fields): (Vec<Value>, Vec<&str>) = privileged_rows().into_iter().unzip();
    let names = fields.iter().enumerate().map(|(index, field)| format!("input[{index}].{field}"));
    let names: Vec<String> = names.collect();
    let (ordinary, changes) = ordinary_rows();
    let response = mirror(hub, token, &[rows, ordinary].concat()).await;
    assert_eq!(response.status, 200);
    assert_eq!(rejected_fields(&response), names);
    assert_eq!(response.body["data"]["mirrorUsers"], changes);
    assert_eq!(hub.rows(&others).await, before);
    let ordinary = format!("SELECT * FROM ({ACCOUNTS}) AS accounts WHERE {CHANGED} ORDER BY id");
    assert_eq!(hub.rows(&ordinary).await, changed_accounts());
}

#[tokio::test]
async fn a_services_token_cannot_change_privileged_accounts() {
    let hub = academy().await;
    let service = hub.user(Role::Service).await;
    let token = hub.api_token(service.id, &[TokenScope::Platform]).await;
    check_only_ordinary_rows_are_stored(&hub, &token).await;
}

#[tokio::test]
async fn a_signed_in_service_cannot_change_privileged_accounts() {
    let hub = academy().await;
    let service = hub.user(Role::Service).await;
    check_only_ordinary_rows_are_stored(&hub, &service.token).await;
}

#[tokio::test]
async fn an_admins_api_token_cannot_change_privileged_accounts() {
    let hub = academy().await;
    let admin = hub.user(Role::Admin).await;
    let token = hub.api_token(admin.id, &[TokenScope::Platform]).await;
    check_only_ordinary_rows_are_stored(&hub, &token).await;
}

#[tokio::test]
async fn an_admins_platform_token_cannot_change_privileged_accounts() {
    let hub = academy().await;
    let admin = hub.user(Role::Admin).await;
    check_only_ordinary_rows_are_stored(&hub, &platform_token(admin.id)).await;
}

#[tokio::test]
async fn a_signed_in_admin_may_store_every_row() {
    let hub = academy().await;
    let admin = hub.user(Role::Admin).await;
    let rows: Vec<Value> = privileged_rows().into_iter().map(|(row, _)| row).collect();
    // Without the last row, since the address of 32 can go to only one user.
    let rows = &rows[..rows.len() - 1];
    let response = mirror(&hub, &admin.token, rows).await;
    assert_eq!(response.body, json!({"data": {"mirrorUsers": rows.len()}}));
    let active_admins = "SELECT id FROM users WHERE id < 1000 AND role = 'admin' AND active ORDER BY id";
    let ids = json!([{"id": 12}, {"id": 13}, {"id": 14}, {"id": 15}, {"id": 30}, {"id": 100}]);
    assert_eq!(hub.rows(active_admins).await, ids);
    let swapped = "SELECT id, email FROM users WHERE id IN (24, 32) ORDER BY id";
    let expected = json!([
        {"id": 24, "email": "p32@platform.example"}, {"id": 32, "email": "P24@Platform.example"}
    ]);
    assert_eq!(hub.rows(swapped).await, expected);
}

#[tokio::test]
async fn unchanged_privileged_accounts_are_accepted_from_a_service() {
    let hub = academy().await;
    let service = hub.user(Role::Service).await;
    let inactive = with(user(15, "ADMIN"), json!({"active": false}));
    let granted = with(user(25, "TEACHER_ADMIN"), json!({"permissions": ["MANAGE_SETTINGS"]}));
    let rows = [user(10, "ADMIN"), inactive, user(20, "STUDENT"), granted, user(120, "STUDENT")];
    let response = mirror(&hub, &service.token, &rows).await;
    assert_eq!(response.body, json!({"data": {"mirrorUsers": 1}}));
}

#[tokio::test]
async fn a_service_cannot_make_itself_an_admin() {
    let hub = academy().await;
    let service = hub.user(Role::Service).await;
    let token = hub.api_token(service.id, &[TokenScope::Platform]).await;
    for password in ["'hash'", "NULL"] {
        hub.sql(&format!("UPDATE users SET password_hash = {password} WHERE id = {}", service.id)).await;
        let response = mirror(&hub, &token, &[user(service.id, "ADMIN")]).await;
        assert_eq!(rejected_fields(&response).len(), 1, "{password}");
        let role = hub.rows(&format!("SELECT role FROM users WHERE id = {}", service.id)).await;
        assert_eq!(role, json!([{"role": "service"}]), "{password}");
    }
}

#[tokio::test]
async fn a_player_token_cannot_mirror() {
    let hub = academy().await;
    let admin = hub.user(Role::Admin).await;
    assert_eq!(mirror(&hub, &hub.player_token(admin.id), &[user(110, "STUDENT")]).await.code(), "FORBIDDEN");
    assert_eq!(hub.rows("SELECT id FROM users WHERE id = 110").await, json!([]));
}
