//! A run whose connection with the lock is cut.

use serde_json::json;

use crate::sync::ground::Ground;

/// Ends the connection that holds the lock of the sync, as an administrator or a failing network would.
const END_THE_HOLDER: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks \
    WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32) + objid::bigint = 7238261055 \
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

#[tokio::test]
async fn a_run_that_lost_the_lock_takes_up_nothing_more_and_the_next_one_takes_over() {
    let ground = Ground::today().await;
    ground.events(300).await;
    ground.slow_ga4(40);
    let cut_off = async {
        ground.ga4_was_asked(10).await;
        assert_eq!(ground.hub.rows(END_THE_HOLDER).await, json!([{"count": 1}]));
    };
    let (run, ()) = tokio::join!(ground.run(), cut_off);
    // Nobody could write down how it ended.
    assert_eq!(run["state"], "RUNNING", "{run}");
    let sent = ground.services.counts().ga4.requests;
    assert!(sent < 150, "{sent} requests");
    let begun = ground
        .hub
        .rows("SELECT count(*) FROM telemetry_deliveries WHERE driver = 'ga4' AND state <> 'pending'")
        .await;
    assert!(begun[0]["count"].as_i64().unwrap() < 150, "{begun}");

    let other = ground.another_hub().await;
    // Nor does anybody take it for one that is under way.
    let shown = other.graphql("{ syncStatus { running { state } } }").by(&ground.admin).data().await;
    assert_eq!(shown["syncStatus"]["running"], json!(null));
    ground.services.set_faults([]).unwrap();
    let next = "mutation { run: runTelemetrySync(limit: 100000) { state } }";
    let next = other.graphql(next).by(&ground.admin).data().await;
    assert_eq!(next["run"]["state"], "SUCCESS", "{next}");
    assert_eq!(ground.unsynced().await, 0);
    ground.assert_nothing_is_under_way().await;
    let runs = "SELECT status, message::json ->> 'kind' AS kind FROM telemetry_sync_logs ORDER BY id";
    let runs = ground.hub.rows(runs).await;
    assert_eq!(runs, json!([{"status": "failed", "kind": "died"}, {"status": "success", "kind": null}]));

    let doubtful = "SELECT event_id FROM telemetry_deliveries WHERE driver = 'ga4' AND maybe_duplicate";
    let doubtful = ground.hub.rows(doubtful).await;
    let doubtful: Vec<String> =
        doubtful.as_array().unwrap().iter().map(|row| format!("vpe-{}", row["event_id"])).collect();
    let copies = ground.services.ga4_copies_by_event_uid();
    assert_eq!(copies.len(), 300);
    let doubled: Vec<_> =
        copies.iter().filter(|(uid, copies)| **copies > 1 && !doubtful.contains(uid)).collect();
    assert!(doubled.is_empty(), "{doubled:?}");
    assert_eq!(ground.services.mixpanel_deduped().len(), 300);
}
