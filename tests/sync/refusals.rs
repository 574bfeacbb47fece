//! A service that refuses whatever it is sent costs no event; a few bad events among good ones are given up.

use backend::config::telemetry::Endpoint;
use chrono::TimeDelta;
use serde_json::json;
use stand_ins::Service;
use stand_ins::fault::{Answer, Fault, ImportLie, Rule};

use super::ground::Ground;
use super::record::Record;
use super::settings::{both, ga4, ga4_by_viewer, ga4_in_order, mixpanel};
use super::steps::{share, uid};

const EVENTS: i64 = 300;

fn refusal(service: Service) -> Rule {
    Rule::new(service, Fault::Answer(Answer::json(400, json!({"error": "no such thing"}))))
}

/// The same for these events alone.
fn refusal_of(service: Service, ids: &[i64]) -> Rule {
    refusal(service).events(ids.iter().copied().map(uid).collect::<Vec<_>>())
}

fn only_tracking(config: &mut backend::config::Config, services: &stand_ins::StandIns) {
    mixpanel(config, services);
    config.telemetry.mixpanel.endpoint = Endpoint::Track;
}

#[tokio::test]
async fn a_service_that_refuses_everything_keeps_its_events_pending_and_the_other_has_all() {
    let ground = Ground::impatient(both).await;
    ground.events(EVENTS).await;
    ground.faults([refusal(Service::Ga4)]);
    for _ in 0..3 {
        let before = ground.requests(Service::Ga4);
        let run = ground.run().await;
        assert_ne!(run["state"], "SUCCESS", "{run}");
        let said = run["message"].as_str().unwrap();
        assert!(said.contains("GA4 rechaza eventos") && said.contains("400"), "{said}");
        assert_eq!(share(&run, "GA4")["dead"], 0, "{run}");
        // Twenty, those that were on their way by then, and the one that is tried before the service is given up.
        let asked = ground.requests(Service::Ga4) - before;
        assert!((20..=36).contains(&asked), "{asked}");
        let states = ground.states("ga4").await;
        assert!(states.get("dead").is_none(), "{states}");
        assert!(ground.records("ga4").await.iter().all(|record| record.attempts == 0));
        assert_eq!(ground.unsynced().await, EVENTS);
        ground.advance(TimeDelta::hours(9));
    }
    assert_eq!(ground.states("mixpanel").await, json!({"delivered": EVENTS}));
    let status = ground.hub.graphql("{ syncStatus { drivers { driver problem pending } } }");
    let status = status.by(&ground.token().await).data().await;
    let problem = status["syncStatus"]["drivers"][0]["problem"].as_str().unwrap().to_owned();
    assert!(problem.contains("rechaza"), "{problem}");
    ground.faults([]);
    let run = ground.run().await;
    assert_eq!((&run["state"], &run["processed"]), (&json!("SUCCESS"), &json!(EVENTS)));
    assert!(ground.services.ga4_copies_by_event_uid().values().all(|copies| *copies == 1));
    assert_eq!(ground.unsynced().await, 0);
}

#[tokio::test]
async fn however_a_service_says_that_it_refuses_everything_no_event_is_given_up() {
    let everything = Fault::FailRecords { field: "properties.time".to_owned(), message: "is bad".to_owned() };
    for (settings, service, fault) in [
        (mixpanel as fn(&mut _, &_), Service::Mixpanel, Fault::Answer(Answer::html(400))),
        (mixpanel, Service::Mixpanel, Fault::Answer(Answer::html(413))),
        (mixpanel, Service::Mixpanel, Fault::ImportLie(ImportLie::NoList)),
        (mixpanel, Service::Mixpanel, everything),
        (only_tracking, Service::Mixpanel, Fault::Answer(Answer::plain(200, "0"))),
        (ga4_by_viewer, Service::Ga4, Fault::Answer(Answer::html(422))),
    ] {
        let ground = Ground::impatient(settings).await;
        let ids = ground.events(EVENTS).await;
        ground.faults([Rule::new(service, fault.clone()).events(ids.into_iter().map(uid))]);
        let run = ground.run().await;
        assert_eq!(run["state"], "FAILED", "{fault:?}: {run}");
        assert!(run["message"].as_str().unwrap().contains("rechaza"), "{fault:?}: {run}");
        assert_eq!((&run["drivers"][0]["dead"], ground.unsynced().await), (&json!(0), EVENTS), "{fault:?}");
        ground.faults([]);
        assert_eq!(ground.run().await["state"], "SUCCESS", "{fault:?}");
        assert_eq!(ground.unsynced().await, 0, "{fault:?}");
    }
}

#[tokio::test]
async fn a_service_that_begins_to_refuse_loses_nothing_of_what_it_refused() {
    let ground = Ground::impatient(ga4_in_order).await;
    let ids = ground.events(400).await;
    ground.faults([refusal_of(Service::Ga4, &ids[150..])]);
    let run = ground.run().await;
    assert_eq!((&run["state"], &share(&run, "GA4")["dead"]), (&json!("PARTIAL"), &json!(0)), "{run}");
    // As soon as half of the last two hundred are refusals.
    assert_eq!(ground.requests(Service::Ga4), 250);
    ground.faults([]);
    assert_eq!(ground.run().await["state"], "SUCCESS");
    assert_eq!(ground.states("ga4").await, json!({"delivered": 400}));
    assert!(ground.services.ga4_copies_by_event_uid().values().all(|copies| *copies == 1));
}

#[tokio::test]
async fn bad_events_that_come_first_do_not_keep_the_others_waiting() {
    for settings in [ga4 as fn(&mut _, &_), ga4_in_order] {
        let ground = Ground::impatient(settings).await;
        let ids = ground.events(160).await;
        ground.faults([refusal_of(Service::Ga4, &ids[..40])]);
        let run = ground.run().await;
        assert_eq!(run["state"], "PARTIAL", "{run}");
        assert_eq!(ground.states("ga4").await, json!({"dead": 40, "delivered": 120}));
        assert_eq!(ground.unsynced().await, 0);
        assert_eq!(ground.requests(Service::Ga4), 160);
    }
}

#[tokio::test]
async fn a_few_events_that_are_all_refused_are_given_up_when_the_service_takes_another() {
    let ground = Ground::impatient(ga4_in_order).await;
    let ids = ground.events(3).await;
    ground.faults([refusal_of(Service::Ga4, &ids)]);
    let run = ground.run().await;
    assert_eq!((&run["state"], &share(&run, "GA4")["retrying"]), (&json!("FAILED"), &json!(3)), "{run}");
    let refused = Record::of("retry", 1).because("refused").answered(400);
    assert_eq!(ground.records("ga4").await, vec![refused; 3]);
    ground.advance(TimeDelta::minutes(1));
    ground.events(1).await;
    let run = ground.run().await;
    assert_eq!((&run["state"], &share(&run, "GA4")["dead"]), (&json!("PARTIAL"), &json!(3)), "{run}");
    assert_eq!(ground.states("ga4").await, json!({"dead": 3, "delivered": 1}));
    assert_eq!(ground.unsynced().await, 0);
}

#[tokio::test]
async fn an_event_that_is_refused_all_alone_is_given_up_after_some_tries_and_a_day() {
    let ground = Ground::impatient(ga4_in_order).await;
    let id = ground.events(1).await[0];
    ground.faults([refusal(Service::Ga4)]);
    let mut runs = 0;
    while ground.run().await["state"] != "SKIPPED" {
        runs += 1;
        ground.advance(TimeDelta::hours(2));
    }
    // The first one at once, the last one a day later.
    assert_eq!((runs, ground.requests(Service::Ga4)), (13, 13));
    assert_eq!(ground.records_of(id).await, [Record::of("dead", 13).because("refused").answered(400)]);
    assert_eq!(ground.unsynced().await, 0);
}

#[tokio::test]
async fn a_refusal_is_not_final_before_the_service_is_known_to_take_others() {
    let ground = Ground::impatient(ga4_in_order).await;
    let ids = ground.events(12).await;
    let (bad, good) = ids.split_at(10);
    // Bad ones are refused at once; those that follow take their time.
    ground.faults([
        refusal_of(Service::Ga4, bad),
        Rule::new(Service::Ga4, Fault::Slow)
            .events(good.iter().copied().map(uid).collect::<Vec<_>>())
            .delay_millis(700),
    ]);
    let meanwhile = async {
        ground.ga4_was_asked(11).await;
        for _ in 0..100 {
            if ground.states("ga4").await["retry"] == 10 {
                return ground.states("ga4").await;
            }
        }
        panic!("{}", ground.states("ga4").await);
    };
    let (run, states) = tokio::join!(ground.run(), meanwhile);
    assert!(states.get("dead").is_none(), "{states}");
    assert_eq!(share(&run, "GA4")["dead"], 10, "{run}");
    assert_eq!(ground.states("ga4").await, json!({"dead": 10, "delivered": 2}));
    assert_eq!(ground.requests(Service::Ga4), 12);
}
