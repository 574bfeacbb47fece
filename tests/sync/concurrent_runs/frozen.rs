//! A process that is frozen during a run, for example by SIGSTOP or because its machine is paused.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;
use tokio::process::Child;
use tokio::time::{sleep, timeout};

use crate::sync::fixture::SyncFixture;
use crate::sync::program::{BACKDATE_HEARTBEATS, FREEZE_DETECTED_AFTER, dataporter, signal};

impl SyncFixture {
    /// Starts a run in a separate process and waits until it is sending.
    async fn sending_run(&self) -> Child {
        let before = self.services.counts().ga4.requests;
        let arguments = ["telemetry:sync", "--until-empty", "--json"];
        let program = dataporter(&self.hub.database, &self.services, &arguments).spawn().unwrap();
        self.wait_for_ga4_requests(before + 12).await;
        program
    }

    /// Starts a run in a separate process and freezes it while it is sending.
    async fn frozen_run(&self) -> (Child, Instant) {
        let program = self.sending_run().await;
        signal(&program, Signal::SIGSTOP);
        (program, Instant::now())
    }

    /// Like `frozen_run`, but the run appears to have been frozen for three minutes.
    async fn long_frozen_run(&self) -> (Child, Instant) {
        let program = self.sending_run().await;
        self.hub.sql(BACKDATE_HEARTBEATS).await;
        signal(&program, Signal::SIGSTOP);
        (program, Instant::now())
    }

    /// Events that GA4 has more than once although their records do not say so.
    async fn unmarked_duplicates(&self) -> Vec<String> {
        let marked = "SELECT event_id FROM telemetry_deliveries WHERE driver = 'ga4' AND maybe_duplicate";
        let marked = self.hub.rows(marked).await;
        let marked: Vec<String> =
            marked.as_array().unwrap().iter().map(|row| format!("vpe-{}", row["event_id"])).collect();
        let copies = self.services.ga4_copies_by_event_uid().into_iter();
        let duplicates =
            copies.filter(|(uid, copies)| *copies > 1 && !(*copies == 2 && marked.contains(uid)));
        duplicates.map(|(uid, _)| uid).collect()
    }
}

#[tokio::test]
async fn a_frozen_run_is_replaced_and_sends_nothing_after_it_thaws() {
    let fixture = SyncFixture::on_system_clock().await;
    fixture.insert_events(200).await;
    fixture.slow_ga4(100);
    let (program, frozen_at) = fixture.long_frozen_run().await;
    let run = fixture.run().await;
    assert_eq!(run["state"], "SUCCESS", "{run}");
    assert_eq!((fixture.unsynced().await, fixture.services.ga4_copies_by_event_uid().len()), (0, 200));
    sleep(FREEZE_DETECTED_AFTER.saturating_sub(frozen_at.elapsed())).await;
    let requests = fixture.services.counts().ga4.requests;
    signal(&program, Signal::SIGCONT);
    let output = timeout(Duration::from_mins(1), program.wait_with_output())
        .await
        .expect("the program exits in time")
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(
        fixture.services.counts().ga4.requests,
        requests,
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(fixture.unmarked_duplicates().await, Vec::<String>::new());
    assert_eq!(fixture.services.mixpanel_deduped().len(), 200);
    let runs = "SELECT status, message::json ->> 'kind' AS kind FROM telemetry_sync_logs ORDER BY id";
    assert_eq!(
        fixture.hub.rows(runs).await,
        json!([{"status": "failed", "kind": "died"}, {"status": "success", "kind": null}])
    );
    fixture.assert_nothing_in_flight().await;
}

#[tokio::test]
async fn a_process_frozen_before_recording_its_run_blocks_the_sync_briefly() {
    let fixture = SyncFixture::on_system_clock().await;
    fixture.insert_events(20).await;
    let blocker = fixture.hub.database.client().await;
    blocker.batch_execute("BEGIN; LOCK TABLE telemetry_sync_logs").await.unwrap();
    let program = dataporter(&fixture.hub.database, &fixture.services, &["telemetry:sync"]).spawn().unwrap();
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
        AND application_name LIKE 'dataporter sync %' AND wait_event_type = 'Lock'";
    let began = Instant::now();
    while fixture.hub.rows(waiting).await[0]["count"] == 0 {
        assert!(began.elapsed() < Duration::from_secs(20), "the program does not wait for the table lock");
        sleep(Duration::from_millis(20)).await;
    }
    signal(&program, Signal::SIGSTOP);
    blocker.batch_execute("ROLLBACK").await.unwrap();
    let began = Instant::now();
    let request_run =
        || fixture.hub.graphql("mutation { runTelemetrySync { state } }").by(&fixture.admin_token).send();
    while request_run().await.body["errors"][0]["extensions"]["code"] == "CONFLICT" {
        assert!(began.elapsed() < Duration::from_secs(30), "the sync stays locked");
        sleep(Duration::from_millis(250)).await;
    }
    assert!(began.elapsed() > Duration::from_secs(5), "the sync was not locked");
    signal(&program, Signal::SIGCONT);
    let output = timeout(Duration::from_mins(1), program.wait_with_output())
        .await
        .expect("the program exits in time")
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    fixture.assert_nothing_in_flight().await;
}

#[tokio::test]
async fn a_server_resumes_the_sync_after_a_frozen_run() {
    let fixture = SyncFixture::on_system_clock().await;
    fixture.insert_events(60).await;
    fixture.slow_ga4(100);
    let (program, _) = fixture.long_frozen_run().await;
    fixture.hub.app.sync.resume().await.unwrap();
    for _ in 0..600 {
        if fixture.unsynced().await == 0 {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(fixture.unsynced().await, 0);
    assert_eq!(fixture.unmarked_duplicates().await, Vec::<String>::new());
    drop(program);
}

#[tokio::test]
async fn a_run_frozen_briefly_continues_and_sends_each_event_once() {
    let fixture = SyncFixture::on_system_clock().await;
    fixture.insert_events(100).await;
    fixture.slow_ga4(100);
    let (program, frozen_at) = fixture.frozen_run().await;
    sleep(FREEZE_DETECTED_AFTER.saturating_sub(frozen_at.elapsed())).await;
    let other = fixture.hub.graphql("mutation { runTelemetrySync { state } }").by(&fixture.admin_token);
    assert_eq!(other.code().await, "CONFLICT", "its heartbeat is recent");
    signal(&program, Signal::SIGCONT);
    let output = timeout(Duration::from_mins(1), program.wait_with_output())
        .await
        .expect("the program exits in time")
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("was frozen for a while"), "{stderr}");
    assert_eq!(fixture.copies(), (vec![1; 100], 100));
}
