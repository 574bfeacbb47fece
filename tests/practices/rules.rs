//! The rules of each kind of event, one after the other. A refusal names its rule and changes nothing.

use backend::practices::attendance;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Platform, cancelled, consumed, escalated, purchased, reserved};
use crate::harness::hub::NOW;

pub(super) const NONE: fn() -> Value = || json!({});

#[tokio::test]
async fn a_seat_is_reserved_only_where_one_is_free() {
    let platform = Platform::start().await;
    assert_eq!(platform.refuse(reserved(34, 101, NONE())).await, "CONFLICT PRACTICE_CANCELLED practiceId");
    assert_eq!(platform.refuse(reserved(35, 101, NONE())).await, "CONFLICT PRACTICE_ENDED practiceId");
    assert_eq!(
        platform.refuse(reserved(99, 101, NONE())).await,
        "BAD_USER_INPUT UNKNOWN_PRACTICE practiceId"
    );
    assert_eq!(platform.refuse(reserved(31, 999, NONE())).await, "BAD_USER_INPUT UNKNOWN_USER userId");
    platform.apply(reserved(31, 101, NONE())).await;
    assert_eq!(platform.refuse(reserved(31, 101, NONE())).await, "CONFLICT ALREADY_RESERVED userId");
    platform.apply(reserved(31, 102, json!({"status": "pending"}))).await;
    // A pending reservation takes a seat too, and confirming it takes no other.
    assert_eq!(platform.refuse(reserved(31, 103, NONE())).await, "CONFLICT PRACTICE_FULL practiceId");
    platform.apply(reserved(31, 102, NONE())).await;
    assert_eq!(platform.refuse(reserved(31, 103, NONE())).await, "CONFLICT PRACTICE_FULL practiceId");
    let statuses =
        platform.hub.rows("SELECT user_id, status FROM discord_practice_reservations ORDER BY 1").await;
    assert_eq!(
        statuses,
        json!([{"user_id": 101, "status": "confirmed"}, {"user_id": 102, "status": "confirmed"}])
    );
}

#[tokio::test]
async fn a_reservation_that_arrives_late_counts_from_when_it_was_made() {
    let platform = Platform::start().await;
    let during = json!({"occurredAt": NOW - TimeDelta::minutes(61)});
    platform.apply(reserved(35, 101, during.clone())).await;
    let at_the_end = json!({"occurredAt": NOW - TimeDelta::hours(1)});
    assert_eq!(platform.refuse(reserved(35, 102, at_the_end)).await, "CONFLICT PRACTICE_ENDED practiceId");
    // Also after the practice is completed, but not for one that the platform completed early.
    platform.hub.sql("UPDATE discord_practices SET status = 'completed' WHERE id = 35").await;
    let before = json!({"occurredAt": NOW - TimeDelta::hours(3)});
    platform.apply(reserved(35, 102, before)).await;
    assert_eq!(platform.refuse(reserved(35, 103, during)).await, "CONFLICT PRACTICE_ENDED practiceId");
}

#[tokio::test]
async fn a_cancellation_frees_the_seat_and_the_student_may_reserve_again() {
    let platform = Platform::start().await;
    assert_eq!(platform.refuse(cancelled(36, 101, NONE())).await, "CONFLICT NO_RESERVATION userId");
    assert_eq!(
        platform.refuse(cancelled(99, 101, NONE())).await,
        "BAD_USER_INPUT UNKNOWN_PRACTICE practiceId"
    );
    platform.apply(reserved(36, 101, json!({"reservationId": "7001"}))).await;
    assert_eq!(platform.refuse(reserved(36, 102, NONE())).await, "CONFLICT PRACTICE_FULL practiceId");
    assert_eq!(platform.apply(cancelled(36, 101, NONE())).await, Vec::<String>::new());
    assert_eq!(platform.refuse(cancelled(36, 101, NONE())).await, "CONFLICT ALREADY_CANCELLED userId");
    platform.apply(reserved(36, 102, NONE())).await;
    assert_eq!(platform.refuse(reserved(36, 101, NONE())).await, "CONFLICT PRACTICE_FULL practiceId");
    platform.apply(cancelled(36, 102, NONE())).await;
    // The platform's new reservation has an id of its own.
    platform.apply(reserved(36, 101, json!({"reservationId": "7002"}))).await;
    let query = "SELECT id, status, cancelled_at FROM discord_practice_reservations WHERE user_id = 101";
    let expected = json!([{"id": 7002, "status": "confirmed", "cancelled_at": null}]);
    assert_eq!(platform.hub.rows(query).await, expected);
    let taken = reserved(31, 103, json!({"reservationId": "7002"}));
    assert_eq!(platform.refuse(taken).await, "CONFLICT RESERVATION_ID_TAKEN reservationId");
    platform.apply(reserved(31, 103, json!({"reservationId": "7001"}))).await;
    platform.hub.sql("UPDATE discord_practice_reservations SET status = 'attended' WHERE id = 7001").await;
    assert_eq!(platform.refuse(cancelled(31, 103, NONE())).await, "CONFLICT ALREADY_ATTENDED userId");
}

#[tokio::test]
async fn a_practice_that_requires_a_pack_requires_a_paid_order_with_sessions_left() {
    let platform = Platform::start().await;
    let no_sessions = "CONFLICT NO_SESSIONS_LEFT practiceId";
    assert_eq!(platform.refuse(reserved(32, 101, NONE())).await, no_sessions);
    assert_eq!(platform.refuse(reserved(33, 101, NONE())).await, no_sessions);
    let other_pack = platform.order(101, 22, 1).await;
    assert_eq!(platform.refuse(reserved(32, 101, NONE())).await, no_sessions);
    platform.apply(reserved(33, 101, NONE())).await;
    let used_up = platform.order(101, 21, 0).await;
    assert_eq!(platform.refuse(reserved(32, 101, NONE())).await, no_sessions);
    let order = platform.order(101, 21, 2).await;
    let later = platform.order(101, 21, 2).await;
    for (order_id, expected) in [
        (other_pack.as_str(), "CONFLICT ORDER_OF_ANOTHER_PACKAGE orderId"),
        (used_up.as_str(), "CONFLICT NO_SESSIONS_LEFT orderId"),
        ("999", "BAD_USER_INPUT UNKNOWN_ORDER orderId"),
    ] {
        assert_eq!(platform.refuse(reserved(32, 101, json!({"orderId": order_id}))).await, expected);
    }
    let of_another = reserved(32, 102, json!({"orderId": order}));
    assert_eq!(platform.refuse(of_another).await, "CONFLICT ORDER_OF_ANOTHER_USER orderId");
    platform
        .hub
        .sql(&format!("UPDATE practice_package_orders SET status = 'pending' WHERE id = {later}"))
        .await;
    let unpaid = reserved(32, 101, json!({"orderId": later}));
    assert_eq!(platform.refuse(unpaid).await, "CONFLICT ORDER_NOT_PAID orderId");
    platform.apply(reserved(32, 101, NONE())).await;
    let query = "SELECT practice_id, order_id::text FROM discord_practice_reservations ORDER BY 1";
    let expected =
        json!([{"practice_id": 32, "order_id": order}, {"practice_id": 33, "order_id": other_pack}]);
    assert_eq!(platform.hub.rows(query).await, expected);
    // Reserving uses no session.
    let remaining =
        format!("SELECT sessions_remaining::bigint FROM practice_package_orders WHERE id = {order}");
    assert_eq!(platform.count(&remaining).await, 2);
}

#[tokio::test]
async fn a_pending_reservation_keeps_its_order_when_it_is_confirmed() {
    let platform = Platform::start().await;
    let first = platform.order(101, 21, 1).await;
    let order = platform.order(101, 21, 1).await;
    platform.apply(reserved(32, 101, json!({"status": "pending", "orderId": order}))).await;
    platform.apply(consumed(&order, NONE())).await;
    platform.apply(reserved(32, 101, NONE())).await;
    let query = "SELECT status, order_id::text FROM discord_practice_reservations";
    assert_eq!(platform.hub.rows(query).await, json!([{"status": "confirmed", "order_id": order}]));
    // Another order must be able to pay.
    platform.apply(reserved(33, 101, json!({"status": "pending", "orderId": first}))).await;
    let used_up = reserved(33, 101, json!({"orderId": order}));
    assert_eq!(platform.refuse(used_up).await, "CONFLICT NO_SESSIONS_LEFT orderId");
    platform.apply(reserved(33, 101, json!({"orderId": first}))).await;
}

#[tokio::test]
async fn a_reservation_after_a_cancellation_is_a_new_one() {
    let platform = Platform::start().await;
    let id = "SELECT id FROM discord_practice_reservations";
    platform.apply(reserved(31, 101, json!({"status": "pending"}))).await;
    let first = platform.count(id).await;
    platform.apply(reserved(31, 101, NONE())).await;
    assert_eq!(platform.count(id).await, first, "a confirmation keeps the id");
    platform.apply(cancelled(31, 101, NONE())).await;
    platform.apply(reserved(31, 101, NONE())).await;
    assert_ne!(platform.count(id).await, first);
}

#[tokio::test]
async fn sessions_are_used_only_while_some_are_left() {
    let platform = Platform::start().await;
    assert_eq!(platform.refuse(consumed("999", NONE())).await, "BAD_USER_INPUT UNKNOWN_ORDER orderId");
    let order = platform.order(101, 21, 2).await;
    platform.apply(consumed(&order, NONE())).await;
    platform.apply(consumed(&order, NONE())).await;
    assert_eq!(platform.refuse(consumed(&order, NONE())).await, "CONFLICT NO_SESSIONS_LEFT orderId");
    let query = "SELECT status, sessions_remaining FROM practice_package_orders";
    assert_eq!(platform.hub.rows(query).await, json!([{"status": "completed", "sessions_remaining": 0}]));
    for status in ["pending", "cancelled"] {
        let order = platform.order(102, 21, 2).await;
        let change = format!("UPDATE practice_package_orders SET status = '{status}' WHERE id = {order}");
        platform.hub.sql(&change).await;
        assert_eq!(platform.refuse(consumed(&order, NONE())).await, "CONFLICT ORDER_NOT_PAID orderId");
    }
}

#[tokio::test]
async fn buying_again_adds_an_order_and_a_mirrored_order_is_paid() {
    let platform = Platform::start().await;
    assert_eq!(
        platform.refuse(purchased(99, 101, NONE())).await,
        "BAD_USER_INPUT UNKNOWN_PACKAGE practicePackageId"
    );
    assert_eq!(platform.refuse(purchased(21, 999, NONE())).await, "BAD_USER_INPUT UNKNOWN_USER userId");
    platform.apply(purchased(21, 101, NONE())).await;
    platform.apply(purchased(21, 101, NONE())).await;
    assert_eq!(platform.count("SELECT count(*) FROM practice_package_orders WHERE user_id = 101").await, 2);
    platform
        .hub
        .sql(
            "INSERT INTO practice_package_orders
                (id, practice_package_id, user_id, status, sessions_remaining, paid_at, payment_reference) VALUES
                (71, 21, 102, 'pending', 0, NULL, 'mirrored'), (72, 21, 102, 'paid', 3, '2027-01-10T08:00Z', NULL),
                (73, 21, 102, 'cancelled', 4, NULL, NULL)",
        )
        .await;
    let of = |order: &str| json!({"orderId": order, "paymentReference": "PAY-1", "meta": {"a": 1}});
    assert_eq!(platform.refuse(purchased(21, 103, of("71"))).await, "CONFLICT ORDER_OF_ANOTHER_USER orderId");
    assert_eq!(
        platform.refuse(purchased(22, 102, of("71"))).await,
        "CONFLICT ORDER_OF_ANOTHER_PACKAGE orderId"
    );
    assert_eq!(platform.refuse(purchased(21, 102, of("73"))).await, "CONFLICT ORDER_CANCELLED orderId");
    platform.apply(purchased(21, 102, json!({"orderId": "71"}))).await;
    platform.apply(purchased(21, 102, of("72"))).await;
    platform.apply(purchased(21, 102, of("74"))).await;
    for order in ["71", "72", "74"] {
        let again = platform.refuse(purchased(21, 102, of(order))).await;
        assert_eq!(again, "CONFLICT ALREADY_PURCHASED orderId");
    }
    let query = "SELECT id, status, sessions_remaining AS left, paid_at, payment_reference AS reference, meta \
        FROM practice_package_orders WHERE id IN (71, 72, 74) ORDER BY id";
    let now = NOW.format("%Y-%m-%dT%H:%M:%S+00:00").to_string();
    let expected = json!([
        {"id": 71, "status": "paid", "left": 4, "paid_at": now, "reference": "mirrored", "meta": null},
        {"id": 72, "status": "paid", "left": 3, "paid_at": "2027-01-10T08:00:00+00:00", "reference": "PAY-1", "meta": {"a": 1}},
        {"id": 74, "status": "paid", "left": 4, "paid_at": now, "reference": "PAY-1", "meta": {"a": 1}},
    ]);
    assert_eq!(platform.hub.rows(query).await, expected);
}

#[tokio::test]
async fn an_escalation_needs_its_lesson_and_its_recipients() {
    let platform = Platform::start().await;
    platform
        .hub
        .sql(
            "INSERT INTO lessons (id, course_id, title) VALUES (12, 5, 'Cuerpos');
            INSERT INTO discord_practice_requests (id, lesson_id, user_id, status) VALUES
                (1, 11, 101, 'pending'), (2, 11, 102, 'cancelled'), (3, 12, 101, 'pending')",
        )
        .await;
    assert_eq!(platform.refuse(escalated(99, &[1], NONE())).await, "BAD_USER_INPUT UNKNOWN_LESSON lessonId");
    assert_eq!(
        platform.refuse(escalated(11, &[1, 9], NONE())).await,
        "BAD_USER_INPUT UNKNOWN_USER recipientIds"
    );
    let unknown = escalated(11, &[1], json!({"practiceId": 99}));
    assert_eq!(platform.refuse(unknown).await, "BAD_USER_INPUT UNKNOWN_PRACTICE practiceId");
    let snapshots = platform.apply(escalated(11, &[1, 2, 1], json!({"practiceId": 31}))).await;
    assert_eq!(snapshots.len(), 2);
    let requests = platform.hub.rows("SELECT id, status FROM discord_practice_requests ORDER BY id").await;
    let expected = json!([
        {"id": 1, "status": "escalated"}, {"id": 2, "status": "cancelled"}, {"id": 3, "status": "pending"}
    ]);
    assert_eq!(requests, expected);
}

#[tokio::test]
async fn an_erased_person_is_unknown() {
    let platform = Platform::start().await;
    let admin = platform.hub.user(domain::Role::Admin).await;
    let order = platform.order(101, 21, 2).await;
    platform.apply(reserved(36, 101, NONE())).await;
    platform.hub.graphql("mutation { eraseUserData(userId: 101) }").by(&admin.token).data().await;
    assert_eq!(platform.refuse(reserved(31, 101, NONE())).await, "BAD_USER_INPUT UNKNOWN_USER userId");
    assert_eq!(platform.refuse(purchased(21, 101, NONE())).await, "BAD_USER_INPUT UNKNOWN_USER userId");
    assert_eq!(platform.refuse(consumed(&order, NONE())).await, "BAD_USER_INPUT UNKNOWN_USER orderId");
    // Their attendance is settled without a snapshot.
    platform.hub.clock.advance(TimeDelta::hours(5));
    let report = attendance::record(&platform.hub.app, 25).await.unwrap();
    assert_eq!((report.attended, report.remaining), (1, 0));
    assert_eq!(
        platform.count("SELECT count(*) FROM student_activity_snapshots WHERE user_id = 101").await,
        0
    );
}
