//! A process that is frozen in the middle of a run, as by SIGSTOP or when its machine is paused.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;
use tokio::process::Child;
use tokio::time::{sleep, timeout};

use crate::sync::ground::Ground;
use crate::sync::program::{FREEZE_NOTICED, SILENT_FOR_LONG, dataporter, signal};

impl Ground {
    /// A run by the program, which is sending.
    async fn sending_run(&self) -> Child {
        let before = self.services.counts().ga4.requests;
        let arguments = ["telemetry:sync", "--until-empty", "--json"];
        let program = dataporter(&self.hub.database, &self.services, &arguments).spawn().unwrap();
        self.ga4_was_asked(before + 12).await;
        program
    }

    /// A run by the program, frozen while it is sending.
    async fn frozen_run(&self) -> (Child, Instant) {
        let program = self.sending_run().await;
        signal(&program, Signal::SIGSTOP);
        (program, Instant::now())
    }

    /// A run that seems to have been frozen for three minutes.
    async fn long_frozen_run(&self) -> (Child, Instant) {
        let program = self.sending_run().await;
        self.hub.sql(SILENT_FOR_LONG).await;
        signal(&program, Signal::SIGSTOP);
        (program, Instant::now())
    }

    /// Copies of events at GA4 of which nothing on record says that there may be two.
    async fn unmarked_copies(&self) -> Vec<String> {
        let doubtful = "SELECT event_id FROM telemetry_deliveries WHERE driver = 'ga4' AND maybe_duplicate";
        let doubtful = self.hub.rows(doubtful).await;
        let doubtful: Vec<String> =
            doubtful.as_array().unwrap().iter().map(|row| format!("vpe-{}", row["event_id"])).collect();
        let copies = self.services.ga4_copies_by_event_uid().into_iter();
        let unmarked =
            copies.filter(|(uid, copies)| *copies > 1 && !(*copies == 2 && doubtful.contains(uid)));
        unmarked.map(|(uid, _)| uid).collect()
    }
}

#[tokio::test]
async fn a_frozen_run_is_taken_over_and_sends_nothing_more_when_it_thaws() {
    let ground = Ground::today().await;
    ground.events(200).await;
    ground.slow_ga4(100);
    let (program, frozen_at) = ground.long_frozen_run().await;
    let run = ground.run().await;
    assert_eq!(run["state"], "SUCCESS", "{run}");
    assert_eq!((ground.unsynced().await, ground.services.ga4_copies_by_event_uid().len()), (0, 200));
    sleep(FREEZE_NOTICED.saturating_sub(frozen_at.elapsed())).await;
    let requests = ground.services.counts().ga4.requests;
    signal(&program, Signal::SIGCONT);
    let output = timeout(Duration::from_mins(1), program.wait_with_output()).await.expect("it ends").unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(
        ground.services.counts().ga4.requests,
        requests,
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(ground.unmarked_copies().await, Vec::<String>::new());
    assert_eq!(ground.services.mixpanel_deduped().len(), 200);
    let runs = "SELECT status, message::json ->> 'kind' AS kind FROM telemetry_sync_logs ORDER BY id";
    assert_eq!(
        ground.hub.rows(runs).await,
        json!([{"status": "failed", "kind": "died"}, {"status": "success", "kind": null}])
    );
    ground.assert_nothing_is_under_way().await;
}

#[tokio::test]
async fn a_process_that_is_frozen_before_its_run_is_on_record_stops_the_sync_for_a_moment_only() {
    let ground = Ground::today().await;
    ground.events(20).await;
    let locker = ground.hub.database.client().await;
    locker.batch_execute("BEGIN; LOCK TABLE telemetry_sync_logs").await.unwrap();
    let program = dataporter(&ground.hub.database, &ground.services, &["telemetry:sync"]).spawn().unwrap();
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
        AND application_name LIKE 'dataporter sync %' AND wait_event_type = 'Lock'";
    let began = Instant::now();
    while ground.hub.rows(waiting).await[0]["count"] == 0 {
        assert!(began.elapsed() < Duration::from_secs(20), "the program does not begin");
        sleep(Duration::from_millis(20)).await;
    }
    signal(&program, Signal::SIGSTOP);
    locker.batch_execute("ROLLBACK").await.unwrap();
    let began = Instant::now();
    let asked = || ground.hub.graphql("mutation { runTelemetrySync { state } }").by(&ground.admin).send();
    while asked().await.body["errors"][0]["extensions"]["code"] == "CONFLICT" {
        assert!(began.elapsed() < Duration::from_secs(30), "the sync stays locked");
        sleep(Duration::from_millis(250)).await;
    }
    assert!(began.elapsed() > Duration::from_secs(5), "it was not locked");
    signal(&program, Signal::SIGCONT);
    let output = timeout(Duration::from_mins(1), program.wait_with_output()).await.expect("it ends").unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    ground.assert_nothing_is_under_way().await;
}

#[tokio::test]
async fn a_server_takes_over_from_a_frozen_run_by_itself() {
    let ground = Ground::today().await;
    ground.events(60).await;
    ground.slow_ga4(100);
    let (program, _) = ground.long_frozen_run().await;
    ground.hub.app.sync.resume().await.unwrap();
    for _ in 0..600 {
        if ground.unsynced().await == 0 {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(ground.unsynced().await, 0);
    assert_eq!(ground.unmarked_copies().await, Vec::<String>::new());
    drop(program);
}

#[tokio::test]
async fn a_run_that_was_frozen_for_a_moment_goes_on_and_sends_each_event_once() {
    let ground = Ground::today().await;
    ground.events(100).await;
    ground.slow_ga4(100);
    let (program, frozen_at) = ground.frozen_run().await;
    sleep(FREEZE_NOTICED.saturating_sub(frozen_at.elapsed())).await;
    let other = ground.hub.graphql("mutation { runTelemetrySync { state } }").by(&ground.admin);
    assert_eq!(other.code().await, "CONFLICT", "it has not been silent for long");
    signal(&program, Signal::SIGCONT);
    let output = timeout(Duration::from_mins(1), program.wait_with_output()).await.expect("it ends").unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("was not running for a while"), "{said}");
    assert_eq!(ground.copies(), (vec![1; 100], 100));
}
