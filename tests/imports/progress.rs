//! Imports in progress: watched live, or cancelled by their client.

use std::time::Duration;

use domain::access::{Role, TokenScope};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{ALL_OR_NOTHING, SKIP_INVALID, counts, hub, import, student_snapshots};
use crate::harness::blocker::Blocker;
use crate::harness::event_stream::{Events, MESSAGE_TIMEOUT};
use crate::harness::hub::{Hub, TestUser};

/// The lock that an import takes before it records its rows.
pub(super) const TABLE_LOCK: &str =
    "SELECT pg_advisory_xact_lock(hashtextextended('import student_activity_snapshots', 0))";

/// Rows that all differ.
pub(super) fn file(rows: usize) -> String {
    let rows = (0..rows).map(|row| format!("7,1,{row},2026-11-16\n"));
    format!("user_id,course_id,value,captured_at\n{}", rows.collect::<String>())
}

pub(super) async fn last_import(hub: &Hub) -> Value {
    hub.rows("SELECT id::text, state, message, rows_inserted FROM imports ORDER BY id DESC LIMIT 1").await[0]
        .take()
}

#[tokio::test]
async fn progress_is_live_from_reading_to_the_end() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let blocker = Blocker::new(&hub, TABLE_LOCK).await;
    let content = format!("{}x,1,1,\n", file(3_000));
    let importing = async { import(&hub, &admin, SKIP_INVALID, content.as_str()).await };
    let watching = async {
        Blocker::is_reached(&hub).await;
        let id = last_import(&hub).await["id"].take();
        let document = format!(
            "subscription {{ importProgress(id: {id}) {{
                state sizeBytes bytesRead rowsRead rowsInserted rowsRejected rowsPerSecond secondsLeft
            }} }}"
        );
        let mut events = Events::of(&hub, &admin.token, &document).await;
        let read = events.until("importProgress", |import| import["rowsRead"] == 3_001).await;
        let size = f64::from(u32::try_from(content.len()).unwrap());
        assert_eq!(read["state"], "RUNNING");
        assert_eq!((&read["bytesRead"], &read["sizeBytes"]), (&json!(size), &json!(size)));
        assert_eq!((&read["rowsInserted"], &read["rowsRejected"]), (&json!(0), &json!(1)));
        assert!(read["rowsPerSecond"].is_number() && read["secondsLeft"].is_number(), "{read}");
        drop(blocker);
        let end = events.until("importProgress", |import| import["state"] != "RUNNING").await;
        assert_eq!((&end["state"], &end["rowsInserted"]), (&json!("DONE"), &json!(3_000)));
        assert_eq!(end["secondsLeft"], Value::Null);
        let (name, _) = events.event().await.expect("the stream is completed");
        assert_eq!(name, "complete");
    };
    let (imported, ()) = tokio::join!(importing, watching);
    assert_eq!(counts(&imported), json!(["DONE", 3_000, 0, 1]));
}

#[tokio::test]
async fn progress_of_unknown_and_other_peoples_imports_is_refused() {
    let hub = hub().await;
    let (admin, teacher) = (hub.user(Role::Admin).await, hub.user(Role::TeacherAdmin).await);
    hub.academy.grant_manage_settings(teacher.id).await;
    let imported = import(&hub, &admin, ALL_OR_NOTHING, "user_id\n7\n").await;
    let progress = async |by: &TestUser, id: &Value| {
        let document = format!("subscription {{ importProgress(id: {id}) {{ state }} }}");
        let mut events = Events::of(&hub, &by.token, &document).await;
        let (_, data) = events.event().await.unwrap();
        serde_json::from_str::<Value>(&data).unwrap()
    };
    for id in [&imported["id"], &json!("999999")] {
        let refused = progress(&teacher, id).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused}");
    }
    let ended = progress(&admin, &imported["id"]).await;
    assert_eq!(ended["data"]["importProgress"]["state"], "DONE");
}

#[tokio::test]
async fn progress_needs_only_the_scope_to_import_and_ends_without_permission() {
    let hub = hub().await;
    let teacher = hub.user(Role::TeacherAdmin).await;
    hub.academy.grant_manage_settings(teacher.id).await;
    let token = hub.api_token(teacher.id, &[TokenScope::Import]).await;
    let blocker = Blocker::new(&hub, TABLE_LOCK).await;
    let importing = async { import(&hub, &teacher, SKIP_INVALID, file(10)).await };
    let watching = async {
        Blocker::is_reached(&hub).await;
        let document =
            format!("subscription {{ importProgress(id: {}) {{ state }} }}", last_import(&hub).await["id"]);
        let mut events = Events::of(&hub, &token, &document).await;
        events.until("importProgress", |import| import["state"] == "RUNNING").await;
        let status = "subscription { syncStatus { eventsPending } }";
        let (_, refused) = Events::of(&hub, &token, status).await.event().await.unwrap();
        assert!(refused.contains("FORBIDDEN"), "{refused}");
        // A Teacher Admin still sees the sync then.
        hub.sql(&format!("UPDATE users SET manage_settings = false WHERE id = {}", teacher.id)).await;
        let mut last = events.event().await;
        while let Some((name, _)) = &last
            && name != "complete"
        {
            last = events.event().await;
        }
        assert!(last.is_some(), "the stream is completed before the import");
        drop(blocker);
    };
    tokio::join!(importing, watching);
    assert_eq!(last_import(&hub).await["state"], "done");
}

#[tokio::test]
async fn an_import_is_cancelled_when_its_client_goes_away() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let blocker = Blocker::new(&hub, TABLE_LOCK).await;
    tokio::select! {
        imported = import(&hub, &admin, ALL_OR_NOTHING, file(100)) => panic!("{imported}"),
        () = Blocker::is_reached(&hub) => {}
    }
    // The other session still holds the lock, so only the cancellation ends the import.
    let cancelled = async {
        while last_import(&hub).await["state"] == "running" {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(MESSAGE_TIMEOUT, cancelled).await.expect("the import is cancelled");
    let import_row = last_import(&hub).await;
    assert_eq!((&import_row["state"], &import_row["rows_inserted"]), (&json!("failed"), &json!(0)));
    assert!(import_row["message"].as_str().unwrap().contains("cancel"), "{import_row}");
    drop(blocker);
    assert_eq!(student_snapshots(&hub).await.len(), 0);
    assert_eq!(counts(&import(&hub, &admin, ALL_OR_NOTHING, file(100)).await), json!(["DONE", 100, 0, 0]));
}
