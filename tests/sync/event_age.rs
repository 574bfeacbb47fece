//! Events that are too old for a service are not sent to it.

use chrono::{DateTime, TimeDelta};
use serde_json::json;
use stand_ins::fault::{Answer, Fault, Rule};
use stand_ins::{IMPORT, Service, TRACK};

use backend::config::telemetry::Endpoint;

use super::actions::{driver_stats, uid};
use super::configs::{both, ga4, mixpanel, mixpanel_by_token};
use super::delivery_record::DeliveryRecord;
use super::fixture::SyncFixture;

fn expired() -> DeliveryRecord {
    DeliveryRecord::new("expired", 0).error_class("too_old")
}

#[tokio::test]
async fn ga4_gets_no_event_older_than_71_and_a_half_hours() {
    let fixture = SyncFixture::without_waits(both).await;
    let limit = TimeDelta::minutes(71 * 60 + 30);
    let old = fixture.insert_events_from(limit + TimeDelta::seconds(1), 1).await[0];
    let recent = fixture.insert_events_from(limit, 1).await[0];
    let run = fixture.run().await;
    assert_eq!((&run["state"], &run["processed"]), (&json!("PARTIAL"), &json!(2)));
    assert_eq!(
        (&driver_stats(&run, "GA4")["expired"], &driver_stats(&run, "GA4")["attempted"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(fixture.records("ga4").await, [expired(), DeliveryRecord::delivered()]);
    let stored = fixture.services.stored_ga4();
    assert_eq!((stored.len(), &stored[0].event_uid, &stored[0].flags), (1, &Some(uid(recent)), &vec![]));
    assert!(fixture.services.requests_with(Service::Ga4, &uid(old)).is_empty());
    // Mixpanel accepts both, with their original times.
    assert_eq!(fixture.records("mixpanel").await, vec![DeliveryRecord::delivered(); 2]);
    assert_eq!(fixture.unsynced().await, 0);
    assert_eq!(fixture.run().await["state"], "SKIPPED");
}

#[tokio::test]
async fn an_event_that_becomes_too_old_while_it_is_retried_expires() {
    let fixture = SyncFixture::without_waits(ga4).await;
    fixture.insert_events_from(TimeDelta::hours(71), 1).await;
    fixture.faults([Rule::new(Service::Ga4, Fault::Answer(Answer::html(503)))]);
    fixture.run().await;
    fixture.faults([]);
    fixture.advance(TimeDelta::minutes(31));
    fixture.run().await;
    assert_eq!(fixture.record("ga4").await, DeliveryRecord::new("expired", 1).error_class("too_old"));
    assert_eq!((fixture.requests(Service::Ga4), fixture.unsynced().await), (1, 0));
}

/// Inserts an event just too old for `/track`, which accepts four days and 23 hours, and one just recent
/// enough.
async fn insert_around_track_limit(fixture: &SyncFixture) -> [i64; 2] {
    let limit = TimeDelta::hours(4 * 24 + 23);
    let old = fixture.insert_events_from(limit + TimeDelta::seconds(1), 1).await[0];
    [old, fixture.insert_events_from(limit, 1).await[0]]
}

fn routes(fixture: &SyncFixture, id: i64) -> Vec<String> {
    let requests = fixture.services.requests_with(Service::Mixpanel, &uid(id));
    requests.iter().map(|request| request.route.clone()).collect()
}

#[tokio::test]
async fn events_too_old_for_track_are_imported_with_the_token() {
    let fixture = SyncFixture::without_waits(mixpanel_by_token).await;
    let [old, recent] = insert_around_track_limit(&fixture).await;
    assert_eq!(fixture.run().await["state"], "SUCCESS");
    assert_eq!(
        (routes(&fixture, old), routes(&fixture, recent)),
        (vec![IMPORT.to_owned()], vec![TRACK.to_owned()])
    );
    assert_eq!(fixture.records("mixpanel").await, vec![DeliveryRecord::delivered(); 2]);
    assert_eq!(fixture.services.mixpanel_deduped().len(), 2);
}

#[tokio::test]
async fn events_too_old_for_track_expire_if_import_rejects_the_token() {
    let fixture = SyncFixture::without_waits(mixpanel_by_token).await;
    insert_around_track_limit(&fixture).await;
    fixture.faults([Rule::new(Service::Mixpanel, Fault::Answer(Answer::unauthorized())).route(IMPORT)]);
    let run = fixture.run().await;
    let counts = ["delivered", "expired", "dead"].map(|key| driver_stats(&run, "MIXPANEL")[key].clone());
    assert_eq!((&run["state"], counts), (&json!("PARTIAL"), [json!(1), json!(1), json!(0)]));
    let states: Vec<_> = fixture.records("mixpanel").await.into_iter().map(|record| record.state).collect();
    assert_eq!((states, fixture.unsynced().await), (vec!["expired".to_owned(), "delivered".to_owned()], 0));
    fixture.faults([]);
    assert_eq!(fixture.run().await["state"], "SKIPPED");
    assert_eq!(fixture.requests(Service::Mixpanel), 2);
}

#[tokio::test]
async fn with_track_only_events_too_old_for_it_expire() {
    let fixture = SyncFixture::without_waits(|config, services| {
        mixpanel(config, services);
        config.telemetry.mixpanel.endpoint = Endpoint::Track;
    })
    .await;
    let [old, recent] = insert_around_track_limit(&fixture).await;
    fixture.run().await;
    assert_eq!(
        (routes(&fixture, old), routes(&fixture, recent)),
        (Vec::<String>::new(), vec![TRACK.to_owned()])
    );
    assert_eq!(fixture.records("mixpanel").await, [expired(), DeliveryRecord::delivered()]);
    assert_eq!(fixture.services.mixpanel_raw().len(), 1);
}

#[tokio::test]
async fn import_accepts_events_that_are_years_old_but_none_before_1971() {
    let fixture = SyncFixture::without_waits(both).await;
    let since = |second| fixture.hub.clock.now() - DateTime::from_timestamp(second, 0).unwrap();
    // The last second of 1970, and 1974, since when Mixpanel cannot mistake milliseconds for seconds.
    fixture.insert_events_from(since(31_535_999), 1).await;
    fixture.insert_events_from(since(126_230_400), 1).await;
    fixture.run().await;
    assert_eq!(fixture.records("mixpanel").await, [expired(), DeliveryRecord::delivered()]);
    assert_eq!(fixture.records("ga4").await, vec![expired(); 2]);
    assert_eq!(fixture.services.mixpanel_raw()[0].time_millis, 126_230_400_000);
    assert_eq!((fixture.requests(Service::Ga4), fixture.requests(Service::Mixpanel)), (0, 1));
}
