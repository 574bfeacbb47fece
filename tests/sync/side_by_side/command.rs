//! `dataporter telemetry:sync`: what a script or a schedule outside relies on.

use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stand_ins::Service;
use stand_ins::fault::{Answer, Fault, Rule};

use crate::sync::ground::Ground;
use crate::sync::program::{dataporter, without_drivers};

impl Ground {
    async fn command(&self, arguments: &[&str]) -> Output {
        let arguments = [&["telemetry:sync"], arguments].concat();
        dataporter(&self.hub.database, &self.services, &arguments).output().await.unwrap()
    }
}

fn told(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[tokio::test]
async fn it_tells_a_script_how_it_went() {
    let ground = Ground::today().await;
    ground.events(7).await;
    let output = ground.command(&["--json", "--limit", "5"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let mut run = told(&output);
    for varying in ["id", "startedAt", "finishedAt", "durationMs"] {
        assert!(!run[varying].take().is_null(), "{varying}");
    }
    let share = |driver: &str, requests| json!({"driver": driver, "attempted": 5, "delivered": 5, "retrying": 0, "dead": 0, "expired": 0, "requests": requests});
    let wanted = json!({
        "id": null, "startedAt": null, "finishedAt": null, "durationMs": null,
        "state": "success", "processed": 5, "message": null, "drivers": [share("ga4", 5), share("mixpanel", 1)],
        "driversLeftOut": [],
    });
    assert_eq!(run, wanted);
    let rest = ground.command(&["--until-empty"]).await;
    assert_eq!(rest.status.code(), Some(0), "{rest:?}");
    let words = String::from_utf8_lossy(&rest.stdout);
    assert!(words.contains("success, 2 events processed"), "{words}");
    let nothing = ground.command(&["--json"]).await;
    assert_eq!((nothing.status.code(), told(&nothing)["state"].clone()), (Some(0), json!("skipped")));
}

#[tokio::test]
async fn its_exit_code_says_what_is_wrong() {
    let ground = Ground::today().await;
    ground.events(3).await;
    let without =
        without_drivers(&ground.hub.database, &["telemetry:sync", "--json"]).output().await.unwrap();
    assert_eq!((without.status.code(), told(&without)["state"].clone()), (Some(0), json!("skipped")));
    assert_eq!(told(&without)["driversLeftOut"], json!(["ga4", "mixpanel"]));

    let arguments = ["telemetry:sync"];
    let unset = dataporter(&ground.hub.database, &ground.services, &arguments)
        .env_remove("GA4_API_SECRET")
        .output()
        .await;
    let unset = unset.unwrap();
    assert_eq!(unset.status.code(), Some(2), "{unset:?}");
    assert!(String::from_utf8_lossy(&unset.stderr).contains("GA4_API_SECRET"), "{unset:?}");
    let touched = ground.hub.rows("SELECT count(*) FROM telemetry_deliveries").await;
    assert_eq!((touched, ground.unsynced().await), (json!([{"count": 0}]), 3), "neither touches a row");

    let down = |service| Rule::new(service, Fault::Answer(Answer::empty(503)));
    ground.services.set_faults([down(Service::Ga4), down(Service::Mixpanel)]).unwrap();
    let failed = ground.command(&[]).await;
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    ground.services.set_faults([down(Service::Ga4)]).unwrap();
    ground.hub.sql("UPDATE telemetry_deliveries SET next_attempt_at = NULL").await;
    let half = ground.command(&["--json"]).await;
    assert_eq!((half.status.code(), told(&half)["state"].clone()), (Some(0), json!("partial")));
    assert_eq!(ground.command(&["--limit", "0"]).await.status.code(), Some(2));
}

#[tokio::test]
async fn it_fails_where_one_service_refuses_whatever_it_is_sent() {
    let ground = Ground::today().await;
    ground.events(60).await;
    ground.services.set_faults([Rule::new(Service::Ga4, Fault::Answer(Answer::html(400)))]).unwrap();
    let output = ground.command(&["--json"]).await;
    assert_eq!(
        (output.status.code(), told(&output)["state"].clone()),
        (Some(1), json!("partial")),
        "{output:?}"
    );
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("GA4 refuses events"), "{said}");
    assert_eq!(ground.unsynced().await, 60);
}

#[tokio::test]
async fn it_ends_when_its_time_is_over_and_leaves_the_rest_pending() {
    let ground = Ground::today().await;
    ground.events(400).await;
    ground.slow_ga4(400);
    let began = Instant::now();
    let output = ground.command(&["--until-empty", "--max-seconds", "1", "--json"]).await;
    assert!(began.elapsed() < Duration::from_secs(15), "all of them would take the program longer");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let run = told(&output);
    // What it sent, it sent well.
    assert_eq!(run["state"], "success", "{run}");
    assert!(run["message"].as_str().is_some_and(|message| !message.is_empty()), "{run}");
    assert_eq!(ground.last_run().await["message"]["kind"], "out_of_time");
    ground.assert_nothing_is_under_way().await;
    let (ga4, mixpanel) = ground.copies();
    assert!((1..400).contains(&ga4.len()) && ga4.iter().all(|copies| *copies == 1), "{ga4:?}");
    assert_eq!(mixpanel, 400);
    assert_eq!(ground.unsynced().await, 400 - i64::try_from(ga4.len()).unwrap());
}

#[tokio::test]
async fn it_forgets_a_driver_only_where_that_is_not_enabled() {
    let ground = Ground::today().await;
    ground.events(3).await;
    let refused = ground.command(&["--forget=ga4"]).await;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("GA4_ENABLED=false in every process first"), "{said}");
    assert_eq!(ground.hub.rows("SELECT * FROM telemetry_deliveries").await, json!([]));
    let arguments = ["telemetry:sync", "--forget=ga4", "--json"];
    let forgotten = without_drivers(&ground.hub.database, &arguments).output().await.unwrap();
    assert_eq!(forgotten.status.code(), Some(0), "{forgotten:?}");
    assert_eq!(told(&forgotten), json!({"driver": "ga4", "skipped": 3}));
    assert_eq!(ground.states("ga4").await, json!({"skipped": 3}));
    assert_eq!(ground.command(&["--forget=matomo"]).await.status.code(), Some(2));
}
