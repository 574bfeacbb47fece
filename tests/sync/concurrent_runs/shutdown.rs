//! A process that is asked to stop during a run finishes the requests in flight and starts no others.

use serde_json::json;
use stand_ins::Service;

use super::run_request;
use crate::sync::fixture::SyncFixture;
use crate::sync::program::{dataporter, server, terminate};

const EVENTS: i64 = 200;

impl SyncFixture {
    /// Asserts that some events were sent once, that the run is recorded as interrupted, and that the next
    /// run sends the other events.
    async fn assert_graceful_shutdown(&self) {
        self.assert_nothing_in_flight().await;
        let run = self.last_run().await;
        assert_eq!(
            (&run["status"], &run["message"]["kind"]),
            (&json!("partial"), &json!("interrupted")),
            "{run}"
        );
        let states = self.states("ga4").await;
        let delivered = states["delivered"].as_u64().unwrap();
        assert!((4..100).contains(&delivered), "{states}");
        let (ga4, mixpanel) = self.copies();
        assert_eq!(
            ga4,
            vec![1; usize::try_from(delivered).unwrap()],
            "each event that was sent is recorded as delivered"
        );
        assert_eq!(mixpanel, 200);
        self.services.set_faults([]).unwrap();
        assert_eq!(self.run().await["state"], "SUCCESS");
        assert_eq!(self.copies(), (vec![1; 200], 200));
        assert_eq!(self.services.requests(Service::Ga4).len(), 200, "an event was sent twice");
    }
}

#[tokio::test]
async fn the_command_shuts_down_gracefully() {
    let fixture = SyncFixture::on_system_clock().await;
    fixture.insert_events(EVENTS).await;
    fixture.slow_ga4(150);
    let command =
        dataporter(&fixture.hub.database, &fixture.services, &["telemetry:sync", "--until-empty", "--json"]);
    let program = { command }.spawn().unwrap();
    fixture.wait_for_ga4_requests(12).await;
    terminate(&program);
    let output = program.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["state"], "partial", "{report}");
    fixture.assert_graceful_shutdown().await;
}

#[tokio::test]
async fn a_server_shuts_down_gracefully() {
    let fixture = SyncFixture::on_system_clock().await;
    fixture.insert_events(EVENTS).await;
    let token = fixture.api_token().await;
    let (mut server, address) = server(&fixture).await;
    fixture.slow_ga4(150);
    let shutdown = async {
        fixture.wait_for_ga4_requests(12).await;
        terminate(&server);
    };
    let (answer, ()) = tokio::join!(run_request(&fixture.hub, &address, &token).send(), shutdown);
    // Whoever asked for the run is report how it ended.
    assert_eq!(answer.body["data"]["run"]["state"], "PARTIAL", "{}", answer.body);
    assert!(server.wait().await.unwrap().success());
    fixture.assert_graceful_shutdown().await;
}
