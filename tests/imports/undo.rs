//! Undoing imports.

use std::time::Duration;

use domain::access::Role;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::progress::TABLE_LOCK;
use super::{ALL_OR_NOTHING, ImportOptions, SKIP_INVALID, counts, hub, import, student_snapshots};
use crate::harness::blocker::Blocker;
use crate::harness::event_stream::MESSAGE_TIMEOUT;
use crate::harness::hub::{Hub, TestUser};
use crate::harness::request::ApiResponse;

async fn undo(hub: &Hub, by: &TestUser, import: &Value) -> ApiResponse {
    let mutation = "mutation ($id: ID!) { undoImport(id: $id) { id state rowsInserted } }";
    hub.graphql(mutation).by(&by.token).variables(json!({"id": import["id"]})).send().await
}

#[tokio::test]
async fn undoing_deletes_only_the_rows_of_the_import() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let first = import(&hub, &admin, ALL_OR_NOTHING, "user_id,value,captured_at\n7,1,2026-11-16\n").await;
    let file = "user_id,value,captured_at\n7,1,2026-11-16\n7,2,2026-11-16\n8,3,\n";
    let second = import(&hub, &admin, ALL_OR_NOTHING, file).await;
    assert_eq!(counts(&second), json!(["DONE", 2, 1, 0]));

    let undone = undo(&hub, &admin, &second).await;
    assert_eq!(
        undone.body["data"]["undoImport"],
        json!({"id": second["id"], "state": "UNDONE", "rowsInserted": 2})
    );
    assert_eq!(student_snapshots(&hub).await, ["2026-11-16 00:00:00+00 7 custom 1"]);
    let by = format!("SELECT count(*) FROM imports WHERE undone_at IS NOT NULL AND undone_by = {}", admin.id);
    assert_eq!(hub.rows(&by).await, json!([{"count": 1}]));
    assert_eq!(undo(&hub, &admin, &second).await.code(), "CONFLICT", "it was undone before");

    hub.clock.advance(chrono::TimeDelta::minutes(1));
    let again = import(&hub, &admin, ALL_OR_NOTHING, file).await;
    assert_eq!(counts(&again), json!(["DONE", 2, 1, 0]), "an import that was undone does not count");
    assert_eq!(undo(&hub, &admin, &first).await.status, 200);
    assert_eq!(student_snapshots(&hub).await.len(), 2);
}

#[tokio::test]
async fn nothing_is_undone_while_another_import_stores_rows() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let imported = import(&hub, &admin, ALL_OR_NOTHING, "user_id\n7\n").await;
    let recording = Blocker::new(&hub, TABLE_LOCK).await;
    assert_eq!(undo(&hub, &admin, &imported).await.code(), "CONFLICT");
    assert_eq!(student_snapshots(&hub).await.len(), 1);
    drop(recording);
    let undone = async {
        while undo(&hub, &admin, &imported).await.body["data"].is_null() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(MESSAGE_TIMEOUT, undone).await.expect("the lock is released");
}

#[tokio::test]
async fn a_demoted_admin_cannot_undo_imports_of_teacher_snapshots() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let options = ImportOptions { dataset: "TEACHER_ACTIVITY_SNAPSHOTS", ..SKIP_INVALID };
    let imported = import(&hub, &admin, options, "teacher_id,value\n7,1\n7,x\n").await;
    assert_eq!(counts(&imported), json!(["DONE", 1, 0, 1]));
    hub.sql(&format!("UPDATE users SET role = 'teacher_admin' WHERE id = {}", admin.id)).await;
    hub.academy.grant_manage_settings(admin.id).await;
    assert_eq!(undo(&hub, &admin, &imported).await.code(), "FORBIDDEN");
}

#[tokio::test]
async fn imports_without_rows_and_those_of_others_cannot_be_undone() {
    let hub = hub().await;
    let (admin, teacher) = (hub.user(Role::Admin).await, hub.user(Role::TeacherAdmin).await);
    hub.academy.grant_manage_settings(teacher.id).await;
    let file = "user_id,course_id\n7,1\n8,x\n";
    let dry_run = import(&hub, &admin, ImportOptions { dry_run: true, ..SKIP_INVALID }, file).await;
    let rejected = import(&hub, &admin, ALL_OR_NOTHING, file).await;
    for import in [dry_run, rejected] {
        assert_eq!(undo(&hub, &admin, &import).await.code(), "CONFLICT");
    }
    let by_admin = import(&hub, &admin, SKIP_INVALID, file).await;
    let by_teacher = import(&hub, &teacher, SKIP_INVALID, "user_id,course_id\n8,1\n").await;
    for unknown in [&by_admin, &json!({"id": "999999"})] {
        assert_eq!(undo(&hub, &teacher, unknown).await.code(), "BAD_USER_INPUT");
    }
    assert_eq!(student_snapshots(&hub).await.len(), 2);
    assert_eq!(undo(&hub, &teacher, &by_teacher).await.status, 200);
    assert_eq!(undo(&hub, &admin, &by_admin).await.status, 200);
    assert_eq!(student_snapshots(&hub).await.len(), 0);
}
