//! Repeated events, and events of one call that depend on each other.

use serde_json::{Value, json};

use super::rules::NONE;
use super::{Platform, cancelled, consumed, purchased, refusal, reserved};

#[tokio::test]
async fn an_event_is_applied_once_and_a_refused_one_may_be_sent_again() {
    let platform = Platform::start().await;
    let reserve = reserved(31, 101, NONE());
    let unknown = reserved(31, 200, NONE());
    let results = platform.publish(json!([reserve, unknown, reserve])).await;
    assert_eq!((&results[0]["applied"], &results[0]["duplicate"]), (&json!(true), &json!(false)));
    assert_eq!(refusal(&results[1]), "BAD_USER_INPUT UNKNOWN_USER userId");
    let repeated = |result: &Value| {
        assert_eq!(result["error"], Value::Null);
        assert_eq!((&result["applied"], &result["duplicate"]), (&json!(false), &json!(true)));
        assert_eq!(result["snapshotIds"], results[0]["snapshotIds"]);
    };
    repeated(&results[2]);
    platform
        .hub
        .sql("INSERT INTO users (id, name, email, role) VALUES (200, 'New', 'new@example.org', 'student')")
        .await;
    let before = platform.everything().await;
    repeated(&platform.publish(json!([reserve])).await[0]);
    assert_eq!(platform.everything().await, before);
    platform.apply(unknown).await;
    assert_eq!(platform.count("SELECT count(*) FROM student_activity_snapshots").await, 2);
}

#[tokio::test]
async fn events_of_a_call_follow_each_other() {
    let platform = Platform::start().await;
    let (first, second) = (reserved(36, 101, NONE()), reserved(36, 102, NONE()));
    let order = json!({"orderId": "81"});
    let results = platform
        .publish(json!([
            consumed("81", NONE()),
            reserved(33, 101, NONE()),
            purchased(22, 101, order),
            reserved(33, 101, NONE()),
            consumed("81", NONE()),
            consumed("81", NONE()),
            first,
            second,
            cancelled(36, 101, NONE()),
            second,
        ]))
        .await;
    let outcomes: Vec<String> = results
        .iter()
        .map(|result| if result["error"].is_null() { "applied".to_owned() } else { refusal(result) })
        .collect();
    assert_eq!(
        outcomes,
        [
            "BAD_USER_INPUT UNKNOWN_ORDER orderId",
            "CONFLICT NO_SESSIONS_LEFT practiceId",
            "applied",
            "applied",
            "applied",
            "CONFLICT NO_SESSIONS_LEFT orderId",
            "applied",
            "CONFLICT PRACTICE_FULL practiceId",
            "applied",
            "applied",
        ]
    );
}
