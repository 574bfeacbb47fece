//! Live practices: events of the learning platform, the snapshots that follow from them, and attendance.

mod access;
mod attendance;
mod concurrency;
mod input;
mod interruptions;
mod order;
mod php;
mod rules;
mod snapshots;
mod webhook;

use backend::clock::Clock;
use backend::config::Config;
use domain::access::{Role, TokenScope};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::database::TestDatabase;
use crate::harness::hub::{Hub, TestUser};
use crate::harness::request::GraphqlRequest;

/// A hub with an academy, and the learning platform that publishes events to it.
struct Platform {
    hub: Hub,
    service: TestUser,
}

/// Two packs: one of a lesson, one of none. Practices by id: 31 is open, with two seats; 32 requires the pack 21, and 33 any
/// pack; 34 is cancelled; 35 ended an hour ago; 36 has one seat. The students are 101 to 108, the teachers 1 and 2.
const ROWS: &str = r#"
    INSERT INTO users (id, name, email, role)
        SELECT id, 'Student ' || id, 's' || id || '@example.org', 'student' FROM generate_series(101, 108) AS id;
    INSERT INTO users (id, name, email, role)
        SELECT id, 'Teacher ' || id, 't' || id || '@example.org', 'teacher' FROM generate_series(1, 2) AS id;
    INSERT INTO courses (id, slug, titles) VALUES (5, 'algebra', '{"es": "Álgebra"}');
    INSERT INTO lessons (id, course_id, title) VALUES (11, 5, 'Grupos «y» anillos');
    INSERT INTO practice_packages (id, creator_id, lesson_id, title, sessions_count, price_amount, price_currency, status) VALUES
        (21, 1, 11, 'Cuatro sesiones', 4, 49.9, 'EUR', 'active'), (22, 1, NULL, 'Una sesión', 1, 15, 'USD', 'active');
    INSERT INTO discord_practices
        (id, lesson_id, title, type, status, start_at, end_at, capacity, requires_package, practice_package_id, cohort_label)
    VALUES
        (31, 11, 'Open', 'cohort', 'scheduled', NOW + interval '2 h', NOW + interval '3 h', 2, false, NULL, 'Ñandú'),
        (32, 11, 'Pack', 'global', 'scheduled', NOW + interval '2 h', NULL, 8, true, 21, NULL),
        (33, 11, 'Any pack', 'cohort', 'scheduled', NOW + interval '2 h', NULL, 8, true, NULL, NULL),
        (34, 11, 'Cancelled', 'cohort', 'cancelled', NOW + interval '2 h', NULL, 8, false, NULL, NULL),
        (35, 11, 'Ended', 'cohort', 'scheduled', NOW - interval '2 h', NOW - interval '1 h', 8, false, NULL, NULL),
        (36, 11, 'One seat', 'cohort', 'scheduled', NOW + interval '2 h', NULL, 1, false, NULL, NULL);
"#;

const PUBLISH: &str = "mutation ($events: [PlatformEventInput!]!) { publishPlatformEvents(events: $events) \
    { eventId applied duplicate snapshotIds error { code reason field message } } }";

impl Platform {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::on(Hub::with(change).await).await
    }

    /// With the time of the system, for other programs that use it.
    async fn with_clock_of_the_system(change: impl FnOnce(&mut Config)) -> Self {
        Self::on(Hub::at(Clock::system(), TestDatabase::new().await, change).await).await
    }

    async fn on(hub: Hub) -> Self {
        hub.sql(&ROWS.replace("NOW", &format!("'{}'::timestamptz", hub.clock.now()))).await;
        let service = hub.academy.user(Role::Service).await;
        // Sign-ins expire when a test advances the clock.
        let token = hub.api_token(service, &[TokenScope::Platform, TokenScope::Read]).await;
        Self { hub, service: TestUser { id: service, token } }
    }

    fn send(&self, events: &Value) -> GraphqlRequest {
        self.hub.graphql(PUBLISH).by(&self.service.token).variables(json!({ "events": events }))
    }

    /// Publishes events, and returns the results.
    async fn publish(&self, events: Value) -> Vec<Value> {
        let mut data = self.send(&events).data().await;
        serde_json::from_value(data["publishPlatformEvents"].take()).unwrap()
    }

    /// Publishes an event that must be applied. Returns the ids of its snapshots.
    async fn apply(&self, event: Value) -> Vec<String> {
        let results = self.publish(json!([event])).await;
        assert_eq!(results[0]["applied"], true, "{event}: {results:?}");
        serde_json::from_value(results[0]["snapshotIds"].clone()).unwrap()
    }

    /// Publishes an event that must be refused. Returns the reason and the field.
    async fn refuse(&self, event: Value) -> String {
        let before = self.everything().await;
        let results = self.publish(json!([event])).await;
        assert_eq!(self.everything().await, before, "a refusal changes nothing: {event}");
        refusal(&results[0])
    }

    /// Everything that events change, except for the times.
    async fn everything(&self) -> Value {
        let reservations = "SELECT id, practice_id, user_id, status, order_id, outcome_recorded_at IS NOT NULL AS recorded \
            FROM discord_practice_reservations ORDER BY practice_id, user_id";
        let orders = "SELECT id, practice_package_id, user_id, status, sessions_remaining, payment_reference, meta \
            FROM practice_package_orders ORDER BY id";
        let requests = "SELECT id, status FROM discord_practice_requests ORDER BY id";
        let students = "SELECT user_id, category, value, payload FROM student_activity_snapshots ORDER BY id";
        let teachers =
            "SELECT teacher_id, category, value, payload FROM teacher_activity_snapshots ORDER BY id";
        let events = "SELECT event_id, kind FROM platform_events ORDER BY event_id";
        let mut rows = Vec::new();
        for query in [reservations, orders, requests, students, teachers, events] {
            rows.push(self.hub.rows(query).await);
        }
        Value::Array(rows)
    }

    async fn count(&self, query: &str) -> i64 {
        self.hub.database.client().await.query_one(query, &[]).await.unwrap().get(0)
    }

    /// Gives a student an order of a pack with this many sessions left.
    async fn order(&self, user: i64, package: i64, sessions: i32) -> String {
        let purchase = purchased(package, user, json!({}));
        self.apply(purchase).await;
        let newest = "SELECT max(id) FROM practice_package_orders";
        let id = self.count(newest).await;
        let status = if sessions == 0 { "completed" } else { "paid" };
        self.hub
            .sql(&format!(
                "UPDATE practice_package_orders SET sessions_remaining = {sessions}, status = '{status}' WHERE id = {id}"
            ))
            .await;
        id.to_string()
    }
}

/// The code, the reason and the field of a refused event.
fn refusal(result: &Value) -> String {
    assert_eq!(result["applied"], false, "{result}");
    assert_eq!(result["snapshotIds"], json!([]));
    let error = &result["error"];
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{result}");
    let text = |key: &str| error[key].as_str().unwrap_or_default();
    format!("{} {} {}", text("code"), text("reason"), text("field"))
}

/// Adds members to an object, or replaces them.
fn with(mut object: Value, members: Value) -> Value {
    let Value::Object(members) = members else { panic!("{members} is not an object") };
    object.as_object_mut().unwrap().extend(members);
    object
}

fn reserved(practice: i64, user: i64, rest: Value) -> Value {
    let event = json!({"eventId": Uuid::new_v4(), "practiceId": practice, "userId": user});
    json!({"practiceReserved": with(event, rest)})
}

fn cancelled(practice: i64, user: i64, rest: Value) -> Value {
    let event = json!({"eventId": Uuid::new_v4(), "practiceId": practice, "userId": user});
    json!({"reservationCancelled": with(event, rest)})
}

fn purchased(package: i64, user: i64, rest: Value) -> Value {
    let event = json!({"eventId": Uuid::new_v4(), "practicePackageId": package, "userId": user});
    json!({"practicePackagePurchased": with(event, rest)})
}

fn consumed(order: &str, rest: Value) -> Value {
    json!({"practiceSessionConsumed": with(json!({"eventId": Uuid::new_v4(), "orderId": order}), rest)})
}

fn escalated(lesson: i64, recipients: &[i64], rest: Value) -> Value {
    let event = json!({
        "eventId": Uuid::new_v4(), "lessonId": lesson, "pendingRequests": 3, "recipientIds": recipients
    });
    json!({"practiceRequestEscalated": with(event, rest)})
}
