//! Invalid events: each is refused by itself, with its field, the same in GraphQL and in webhooks.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::webhook::SECRET;
use super::{Platform, consumed, escalated, purchased, refusal, reserved, with};
use crate::harness::hub::NOW;

/// Nested arrays.
fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!([inner]))
}

#[tokio::test]
async fn each_invalid_event_is_refused_by_itself() {
    let platform = Platform::with(|config| config.auth.webhook_secrets = vec![SECRET.into()]).await;
    let too_late = NOW + TimeDelta::minutes(3);
    let many: Vec<i64> = (1..=101).collect();
    let cases = [
        (reserved(31, 101, json!({"eventId": "one"})), "NOT_A_UUID eventId"),
        (reserved(31, 101, json!({"practiceId": "zero"})), "NOT_AN_ID practiceId"),
        (reserved(31, 101, json!({"userId": "-1"})), "NOT_AN_ID userId"),
        (reserved(31, 101, json!({"reservationId": "0"})), "NOT_AN_ID reservationId"),
        (reserved(31, 101, json!({"orderId": "1.5"})), "NOT_AN_ID orderId"),
        (reserved(31, 101, json!({"status": "cancelled"})), "BAD_STATUS status"),
        (reserved(31, 101, json!({"status": "attended"})), "BAD_STATUS status"),
        (reserved(31, 101, json!({"occurredAt": "yesterday"})), "NOT_A_TIMESTAMP occurredAt"),
        (reserved(31, 101, json!({"occurredAt": "0001-01-01T00:00:00Z"})), "NOT_A_TIMESTAMP occurredAt"),
        (reserved(31, 101, json!({"occurredAt": too_late})), "IN_THE_FUTURE occurredAt"),
        (purchased(21, 101, json!({"paidAt": too_late})), "IN_THE_FUTURE paidAt"),
        (
            purchased(21, 101, json!({"paymentReference": "x".repeat(201)})),
            "BAD_PAYMENT_REFERENCE paymentReference",
        ),
        (purchased(21, 101, json!({"paymentReference": "a\u{0}"})), "BAD_PAYMENT_REFERENCE paymentReference"),
        (purchased(21, 101, json!({"meta": "x".repeat(64 << 10)})), "META_TOO_LARGE meta"),
        (purchased(21, 101, json!({"meta": {"a": "\u{0}"}})), "META_NOT_STORABLE meta"),
        (purchased(21, 101, json!({"meta": nested(65)})), "META_TOO_DEEP meta"),
        (consumed("x", json!({})), "NOT_AN_ID orderId"),
        (escalated(11, &[1], json!({"pendingRequests": -1})), "BAD_PENDING_REQUESTS pendingRequests"),
        (escalated(11, &[], json!({})), "BAD_RECIPIENTS recipientIds"),
        (escalated(11, &many, json!({})), "BAD_RECIPIENTS recipientIds"),
        (escalated(11, &[1], json!({"recipientIds": ["1", "x"]})), "BAD_RECIPIENTS recipientIds"),
    ];
    let mut events: Vec<Value> = cases.iter().map(|(event, _)| event.clone()).collect();
    // The valid event between them is applied.
    events.push(reserved(31, 101, json!({})));
    let results = platform.publish(Value::Array(events.clone())).await;
    let webhook = platform.post(&json!({"events": events})).await;
    assert_eq!(webhook.status, 200, "{}", webhook.body);
    for (index, (event, expected)) in cases.iter().enumerate() {
        let expected = format!("BAD_USER_INPUT {expected}");
        assert_eq!(refusal(&results[index]), expected, "{event}");
        assert_eq!(refusal(&webhook.body["results"][index]), expected, "{event}");
    }
    assert_eq!(results[cases.len()]["applied"], true);
    assert_eq!(webhook.body["results"][cases.len()]["duplicate"], true);
    assert_eq!(platform.count("SELECT count(*) FROM platform_events").await, 1);
}

#[tokio::test]
async fn values_at_the_limits_are_accepted() {
    let platform = Platform::start().await;
    let many: Vec<i64> = (1..=2).cycle().take(100).collect();
    let meta = json!("x".repeat((64 << 10) - 2));
    let almost_now = NOW + TimeDelta::seconds(119);
    platform.apply(purchased(21, 101, json!({"paymentReference": "é".repeat(200), "meta": meta}))).await;
    platform.apply(purchased(21, 101, json!({"paymentReference": " ", "meta": nested(64)}))).await;
    platform.apply(reserved(31, 101, json!({"occurredAt": almost_now}))).await;
    assert_eq!(platform.apply(escalated(11, &many, json!({"pendingRequests": i32::MAX}))).await.len(), 2);
    let reserved_at = "SELECT reserved_at = '2027-01-15T08:00Z' AS is_now FROM discord_practice_reservations";
    assert_eq!(platform.hub.rows(reserved_at).await, json!([{"is_now": true}]));
    let references = "SELECT payment_reference IS NULL AS blank FROM practice_package_orders ORDER BY id";
    assert_eq!(platform.hub.rows(references).await, json!([{"blank": false}, {"blank": true}]));
}

#[tokio::test]
async fn a_call_has_up_to_500_events() {
    let platform = Platform::start().await;
    let order = platform.order(101, 21, 600).await;
    let events = |count| Value::Array((0..count).map(|_| consumed(&order, json!({}))).collect());
    let refused = platform.send(&events(501)).send().await;
    let extensions = &refused.body["errors"][0]["extensions"];
    assert_eq!((&extensions["code"], &extensions["field"]), (&json!("BAD_USER_INPUT"), &json!("events")));
    let results = platform.publish(events(500)).await;
    assert!(results.iter().all(|result| result["applied"] == true));
    assert_eq!(platform.count("SELECT sessions_remaining::bigint FROM practice_package_orders").await, 100);
    assert_eq!(platform.count("SELECT count(*) FROM student_activity_snapshots").await, 501);
}

#[tokio::test]
async fn the_largest_escalations_fit_into_one_call() {
    let platform = Platform::start().await;
    platform
        .hub
        .sql(
            "INSERT INTO users (id, name, email, role)
            SELECT id, 'T' || id, 'many' || id || '@example.org', 'teacher' FROM generate_series(1001, 1100) AS id",
        )
        .await;
    let everybody: Vec<i64> = (1001..=1100).collect();
    let events: Vec<Value> = (0..500).map(|_| escalated(11, &everybody, json!({}))).collect();
    let results = platform.publish(Value::Array(events)).await;
    let snapshots = |result: &Value| result["snapshotIds"].as_array().unwrap().len();
    assert!(results.iter().all(|result| snapshots(result) == 100));
    assert_eq!(platform.count("SELECT count(DISTINCT id) FROM teacher_activity_snapshots").await, 50_000);
}

#[tokio::test]
async fn an_event_has_exactly_one_kind() {
    let platform = Platform::start().await;
    let both = with(reserved(31, 101, json!({})), consumed("1", json!({})));
    for event in [both, json!({}), json!({"practiceMoved": {}})] {
        assert_eq!(platform.send(&json!([event])).code().await, "BAD_USER_INPUT");
    }
    assert_eq!(platform.count("SELECT count(*) FROM platform_events").await, 0);
}
