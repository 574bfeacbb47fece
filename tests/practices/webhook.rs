//! Signed webhooks: the signature, the body, and what an invalid one costs.

use chrono::TimeDelta;
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Platform, refusal, reserved};
use crate::harness::hub::NOW;
use crate::harness::request::ApiResponse;
use crate::harness::statements::Statements;

pub(super) const SECRET: &str = "the webhook secret of the tests, long enough";
const NEW_SECRET: &str = "the next webhook secret of the tests, also long";

fn sign(secret: &str, timestamp: i64, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    let mac = mac.chain_update(format!("{timestamp}.{body}")).finalize().into_bytes();
    format!("v1={}", hex::encode(mac))
}

impl Platform {
    async fn with_webhooks() -> Self {
        Self::with(|config| config.auth.webhook_secrets = vec![SECRET.into()]).await
    }

    /// Posts a body with these headers.
    async fn post_signed(&self, body: &str, timestamp: &str, signature: &str) -> ApiResponse {
        let request = self.hub.http.post(self.hub.url("/api/platform/events"));
        let request =
            request.header("dataporter-timestamp", timestamp).header("dataporter-signature", signature);
        ApiResponse::of(request.header("accept-language", "en").body(body.to_owned())).await
    }

    /// Posts a body that is signed with the secret at the current time.
    pub(super) async fn post(&self, body: &Value) -> ApiResponse {
        self.post_text(&body.to_string()).await
    }

    async fn post_text(&self, body: &str) -> ApiResponse {
        let timestamp = NOW.timestamp();
        self.post_signed(body, &timestamp.to_string(), &sign(SECRET, timestamp, body)).await
    }
}

#[tokio::test]
async fn a_signed_webhook_applies_its_events() {
    let platform = Platform::with_webhooks().await;
    let event = reserved(31, 101, json!({}));
    let body = json!({"events": [event, reserved(34, 101, json!({})), {"practiceMoved": {}}, 7]});
    let response = platform.post(&body).await;
    assert_eq!(response.status, 200, "{}", response.body);
    let results = response.body["results"].as_array().unwrap();
    assert_eq!(results[0]["eventId"], event["practiceReserved"]["eventId"]);
    assert_eq!(results[0]["applied"], true);
    assert_eq!(refusal(&results[1]), "CONFLICT PRACTICE_CANCELLED practiceId");
    assert_eq!(refusal(&results[2]), "BAD_USER_INPUT NOT_AN_EVENT practiceMoved");
    assert_eq!(refusal(&results[3]), "BAD_USER_INPUT NOT_AN_EVENT ");
    assert_eq!(results[3]["eventId"], Value::Null);
    let again = platform.post(&body).await;
    assert_eq!(again.body["results"][0]["duplicate"], true);
    assert_eq!(again.body["results"][0]["snapshotIds"], results[0]["snapshotIds"]);
}

#[tokio::test]
async fn misspelled_and_missing_fields_are_named() {
    let platform = Platform::with_webhooks().await;
    let id = "0d0f7a5e-8f0e-4c0b-9d5f-3c8b1a2e4f60";
    let body = json!({"events": [
        {"practiceReserved": {"eventId": id, "practiceId": "31", "userId": "101", "ocurredAt": "2027-01-15T08:00:00Z"}},
        {"practiceReserved": {"practiceId": 31, "userId": 101}},
        {"practiceReserved": {"eventId": id, "userId": 101}},
        {"practiceSessionConsumed": {"eventId": id, "orderId": 5, "userId": 101}},
        {"practicePackagePurchased": {"eventId": id, "practicePackageId": 21, "userId": 101, "occurredAt": null}},
        {"practiceRequestEscalated": {"eventId": id, "lessonId": 11, "pendingRequests": 1}},
        {"practiceReserved": {"eventId": id, "practiceId": 31, "userId": 101, "status": null, "orderId": null}},
    ]});
    let results = platform.post(&body).await.body["results"].take();
    let refusals: Vec<String> = results.as_array().unwrap()[..6].iter().map(refusal).collect();
    assert_eq!(
        refusals,
        [
            "BAD_USER_INPUT UNKNOWN_FIELD ocurredAt",
            "BAD_USER_INPUT MISSING eventId",
            "BAD_USER_INPUT MISSING practiceId",
            "BAD_USER_INPUT UNKNOWN_FIELD userId",
            "BAD_USER_INPUT UNKNOWN_FIELD occurredAt",
            "BAD_USER_INPUT MISSING recipientIds",
        ]
    );
    assert_eq!(results[6]["applied"], true);
}

#[tokio::test]
async fn without_a_valid_signature_the_database_is_not_visited() {
    let platform = Platform::with_webhooks().await;
    let body = json!({"events": [reserved(31, 101, json!({}))]}).to_string();
    let now = NOW.timestamp();
    let statements = Statements::of(&platform.hub.database.pool).await;
    let valid = sign(SECRET, now, &body);
    for (timestamp, signature, sent) in [
        (now, sign("another secret", now, &body), body.as_str()),
        (now, valid.clone(), "{}"),
        (now + 1, valid.clone(), &body),
        (now - 301, sign(SECRET, now - 301, &body), &body),
        (now + 301, sign(SECRET, now + 301, &body), &body),
        (now, String::new(), &body),
        (now, valid[3..].to_owned(), &body),
    ] {
        let response = platform.post_signed(sent, &timestamp.to_string(), &signature).await;
        assert_eq!((response.status, response.code().as_str()), (401, "UNAUTHENTICATED"), "{signature}");
    }
    let request = platform.hub.http.post(platform.hub.url("/api/platform/events")).body(body.clone());
    assert_eq!(ApiResponse::of(request).await.status, 401);
    assert_eq!(statements.take(), Vec::<String>::new());
    for accepted in [now - 300, now + 300] {
        let signature = sign(SECRET, accepted, &body);
        assert_eq!(platform.post_signed(&body, &accepted.to_string(), &signature).await.status, 200);
    }
    assert_ne!(statements.take(), Vec::<String>::new());
}

#[tokio::test]
async fn two_secrets_are_accepted_while_the_secret_is_rotated() {
    let platform =
        Platform::with(|config| config.auth.webhook_secrets = vec![NEW_SECRET.into(), SECRET.into()]).await;
    let body = json!({"events": []}).to_string();
    let now = NOW.timestamp();
    for (secret, status) in [(SECRET, 200), (NEW_SECRET, 200), ("an older secret of the tests, retired", 401)]
    {
        let response = platform.post_signed(&body, &now.to_string(), &sign(secret, now, &body)).await;
        assert_eq!(response.status, status, "{secret}");
    }
}

#[tokio::test]
async fn without_a_secret_there_is_no_route() {
    let platform = Platform::start().await;
    let response = platform.post(&json!({"events": []})).await;
    assert_eq!((response.status, response.code().as_str()), (404, "NOT_FOUND"));
}

#[tokio::test]
async fn a_body_that_is_no_list_of_events_is_refused_as_a_whole() {
    let platform = Platform::with_webhooks().await;
    let too_many: Vec<Value> = (0..501).map(|_| reserved(31, 101, json!({}))).collect();
    for (body, field) in [
        ("nonsense".to_owned(), "body"),
        ("[]".to_owned(), "body"),
        ("{}".to_owned(), "events"),
        (json!({"events": 7}).to_string(), "events"),
        (json!({"events": [], "token": "x"}).to_string(), "token"),
        (json!({ "events": too_many }).to_string(), "events"),
    ] {
        let response = platform.post_text(&body).await;
        assert_eq!((response.status, response.code().as_str()), (422, "BAD_USER_INPUT"), "{body}");
        assert!(response.body["errors"][field].is_string(), "{}", response.body);
    }
    let large = format!("{{\"events\": []{}}}", " ".repeat(4 << 20));
    assert_eq!(platform.post_text(&large).await.status, 413);
    let get = platform.hub.http.get(platform.hub.url("/api/platform/events"));
    assert_eq!(ApiResponse::of(get).await.status, 405);
}

#[tokio::test]
async fn a_clock_that_is_a_little_off_is_no_obstacle() {
    let platform = Platform::with_webhooks().await;
    platform.hub.clock.advance(TimeDelta::minutes(4));
    assert_eq!(platform.post(&json!({"events": []})).await.status, 200);
    platform.hub.clock.advance(TimeDelta::minutes(2));
    assert_eq!(platform.post(&json!({"events": []})).await.status, 401);
}
