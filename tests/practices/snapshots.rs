//! The snapshots of each kind of event, as rows, in the dataset and in a file.

use backend::practices::attendance;
use chrono::TimeDelta;
use domain::access::Role;
use serde_json::{Value, json};

use super::{Platform, cancelled, consumed, escalated, purchased, reserved};
use crate::harness::hub::{NOW, TestUser};

const STUDENTS: &str = "{ studentActivitySnapshots(first: 20) { nodes { id capturedAt userId userEmail courseId lessonId \
    practicePackageId category scope value payload } } }";
const TEACHERS: &str = "{ teacherActivitySnapshots(first: 20) { nodes { id capturedAt teacherId teacherEmail courseId lessonId \
    practicePackageId category scope value payload } } }";

impl Platform {
    /// The rows of a query of a dataset, oldest first.
    async fn rows_of(&self, query: &str) -> Vec<Value> {
        let mut data = self.hub.graphql(query).by(&self.service.token).data().await;
        let connection = data.as_object_mut().unwrap().values_mut().next().unwrap();
        let mut nodes: Vec<Value> = serde_json::from_value(connection["nodes"].take()).unwrap();
        nodes.reverse();
        nodes
    }

    /// The rows of a JSON file of a dataset, oldest first.
    async fn exported(&self, admin: &TestUser, dataset: &str) -> Vec<Value> {
        let request = json!({"dataset": dataset, "format": "json"});
        let created = self.hub.http.post(self.hub.url("/admin/data-porter/export-links"));
        let created = created.bearer_auth(&admin.token).json(&request).send().await.unwrap();
        let link: Value = created.json().await.unwrap();
        let file = self.hub.http.get(self.hub.url(link["url"].as_str().unwrap())).send().await.unwrap();
        let mut rows: Vec<Value> = file.json().await.unwrap();
        rows.reverse();
        rows
    }
}

/// The keys of an exported row as the fields of the dataset, and ids as text.
fn as_node(row: &Value) -> Value {
    let mut node = serde_json::Map::new();
    for (key, value) in row.as_object().unwrap() {
        let value = match (key.as_str(), value) {
            ("captured_at", Value::String(at)) => json!(at.replace('Z', "+00:00")),
            ("value", _) | (_, Value::Object(_)) => value.clone(),
            (_, Value::Number(id)) => json!(id.to_string()),
            _ => value.clone(),
        };
        let name = if key == "id" { key.clone() } else { domain::names::camel_case(key) };
        node.insert(name, value);
    }
    Value::Object(node)
}

#[tokio::test]
async fn each_kind_is_recorded_with_its_payload_and_seen_at_once() {
    let platform = Platform::start().await;
    let at = |minutes: i64| NOW - TimeDelta::minutes(minutes);
    let paid = json!({"orderId": "81", "paidAt": at(50)});
    let results = platform
        .publish(json!([
            purchased(21, 101, paid),
            reserved(31, 101, json!({"reservationId": "91", "occurredAt": at(40)})),
            reserved(31, 102, json!({"reservationId": "92", "status": "pending", "occurredAt": at(39)})),
            cancelled(31, 102, json!({"occurredAt": at(35)})),
            consumed("81", json!({"occurredAt": at(30)})),
            escalated(11, &[2, 1], json!({"occurredAt": at(20)})),
        ]))
        .await;
    assert!(results.iter().all(|result| result["applied"] == true), "{results:?}");
    platform.hub.clock.advance(TimeDelta::hours(4));
    let report = attendance::record(&platform.hub.app, 25).await.unwrap();
    assert_eq!((report.attended, report.cancelled, report.late), (1, 1, 1));

    let students = platform.rows_of(STUDENTS).await;
    let teachers = platform.rows_of(TEACHERS).await;
    let ids = |rows: &[Value]| rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
    let recorded: Vec<Value> =
        results.iter().flat_map(|result| result["snapshotIds"].as_array().unwrap().clone()).collect();
    let by_events: Vec<Value> =
        ids(&students)[..5].iter().filter(|id| recorded.contains(id)).cloned().collect();
    assert_eq!(by_events.len(), 4);
    assert_eq!(recorded[4..], ids(&teachers));
    let without_ids = |rows: &[Value]| rows.iter().map(without_id).collect::<Vec<_>>();
    insta::assert_json_snapshot!("students", without_ids(&students));
    insta::assert_json_snapshot!("teachers", without_ids(&teachers));

    let admin = platform.hub.user(Role::Admin).await;
    for (dataset, rows) in
        [("student_activity_snapshots", students), ("teacher_activity_snapshots", teachers)]
    {
        let exported: Vec<Value> = platform.exported(&admin, dataset).await.iter().map(as_node).collect();
        assert_eq!(without_ids(&exported), without_ids(&rows));
    }
}

fn without_id(row: &Value) -> Value {
    let mut row = row.clone();
    row.as_object_mut().unwrap().remove("id");
    row
}
