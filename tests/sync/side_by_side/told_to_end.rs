//! A process that is told to end while a run is under way finishes what it has begun, and nothing more.

use serde_json::json;
use stand_ins::Service;

use super::ask_to_run;
use crate::sync::ground::Ground;
use crate::sync::program::{dataporter, server, terminate};

const EVENTS: i64 = 200;

impl Ground {
    /// Some events were sent, each once, and it is on record that the run was interrupted; the next run sends the others.
    async fn assert_that_it_ended_in_good_order(&self) {
        self.assert_nothing_is_under_way().await;
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
        assert_eq!(ga4, vec![1; usize::try_from(delivered).unwrap()], "what was sent is on record as sent");
        assert_eq!(mixpanel, 200);
        self.services.set_faults([]).unwrap();
        assert_eq!(self.run().await["state"], "SUCCESS");
        assert_eq!(self.copies(), (vec![1; 200], 200));
        assert_eq!(self.services.requests(Service::Ga4).len(), 200, "nothing was sent twice");
    }
}

#[tokio::test]
async fn the_command_ends_in_good_order() {
    let ground = Ground::today().await;
    ground.events(EVENTS).await;
    ground.slow_ga4(150);
    let command =
        dataporter(&ground.hub.database, &ground.services, &["telemetry:sync", "--until-empty", "--json"]);
    let program = { command }.spawn().unwrap();
    ground.ga4_was_asked(12).await;
    terminate(&program);
    let output = program.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["state"], "partial", "{told}");
    ground.assert_that_it_ended_in_good_order().await;
}

#[tokio::test]
async fn a_server_ends_in_good_order() {
    let ground = Ground::today().await;
    ground.events(EVENTS).await;
    let token = ground.api_token().await;
    let (mut server, address) = server(&ground).await;
    ground.slow_ga4(150);
    let told_to_end = async {
        ground.ga4_was_asked(12).await;
        terminate(&server);
    };
    let (answer, ()) = tokio::join!(ask_to_run(&ground.hub, &address, &token).send(), told_to_end);
    // Whoever asked for the run is told how it ended.
    assert_eq!(answer.body["data"]["run"]["state"], "PARTIAL", "{}", answer.body);
    assert!(server.wait().await.unwrap().success());
    ground.assert_that_it_ended_in_good_order().await;
}
