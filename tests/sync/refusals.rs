//! Refusals: a service that refuses everything loses no events, while a few bad events among good ones become
//! dead.

use backend::config::telemetry::Endpoint;
use chrono::TimeDelta;
use serde_json::json;
use stand_ins::Service;
use stand_ins::fault::{Answer, Fault, ImportLie, Rule};

use super::actions::{driver_stats, uid};
use super::configs::{both, ga4, ga4_by_viewer, ga4_in_order, mixpanel};
use super::delivery_record::DeliveryRecord;
use super::fixture::SyncFixture;

const EVENTS: i64 = 300;

fn refusal(service: Service) -> Rule {
    Rule::new(service, Fault::Answer(Answer::json(400, json!({"error": "no such thing"}))))
}

/// Like [`refusal`], but only for these events.
fn refusal_of(service: Service, ids: &[i64]) -> Rule {
    refusal(service).events(ids.iter().copied().map(uid).collect::<Vec<_>>())
}

fn only_tracking(config: &mut backend::config::Config, services: &stand_ins::StandIns) {
    mixpanel(config, services);
    config.telemetry.mixpanel.endpoint = Endpoint::Track;
}

#[tokio::test]
async fn if_a_service_refuses_everything_its_events_stay_pending() {
    let fixture = SyncFixture::without_waits(both).await;
    fixture.insert_events(EVENTS).await;
    fixture.faults([refusal(Service::Ga4)]);
    for _ in 0..3 {
        let before = fixture.requests(Service::Ga4);
        let run = fixture.run().await;
        assert_ne!(run["state"], "SUCCESS", "{run}");
        let message = run["message"].as_str().unwrap();
        assert!(message.contains("GA4 rechaza eventos") && message.contains("400"), "{message}");
        assert_eq!(driver_stats(&run, "GA4")["dead"], 0, "{run}");
        // Twenty requests, the ones in flight at that time, and one trial request at the end.
        let sent = fixture.requests(Service::Ga4) - before;
        assert!((20..=36).contains(&sent), "{sent}");
        let states = fixture.states("ga4").await;
        assert!(states.get("dead").is_none(), "{states}");
        assert!(fixture.records("ga4").await.iter().all(|record| record.attempts == 0));
        assert_eq!(fixture.unsynced().await, EVENTS);
        fixture.advance(TimeDelta::hours(9));
    }
    assert_eq!(fixture.states("mixpanel").await, json!({"delivered": EVENTS}));
    let status = fixture.hub.graphql("{ syncStatus { drivers { driver problem pending } } }");
    let status = status.by(&fixture.new_admin_token().await).data().await;
    let problem = status["syncStatus"]["drivers"][0]["problem"].as_str().unwrap().to_owned();
    assert!(problem.contains("rechaza"), "{problem}");
    fixture.faults([]);
    let run = fixture.run().await;
    assert_eq!((&run["state"], &run["processed"]), (&json!("SUCCESS"), &json!(EVENTS)));
    assert!(fixture.services.ga4_copies_by_event_uid().values().all(|copies| *copies == 1));
    assert_eq!(fixture.unsynced().await, 0);
}

#[tokio::test]
async fn no_event_is_dead_if_a_service_refuses_everything_in_any_way() {
    let everything = Fault::FailRecords { field: "properties.time".to_owned(), message: "is bad".to_owned() };
    for (settings, service, fault) in [
        (mixpanel as fn(&mut _, &_), Service::Mixpanel, Fault::Answer(Answer::html(400))),
        (mixpanel, Service::Mixpanel, Fault::Answer(Answer::html(413))),
        (mixpanel, Service::Mixpanel, Fault::ImportLie(ImportLie::NoList)),
        (mixpanel, Service::Mixpanel, everything),
        (only_tracking, Service::Mixpanel, Fault::Answer(Answer::plain(200, "0"))),
        (ga4_by_viewer, Service::Ga4, Fault::Answer(Answer::html(422))),
    ] {
        let fixture = SyncFixture::without_waits(settings).await;
        let ids = fixture.insert_events(EVENTS).await;
        fixture.faults([Rule::new(service, fault.clone()).events(ids.into_iter().map(uid))]);
        let run = fixture.run().await;
        assert_eq!(run["state"], "FAILED", "{fault:?}: {run}");
        assert!(run["message"].as_str().unwrap().contains("rechaza"), "{fault:?}: {run}");
        assert_eq!((&run["drivers"][0]["dead"], fixture.unsynced().await), (&json!(0), EVENTS), "{fault:?}");
        fixture.faults([]);
        assert_eq!(fixture.run().await["state"], "SUCCESS", "{fault:?}");
        assert_eq!(fixture.unsynced().await, 0, "{fault:?}");
    }
}

#[tokio::test]
async fn if_a_service_starts_to_refuse_the_refused_events_stay_pending() {
    let fixture = SyncFixture::without_waits(ga4_in_order).await;
    let ids = fixture.insert_events(400).await;
    fixture.faults([refusal_of(Service::Ga4, &ids[150..])]);
    let run = fixture.run().await;
    assert_eq!((&run["state"], &driver_stats(&run, "GA4")["dead"]), (&json!("PARTIAL"), &json!(0)), "{run}");
    // The run stops when half of the last 200 requests were refused.
    assert_eq!(fixture.requests(Service::Ga4), 250);
    fixture.faults([]);
    assert_eq!(fixture.run().await["state"], "SUCCESS");
    assert_eq!(fixture.states("ga4").await, json!({"delivered": 400}));
    assert!(fixture.services.ga4_copies_by_event_uid().values().all(|copies| *copies == 1));
}

#[tokio::test]
async fn bad_events_at_the_start_do_not_block_the_others() {
    for settings in [ga4 as fn(&mut _, &_), ga4_in_order] {
        let fixture = SyncFixture::without_waits(settings).await;
        let ids = fixture.insert_events(160).await;
        fixture.faults([refusal_of(Service::Ga4, &ids[..40])]);
        let run = fixture.run().await;
        assert_eq!(run["state"], "PARTIAL", "{run}");
        assert_eq!(fixture.states("ga4").await, json!({"dead": 40, "delivered": 120}));
        assert_eq!(fixture.unsynced().await, 0);
        assert_eq!(fixture.requests(Service::Ga4), 160);
    }
}

#[tokio::test]
async fn refused_events_are_dead_once_the_service_accepts_another() {
    let fixture = SyncFixture::without_waits(ga4_in_order).await;
    let ids = fixture.insert_events(3).await;
    fixture.faults([refusal_of(Service::Ga4, &ids)]);
    let run = fixture.run().await;
    assert_eq!(
        (&run["state"], &driver_stats(&run, "GA4")["retrying"]),
        (&json!("FAILED"), &json!(3)),
        "{run}"
    );
    let refused = DeliveryRecord::new("retry", 1).error_class("refused").http_status(400);
    assert_eq!(fixture.records("ga4").await, vec![refused; 3]);
    fixture.advance(TimeDelta::minutes(1));
    fixture.insert_events(1).await;
    let run = fixture.run().await;
    assert_eq!((&run["state"], &driver_stats(&run, "GA4")["dead"]), (&json!("PARTIAL"), &json!(3)), "{run}");
    assert_eq!(fixture.states("ga4").await, json!({"dead": 3, "delivered": 1}));
    assert_eq!(fixture.unsynced().await, 0);
}

#[tokio::test]
async fn an_event_refused_alone_is_dead_after_some_attempts_and_a_day() {
    let fixture = SyncFixture::without_waits(ga4_in_order).await;
    let id = fixture.insert_events(1).await[0];
    fixture.faults([refusal(Service::Ga4)]);
    let mut runs = 0;
    while fixture.run().await["state"] != "SKIPPED" {
        runs += 1;
        fixture.advance(TimeDelta::hours(2));
    }
    // The first attempt is immediate, and the last one is a day later.
    assert_eq!((runs, fixture.requests(Service::Ga4)), (13, 13));
    assert_eq!(
        fixture.records_of_event(id).await,
        [DeliveryRecord::new("dead", 13).error_class("refused").http_status(400)]
    );
    assert_eq!(fixture.unsynced().await, 0);
}

#[tokio::test]
async fn a_refusal_is_final_only_if_the_service_accepts_other_events() {
    let fixture = SyncFixture::without_waits(ga4_in_order).await;
    let ids = fixture.insert_events(12).await;
    let (bad, good) = ids.split_at(10);
    // Bad events are refused immediately, and responses for the good events are delayed.
    fixture.faults([
        refusal_of(Service::Ga4, bad),
        Rule::new(Service::Ga4, Fault::Slow)
            .events(good.iter().copied().map(uid).collect::<Vec<_>>())
            .delay_millis(700),
    ]);
    let poll_states = async {
        fixture.wait_for_ga4_requests(11).await;
        for _ in 0..100 {
            if fixture.states("ga4").await["retry"] == 10 {
                return fixture.states("ga4").await;
            }
        }
        panic!("{}", fixture.states("ga4").await);
    };
    let (run, states) = tokio::join!(fixture.run(), poll_states);
    assert!(states.get("dead").is_none(), "{states}");
    assert_eq!(driver_stats(&run, "GA4")["dead"], 10, "{run}");
    assert_eq!(fixture.states("ga4").await, json!({"dead": 10, "delivered": 2}));
    assert_eq!(fixture.requests(Service::Ga4), 12);
}
