//! Which drivers an event is owed to, when drivers come and go.

use chrono::TimeDelta;
use domain::Locale;
use serde_json::json;
use stand_ins::{Service, StandIns};

use backend::config::Config;
use backend::models::driver::Driver;
use backend::models::sync_run::{RunReason, SyncState};
use backend::telemetry::delivery::ForgetError;
use backend::telemetry::delivery::texts;

use super::ground::Ground;
use super::record::Record;
use super::settings::{both, ga4, mixpanel};
use super::steps::uid;
use crate::harness::hub::Hub;

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
async fn a_process_without_a_drivers_settings_leaves_its_events_pending_and_says_so() {
    let ground = Ground::impatient(both).await;
    ground.events(10).await;
    let run = ground.run_with(mixpanel).await;
    assert_eq!((run.state, run.processed), (SyncState::Success, 0));
    assert_eq!((run.drivers_left_out.as_slice(), run.drivers.len()), ([Driver::Ga4].as_slice(), 1));
    let said = |run, locale| texts::message(run, locale).unwrap();
    assert!(said(&run, Locale::En).contains("lacks its settings (GA4_ENABLED)"));
    assert!(said(&run, Locale::Es).contains("no tiene su configuración (GA4_ENABLED)"));
    assert_eq!(ground.records("ga4").await, vec![Record::untouched(); 10]);
    assert_eq!((ground.states("mixpanel").await, ground.unsynced().await), (json!({"delivered": 10}), 10));
    // With nothing left for the driver that it knows, it still touches nothing.
    let again = ground.run_with(mixpanel).await;
    assert_eq!((again.state, again.reason), (SyncState::Skipped, Some(RunReason::NothingPending)));
    assert_eq!(ground.run_with(|_, _| {}).await.drivers_left_out, Driver::ALL);
    assert_eq!(ground.run().await["processed"], 10);
    assert_eq!((ground.states("ga4").await, ground.unsynced().await), (json!({"delivered": 10}), 0));
    assert_eq!((ground.requests(Service::Ga4), ground.requests(Service::Mixpanel)), (10, 1));
}

#[tokio::test]
async fn a_process_without_a_drivers_settings_leaves_its_retries_and_leases_alone() {
    let ground = Ground::impatient(both).await;
    let ids = ground.events(5).await;
    ground.services.refuse_connections(Service::Ga4).await;
    ground.run().await;
    let before = ground.records("ga4").await;
    ground
        .hub
        .sql(&format!(
            "INSERT INTO telemetry_leases (run_id, driver, taken_at, event_ids, recorded_at) \
             SELECT 1000, 'ga4', now(), ARRAY[id], ARRAY[recorded_at] FROM video_player_events WHERE id = {}",
            ids[0]
        ))
        .await;
    ground.run_with(mixpanel).await;
    assert_eq!((ground.records("ga4").await, ground.unsynced().await), (before, 5));
    let leases = ground.hub.rows("SELECT run_id FROM telemetry_leases").await;
    assert_eq!(leases, json!([{"run_id": 1000}]));
}

#[tokio::test]
async fn the_status_shows_a_driver_that_another_process_has_enabled() {
    let ground = Ground::impatient(both).await;
    ground.events(5).await;
    let other = Hub::at(ground.hub.clock.clone(), ground.hub.database.shared(), |config| {
        mixpanel(config, &ground.services);
    })
    .await;
    let status = "{ syncStatus { eventsPending drivers { driver enabled configured pending problem } } }";
    let status = other.graphql(status).by(&ground.admin).data().await;
    let ga4 = &status["syncStatus"]["drivers"][0];
    assert_eq!(
        (&ga4["driver"], &ga4["enabled"], &ga4["configured"], &ga4["pending"]),
        (&json!("GA4"), &json!(true), &json!(true), &json!(5))
    );
    assert!(ga4["problem"].as_str().unwrap().contains("GA4_ENABLED"), "{ga4}");
    assert_eq!(status["syncStatus"]["drivers"][1]["problem"], json!(null));
}

#[tokio::test]
async fn what_is_pending_for_a_driver_that_is_forgotten_is_skipped_until_it_is_requeued() {
    let ground = Ground::impatient(both).await;
    ground.events(5).await;
    ground.services.refuse_connections(Service::Ga4).await;
    ground.run().await;
    ground.services.accept_connections(Service::Ga4).await;
    let new = ground.events_from(TimeDelta::seconds(30), 2).await;
    let without_ga4 = ground.app_with(mixpanel);
    assert!(matches!(ground.hub.app.sync.forget(Driver::Ga4).await, Err(ForgetError::EnabledHere)));
    assert_eq!(without_ga4.sync.forget(Driver::Ga4).await.unwrap(), 7);
    assert_eq!(ground.states("ga4").await, json!({"skipped": 7}));
    assert_eq!(ground.unsynced().await, 2, "Mixpanel waits for the new ones");
    let run = ground.run_with(mixpanel).await;
    assert_eq!((run.state, run.drivers_left_out), (SyncState::Success, Vec::new()));
    assert_eq!(ground.unsynced().await, 0);
    // Enabled again, it gets what happens from then on, and what somebody requeues.
    ground.advance(TimeDelta::hours(1));
    assert_eq!(ground.run_with(both).await.state, SyncState::Skipped);
    assert_eq!(ground.requeue(&format!("driver: GA4, eventIds: [\"{}\"]", new[0])).await, 1);
    assert_eq!(ground.requeue("driver: GA4").await, 6);
    ground.run().await;
    assert_eq!((ground.states("ga4").await, ground.unsynced().await), (json!({"delivered": 7}), 0));
}

#[tokio::test]
async fn forgetting_the_only_driver_settles_its_events_and_nothing_is_pending_any_more() {
    let ground = Ground::impatient(ga4).await;
    ground.events(5).await;
    assert_eq!(ground.app_with(|_, _| {}).sync.forget(Driver::Ga4).await.unwrap(), 5);
    assert_eq!((ground.states("ga4").await, ground.unsynced().await), (json!({"skipped": 5}), 0));
    assert_eq!(ground.hub.rows("SELECT * FROM telemetry_pending").await, json!([]));
}

#[tokio::test]
async fn with_every_driver_switched_off_what_is_owed_stays_owed() {
    let ground = Ground::impatient(both).await;
    ground.events(5).await;
    ground.services.refuse_connections(Service::Ga4).await;
    ground.run().await;
    let run = ground.run_with(|_, _| {}).await;
    assert_eq!((run.state, run.reason), (SyncState::Skipped, Some(RunReason::NoDriver)));
    let owed = Record::of("retry", 0).because("unreachable");
    assert_eq!((ground.records("ga4").await, ground.unsynced().await), (vec![owed; 5], 5));
}

#[tokio::test]
async fn a_driver_that_is_switched_on_gets_what_happens_from_then_on() {
    let ground = Ground::impatient(mixpanel).await;
    ground.events(5).await;
    ground.run().await;
    assert_eq!(ground.unsynced().await, 0);
    let new = ground.events(2).await;
    ground.run_with(both).await;
    let copies = ground.services.ga4_copies_by_event_uid();
    assert_eq!(copies.into_keys().collect::<Vec<_>>(), new.iter().map(|id| uid(*id)).collect::<Vec<_>>());
    assert_eq!((ground.services.mixpanel_raw().len(), ground.unsynced().await), (7, 0));
}

#[tokio::test]
async fn what_a_run_had_taken_up_before_is_not_owed_to_a_new_driver() {
    let ground = Ground::impatient(ga4).await;
    ground.events(5).await;
    ground.services.refuse_connections(Service::Ga4).await;
    ground.run().await;
    ground.services.accept_connections(Service::Ga4).await;
    ground.advance(TimeDelta::seconds(8));
    ground.run_with(both).await;
    assert_eq!((ground.services.stored_ga4().len(), ground.requests(Service::Mixpanel)), (5, 0));
    assert_eq!(ground.unsynced().await, 0);
}
