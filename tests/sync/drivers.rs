//! For which drivers events are pending while drivers are enabled and disabled.

use chrono::TimeDelta;
use domain::Driver;
use domain::Locale;
use domain::sync::SyncState;
use serde_json::json;
use stand_ins::{Service, StandIns};

use backend::config::Config;
use backend::models::sync_run::RunReason;
use backend::telemetry::delivery::ForgetError;
use backend::telemetry::delivery::texts;

use super::actions::uid;
use super::configs::{both, ga4, mixpanel};
use super::delivery_record::DeliveryRecord;
use super::fixture::SyncFixture;
use crate::harness::hub::Hub;

/// Asserts that nothing was sent and no delivery was recorded.
async fn assert_untouched(fixture: &SyncFixture) {
    assert_eq!((fixture.requests(Service::Ga4), fixture.requests(Service::Mixpanel)), (0, 0));
    assert_eq!(fixture.hub.rows("SELECT * FROM telemetry_deliveries").await, json!([]));
    assert_eq!(fixture.unsynced().await, 5);
}

#[tokio::test]
async fn a_run_without_drivers_is_skipped_with_a_message() {
    let fixture = SyncFixture::with(|_, _| {}).await;
    fixture.insert_events(5).await;
    let run = fixture.run().await;
    assert_eq!(
        (&run["state"], &run["driverCount"], &run["processed"]),
        (&json!("SKIPPED"), &json!(0), &json!(0))
    );
    assert!(run["message"].as_str().unwrap().contains("GA4_ENABLED"), "{run}");
    assert_untouched(&fixture).await;
}

#[tokio::test]
async fn a_run_with_a_missing_setting_fails_and_names_it() {
    type Change = fn(&mut Config, &StandIns);
    let missing: [(&str, Change); 4] = [
        ("GA4_MEASUREMENT_ID", |config, _| config.telemetry.ga4.measurement_id = None),
        ("GA4_API_SECRET", |config, _| config.telemetry.ga4.api_secret = None),
        ("MIXPANEL_PROJECT_TOKEN", |config, _| config.telemetry.mixpanel.project_token = None),
        ("GA4_API_SECRET, MIXPANEL_PROJECT_TOKEN", |config, _| {
            config.telemetry.ga4.api_secret = None;
            config.telemetry.mixpanel.project_token = None;
        }),
    ];
    for (names, remove) in missing {
        let fixture = SyncFixture::with(|config, services| {
            both(config, services);
            remove(config, services);
        })
        .await;
        fixture.insert_events(5).await;
        let run = fixture.run().await;
        assert_eq!((&run["state"], &run["processed"]), (&json!("FAILED"), &json!(0)), "{names}");
        let message = run["message"].as_str().unwrap();
        assert!(message.contains(&format!("{names}.")), "{names}: {message}");
        assert_untouched(&fixture).await;
        let status = "{ syncStatus { eventsPending drivers { driver enabled configured problem } } }";
        let status = fixture.hub.graphql(status).by(&fixture.admin_token).data().await;
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
async fn a_process_without_a_drivers_settings_leaves_its_events_pending() {
    let fixture = SyncFixture::without_waits(both).await;
    fixture.insert_events(10).await;
    let run = fixture.run_with(mixpanel).await;
    assert_eq!((run.state, run.processed), (SyncState::Success, 0));
    assert_eq!((run.drivers_left_out.as_slice(), run.drivers.len()), ([Driver::Ga4].as_slice(), 1));
    let message = |run, locale| texts::message(run).unwrap().into_locale(locale);
    assert!(message(&run, Locale::En).contains("lacks its settings (GA4_ENABLED)"));
    assert!(message(&run, Locale::Es).contains("no tiene su configuración (GA4_ENABLED)"));
    assert_eq!(fixture.records("ga4").await, vec![DeliveryRecord::unsent(); 10]);
    assert_eq!((fixture.states("mixpanel").await, fixture.unsynced().await), (json!({"delivered": 10}), 10));
    // Nothing is pending for the only driver that is enabled here, so the run changes nothing.
    let again = fixture.run_with(mixpanel).await;
    assert_eq!((again.state, again.reason), (SyncState::Skipped, Some(RunReason::NothingPending)));
    assert_eq!(fixture.run_with(|_, _| {}).await.drivers_left_out, Driver::ALL);
    assert_eq!(fixture.run().await["processed"], 10);
    assert_eq!((fixture.states("ga4").await, fixture.unsynced().await), (json!({"delivered": 10}), 0));
    assert_eq!((fixture.requests(Service::Ga4), fixture.requests(Service::Mixpanel)), (10, 1));
}

#[tokio::test]
async fn a_process_without_a_drivers_settings_leaves_retries_and_leases_alone() {
    let fixture = SyncFixture::without_waits(both).await;
    let ids = fixture.insert_events(5).await;
    fixture.services.refuse_connections(Service::Ga4).await;
    fixture.run().await;
    let before = fixture.records("ga4").await;
    fixture
        .hub
        .sql(&format!(
            "INSERT INTO telemetry_leases (run_id, driver, taken_at, event_ids, recorded_at) \
             SELECT 1000, 'ga4', now(), ARRAY[id], ARRAY[recorded_at] FROM video_player_events WHERE id = {}",
            ids[0]
        ))
        .await;
    fixture.run_with(mixpanel).await;
    assert_eq!((fixture.records("ga4").await, fixture.unsynced().await), (before, 5));
    let leases = fixture.hub.rows("SELECT run_id FROM telemetry_leases").await;
    assert_eq!(leases, json!([{"run_id": 1000}]));
}

#[tokio::test]
async fn the_status_shows_a_driver_that_another_process_enabled() {
    let fixture = SyncFixture::without_waits(both).await;
    fixture.insert_events(5).await;
    let other = Hub::at(fixture.hub.clock.clone(), fixture.hub.database.shared(), |config| {
        mixpanel(config, &fixture.services);
    })
    .await;
    let status = "{ syncStatus { eventsPending drivers { driver enabled configured pending problem } } }";
    let status = other.graphql(status).by(&fixture.admin_token).data().await;
    let ga4 = &status["syncStatus"]["drivers"][0];
    assert_eq!(
        (&ga4["driver"], &ga4["enabled"], &ga4["configured"], &ga4["pending"]),
        (&json!("GA4"), &json!(true), &json!(true), &json!(5))
    );
    assert!(ga4["problem"].as_str().unwrap().contains("GA4_ENABLED"), "{ga4}");
    assert_eq!(status["syncStatus"]["drivers"][1]["problem"], json!(null));
}

#[tokio::test]
async fn pending_events_of_a_forgotten_driver_are_skipped_until_requeued() {
    let fixture = SyncFixture::without_waits(both).await;
    fixture.insert_events(5).await;
    fixture.services.refuse_connections(Service::Ga4).await;
    fixture.run().await;
    fixture.services.accept_connections(Service::Ga4).await;
    let new = fixture.insert_events_from(TimeDelta::seconds(30), 2).await;
    let without_ga4 = fixture.app_with(mixpanel);
    assert!(matches!(fixture.hub.app.sync.forget(Driver::Ga4).await, Err(ForgetError::EnabledHere)));
    assert_eq!(without_ga4.sync.forget(Driver::Ga4).await.unwrap(), 7);
    assert_eq!(fixture.states("ga4").await, json!({"skipped": 7}));
    assert_eq!(fixture.unsynced().await, 2, "the new events are pending for Mixpanel");
    let run = fixture.run_with(mixpanel).await;
    assert_eq!((run.state, run.drivers_left_out), (SyncState::Success, Vec::new()));
    assert_eq!(fixture.unsynced().await, 0);
    // When GA4 is enabled again, it gets new events and events that are requeued.
    fixture.advance(TimeDelta::hours(1));
    assert_eq!(fixture.run_with(both).await.state, SyncState::Skipped);
    assert_eq!(fixture.requeue(&format!("driver: GA4, eventIds: [\"{}\"]", new[0])).await, 1);
    assert_eq!(fixture.requeue("driver: GA4").await, 6);
    fixture.run().await;
    assert_eq!((fixture.states("ga4").await, fixture.unsynced().await), (json!({"delivered": 7}), 0));
}

#[tokio::test]
async fn forgetting_the_only_driver_marks_its_events_synced() {
    let fixture = SyncFixture::without_waits(ga4).await;
    fixture.insert_events(5).await;
    assert_eq!(fixture.app_with(|_, _| {}).sync.forget(Driver::Ga4).await.unwrap(), 5);
    assert_eq!((fixture.states("ga4").await, fixture.unsynced().await), (json!({"skipped": 5}), 0));
    assert_eq!(fixture.hub.rows("SELECT * FROM telemetry_pending").await, json!([]));
}

#[tokio::test]
async fn with_every_driver_disabled_pending_events_stay_pending() {
    let fixture = SyncFixture::without_waits(both).await;
    fixture.insert_events(5).await;
    fixture.services.refuse_connections(Service::Ga4).await;
    fixture.run().await;
    let run = fixture.run_with(|_, _| {}).await;
    assert_eq!((run.state, run.reason), (SyncState::Skipped, Some(RunReason::NoDriver)));
    let pending = DeliveryRecord::new("retry", 0).error_class("unreachable");
    assert_eq!((fixture.records("ga4").await, fixture.unsynced().await), (vec![pending; 5], 5));
}

#[tokio::test]
async fn a_newly_enabled_driver_gets_events_from_then_on() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    fixture.insert_events(5).await;
    fixture.run().await;
    assert_eq!(fixture.unsynced().await, 0);
    let new = fixture.insert_events(2).await;
    fixture.run_with(both).await;
    let copies = fixture.services.ga4_copies_by_event_uid();
    assert_eq!(copies.into_keys().collect::<Vec<_>>(), new.iter().map(|id| uid(*id)).collect::<Vec<_>>());
    assert_eq!((fixture.services.mixpanel_raw().len(), fixture.unsynced().await), (7, 0));
}

#[tokio::test]
async fn events_that_an_earlier_run_fetched_are_not_pending_for_a_new_driver() {
    let fixture = SyncFixture::without_waits(ga4).await;
    fixture.insert_events(5).await;
    fixture.services.refuse_connections(Service::Ga4).await;
    fixture.run().await;
    fixture.services.accept_connections(Service::Ga4).await;
    fixture.advance(TimeDelta::seconds(8));
    fixture.run_with(both).await;
    assert_eq!((fixture.services.stored_ga4().len(), fixture.requests(Service::Mixpanel)), (5, 0));
    assert_eq!(fixture.unsynced().await, 0);
}
