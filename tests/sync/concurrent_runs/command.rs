//! `dataporter telemetry:sync`: the output and exit codes that scripts and external schedulers rely on.

use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stand_ins::Service;
use stand_ins::fault::{Answer, Fault, Rule};

use crate::sync::fixture::SyncFixture;
use crate::sync::program::{dataporter, without_drivers};

impl SyncFixture {
    async fn command(&self, arguments: &[&str]) -> Output {
        let arguments = [&["telemetry:sync"], arguments].concat();
        dataporter(&self.hub.database, &self.services, &arguments).output().await.unwrap()
    }
}

fn json_output(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[tokio::test]
async fn it_prints_a_report_as_json_or_text() {
    let fixture = SyncFixture::on_system_clock().await;
    fixture.insert_events(7).await;
    let output = fixture.command(&["--json", "--limit", "5"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let mut run = json_output(&output);
    for varying in ["id", "startedAt", "finishedAt", "durationMs"] {
        assert!(!run[varying].take().is_null(), "{varying}");
    }
    let stats = |driver: &str, requests| json!({"driver": driver, "attempted": 5, "delivered": 5, "retrying": 0, "dead": 0, "expired": 0, "requests": requests});
    let expected = json!({
        "id": null, "startedAt": null, "finishedAt": null, "durationMs": null,
        "state": "success", "processed": 5, "message": null, "drivers": [stats("ga4", 5), stats("mixpanel", 1)],
        "driversLeftOut": [],
    });
    assert_eq!(run, expected);
    let remaining = fixture.command(&["--until-empty"]).await;
    assert_eq!(remaining.status.code(), Some(0), "{remaining:?}");
    let stdout = String::from_utf8_lossy(&remaining.stdout);
    assert!(stdout.contains("success, 2 events processed"), "{stdout}");
    let nothing = fixture.command(&["--json"]).await;
    assert_eq!((nothing.status.code(), json_output(&nothing)["state"].clone()), (Some(0), json!("skipped")));
}

#[tokio::test]
async fn its_exit_code_distinguishes_failures() {
    let fixture = SyncFixture::on_system_clock().await;
    fixture.insert_events(3).await;
    let without =
        without_drivers(&fixture.hub.database, &["telemetry:sync", "--json"]).output().await.unwrap();
    assert_eq!((without.status.code(), json_output(&without)["state"].clone()), (Some(0), json!("skipped")));
    assert_eq!(json_output(&without)["driversLeftOut"], json!(["ga4", "mixpanel"]));

    let arguments = ["telemetry:sync"];
    let unset = dataporter(&fixture.hub.database, &fixture.services, &arguments)
        .env_remove("GA4_API_SECRET")
        .output()
        .await;
    let unset = unset.unwrap();
    assert_eq!(unset.status.code(), Some(2), "{unset:?}");
    assert!(String::from_utf8_lossy(&unset.stderr).contains("GA4_API_SECRET"), "{unset:?}");
    let deliveries = fixture.hub.rows("SELECT count(*) FROM telemetry_deliveries").await;
    assert_eq!(
        (deliveries, fixture.unsynced().await),
        (json!([{"count": 0}]), 3),
        "neither command changes a row"
    );

    let down = |service| Rule::new(service, Fault::Answer(Answer::empty(503)));
    fixture.services.set_faults([down(Service::Ga4), down(Service::Mixpanel)]).unwrap();
    let failed = fixture.command(&[]).await;
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    fixture.services.set_faults([down(Service::Ga4)]).unwrap();
    fixture.hub.sql("UPDATE telemetry_deliveries SET next_attempt_at = NULL").await;
    let partial = fixture.command(&["--json"]).await;
    assert_eq!((partial.status.code(), json_output(&partial)["state"].clone()), (Some(0), json!("partial")));
    assert_eq!(fixture.command(&["--limit", "0"]).await.status.code(), Some(2));
}

#[tokio::test]
async fn it_fails_if_one_service_refuses_every_event() {
    let fixture = SyncFixture::on_system_clock().await;
    fixture.insert_events(60).await;
    fixture.services.set_faults([Rule::new(Service::Ga4, Fault::Answer(Answer::html(400)))]).unwrap();
    let output = fixture.command(&["--json"]).await;
    assert_eq!(
        (output.status.code(), json_output(&output)["state"].clone()),
        (Some(1), json!("partial")),
        "{output:?}"
    );
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("GA4 refuses events"), "{stderr}");
    assert_eq!(fixture.unsynced().await, 60);
}

#[tokio::test]
async fn it_stops_at_its_time_limit_and_leaves_the_rest_pending() {
    let fixture = SyncFixture::on_system_clock().await;
    fixture.insert_events(400).await;
    fixture.slow_ga4(400);
    let began = Instant::now();
    let output = fixture.command(&["--until-empty", "--max-seconds", "1", "--json"]).await;
    assert!(began.elapsed() < Duration::from_secs(15), "the run did not stop at its time limit");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let run = json_output(&output);
    // All events that were sent were delivered.
    assert_eq!(run["state"], "success", "{run}");
    assert!(run["message"].as_str().is_some_and(|message| !message.is_empty()), "{run}");
    assert_eq!(fixture.last_run().await["message"]["kind"], "out_of_time");
    fixture.assert_nothing_in_flight().await;
    let (ga4, mixpanel) = fixture.copies();
    assert!((1..400).contains(&ga4.len()) && ga4.iter().all(|copies| *copies == 1), "{ga4:?}");
    assert_eq!(mixpanel, 400);
    assert_eq!(fixture.unsynced().await, 400 - i64::try_from(ga4.len()).unwrap());
}

#[tokio::test]
async fn it_forgets_a_driver_only_if_it_is_not_enabled() {
    let fixture = SyncFixture::on_system_clock().await;
    fixture.insert_events(3).await;
    let refused = fixture.command(&["--forget=ga4"]).await;
    let stderr = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("GA4_ENABLED=false in every process first"), "{stderr}");
    assert_eq!(fixture.hub.rows("SELECT * FROM telemetry_deliveries").await, json!([]));
    let arguments = ["telemetry:sync", "--forget=ga4", "--json"];
    let forgotten = without_drivers(&fixture.hub.database, &arguments).output().await.unwrap();
    assert_eq!(forgotten.status.code(), Some(0), "{forgotten:?}");
    assert_eq!(json_output(&forgotten), json!({"driver": "ga4", "skipped": 3}));
    assert_eq!(fixture.states("ga4").await, json!({"skipped": 3}));
    assert_eq!(fixture.command(&["--forget=matomo"]).await.status.code(), Some(2));
}
