//! Which drivers an event is owed to, when drivers come and go.

use serde_json::json;
use stand_ins::{Service, StandIns};

use backend::config::Config;
use backend::models::sync_run::{Note, SyncState};

use super::ground::Ground;
use super::record::Record;
use super::settings::{both, ga4, impatient, mixpanel};
use super::steps::uid;

/// Nothing was sent, and nothing is on record.
async fn nothing_was_touched(ground: &Ground) {
    assert_eq!((ground.requests(Service::Ga4), ground.requests(Service::Mixpanel)), (0, 0));
    assert_eq!(ground.hub.rows("SELECT * FROM telemetry_deliveries").await, json!([]));
    assert_eq!(ground.unsynced().await, 5);
}

#[tokio::test]
async fn without_a_driver_a_run_says_so_and_touches_nothing() {
    let ground = Ground::with(|_, _| {}).await;
    ground.events(5).await;
    let run = ground.run().await;
    assert_eq!(
        (&run["state"], &run["driverCount"], &run["processed"]),
        (&json!("SKIPPED"), &json!(0), &json!(0))
    );
    assert!(run["message"].as_str().unwrap().contains("GA4_ENABLED"), "{run}");
    nothing_was_touched(&ground).await;
}

#[tokio::test]
async fn without_a_setting_a_run_names_it_and_touches_nothing() {
    type Change = fn(&mut Config, &StandIns);
    let lacking: [(&str, Change); 4] = [
        ("GA4_MEASUREMENT_ID", |config, _| config.telemetry.ga4.measurement_id = None),
        ("GA4_API_SECRET", |config, _| config.telemetry.ga4.api_secret = None),
        ("MIXPANEL_PROJECT_TOKEN", |config, _| config.telemetry.mixpanel.project_token = None),
        ("GA4_API_SECRET, MIXPANEL_PROJECT_TOKEN", |config, _| {
            config.telemetry.ga4.api_secret = None;
            config.telemetry.mixpanel.project_token = None;
        }),
    ];
    for (names, lack) in lacking {
        let ground = Ground::with(|config, services| {
            both(config, services);
            lack(config, services);
        })
        .await;
        ground.events(5).await;
        let run = ground.run().await;
        assert_eq!((&run["state"], &run["processed"]), (&json!("FAILED"), &json!(0)), "{names}");
        let message = run["message"].as_str().unwrap();
        assert!(message.contains(&format!("{names}.")), "{names}: {message}");
        nothing_was_touched(&ground).await;
        let status = "{ syncStatus { eventsPending drivers { driver enabled configured problem } } }";
        let status = ground.hub.graphql(status).by(&ground.admin).data().await;
        let drivers = status["syncStatus"]["drivers"].as_array().unwrap();
        for driver in drivers {
            let problem = driver["problem"].as_str();
            assert_eq!(driver["configured"].as_bool().unwrap(), problem.is_none(), "{driver}");
            assert!(problem.is_none_or(|problem| names.contains(problem)), "{driver}");
        }
        assert!(drivers.iter().any(|driver| !driver["problem"].is_null()), "{names}");
    }
}

#[tokio::test]
async fn what_is_owed_to_a_driver_that_is_switched_off_is_owed_no_more() {
    let ground = Ground::impatient(both).await;
    ground.events(5).await;
    ground.services.refuse_connections(Service::Ga4).await;
    ground.run().await;
    assert_eq!(ground.unsynced().await, 5);
    ground.services.accept_connections(Service::Ga4).await;
    ground.run_with(mixpanel).await;
    let skipped: Vec<_> = ground.records("ga4").await.into_iter().map(|record| record.state).collect();
    assert_eq!((skipped, ground.unsynced().await), (vec!["skipped".to_owned(); 5], 0));
    // Nor when it is switched on again.
    ground.advance(chrono::TimeDelta::hours(1));
    assert_eq!(ground.run_with(both).await.state, SyncState::Skipped);
    assert_eq!((ground.requests(Service::Ga4), ground.requests(Service::Mixpanel)), (0, 1));
}

#[tokio::test]
async fn with_every_driver_switched_off_what_is_owed_stays_owed() {
    let ground = Ground::impatient(both).await;
    ground.events(5).await;
    ground.services.refuse_connections(Service::Ga4).await;
    ground.run().await;
    let run = ground.run_with(|_, _| {}).await;
    assert_eq!((run.state, run.note), (SyncState::Skipped, Some(Note::NoDriver)));
    let owed = Record::of("retry", 0).because("unreachable");
    assert_eq!((ground.records("ga4").await, ground.unsynced().await), (vec![owed; 5], 5));
}

#[tokio::test]
async fn a_driver_that_is_switched_on_gets_what_happens_from_then_on() {
    let ground = Ground::impatient(both).await;
    ground.events(5).await;
    ground.run_with(mixpanel).await;
    assert_eq!(ground.unsynced().await, 0);
    let new = ground.events(2).await;
    ground.run().await;
    let copies = ground.services.ga4_copies_by_event_uid();
    assert_eq!(copies.into_keys().collect::<Vec<_>>(), new.iter().map(|id| uid(*id)).collect::<Vec<_>>());
    assert_eq!((ground.services.mixpanel_raw().len(), ground.unsynced().await), (7, 0));
}

#[tokio::test]
async fn what_a_run_had_taken_up_before_is_not_owed_to_a_new_driver() {
    let ground = Ground::impatient(both).await;
    ground.events(5).await;
    ground.services.refuse_connections(Service::Ga4).await;
    let only_ga4 = |config: &mut Config, services: &StandIns| {
        ga4(config, services);
        impatient(config);
    };
    ground.run_with(only_ga4).await;
    ground.services.accept_connections(Service::Ga4).await;
    ground.advance(chrono::TimeDelta::seconds(8));
    ground.run().await;
    assert_eq!((ground.services.stored_ga4().len(), ground.requests(Service::Mixpanel)), (5, 0));
    assert_eq!(ground.unsynced().await, 0);
}
