//! A run that loses the connection that holds its lock.

use serde_json::json;

use crate::sync::fixture::SyncFixture;

/// Terminates the connection that holds the run lock, as an administrator or a failing network would.
const TERMINATE_LOCK_HOLDER: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks \
    WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32) + objid::bigint = 7238261055 \
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

#[tokio::test]
async fn a_run_that_lost_its_lock_fetches_nothing_more_and_the_next_resumes() {
    let fixture = SyncFixture::on_system_clock().await;
    fixture.insert_events(300).await;
    fixture.slow_ga4(40);
    let terminate = async {
        fixture.wait_for_ga4_requests(10).await;
        assert_eq!(fixture.hub.rows(TERMINATE_LOCK_HOLDER).await, json!([{"count": 1}]));
    };
    let (run, ()) = tokio::join!(fixture.run(), terminate);
    // The run could not record its outcome.
    assert_eq!(run["state"], "RUNNING", "{run}");
    let sent = fixture.services.counts().ga4.requests;
    assert!(sent < 150, "{sent} requests");
    let attempted = fixture
        .hub
        .rows("SELECT count(*) FROM telemetry_deliveries WHERE driver = 'ga4' AND state <> 'pending'")
        .await;
    assert!(attempted[0]["count"].as_i64().unwrap() < 150, "{attempted}");

    let other = fixture.another_hub().await;
    // It is not status as running either.
    let status = other.graphql("{ syncStatus { running { state } } }").by(&fixture.admin_token).data().await;
    assert_eq!(status["syncStatus"]["running"], json!(null));
    fixture.services.set_faults([]).unwrap();
    let next = "mutation { run: runTelemetrySync(limit: 100000) { state } }";
    let next = other.graphql(next).by(&fixture.admin_token).data().await;
    assert_eq!(next["run"]["state"], "SUCCESS", "{next}");
    assert_eq!(fixture.unsynced().await, 0);
    fixture.assert_nothing_in_flight().await;
    let runs = "SELECT status, message::json ->> 'kind' AS kind FROM telemetry_sync_logs ORDER BY id";
    let runs = fixture.hub.rows(runs).await;
    assert_eq!(runs, json!([{"status": "failed", "kind": "died"}, {"status": "success", "kind": null}]));

    let marked = "SELECT event_id FROM telemetry_deliveries WHERE driver = 'ga4' AND maybe_duplicate";
    let marked = fixture.hub.rows(marked).await;
    let marked: Vec<String> =
        marked.as_array().unwrap().iter().map(|row| format!("vpe-{}", row["event_id"])).collect();
    let copies = fixture.services.ga4_copies_by_event_uid();
    assert_eq!(copies.len(), 300);
    let duplicates: Vec<_> =
        copies.iter().filter(|(uid, copies)| **copies > 1 && !marked.contains(uid)).collect();
    assert!(duplicates.is_empty(), "{duplicates:?}");
    assert_eq!(fixture.services.mixpanel_deduped().len(), 300);
}
