//! A service that fails again and again is left alone, and tried with one request before it gets more.

use chrono::TimeDelta;
use serde_json::json;
use stand_ins::Service;
use stand_ins::fault::{Answer, Fault, How, Point, Rule, When};

use super::ground::Ground;
use super::record::Record;
use super::settings::{answers_within, ga4, ga4_in_order};
use super::steps::share;

fn down() -> Rule {
    Rule::new(Service::Ga4, Fault::Answer(Answer::html(503)))
}

/// The first five are on record like this, and of the others no more than that they were taken up.
async fn untouched_but(ground: &Ground, failed: &Record) {
    let records = ground.records("ga4").await;
    let (tried, others) = records.split_at(5);
    assert_eq!(tried, vec![failed.clone(); 5]);
    assert!(others.iter().all(|record| *record == Record::untouched()), "{others:?}");
}

#[tokio::test]
async fn after_five_failures_in_a_row_nothing_more_is_sent() {
    let ground = Ground::impatient(ga4_in_order).await;
    ground.events(40).await;
    ground.faults([down()]);
    let run = ground.run().await;
    assert_eq!((&run["state"], ground.requests(Service::Ga4)), (&json!("FAILED"), 5));
    assert!(run["message"].as_str().unwrap().contains("503"), "{run}");
    let failed = Record::of("retry", 1).because("down").answered(503);
    untouched_but(&ground, &failed).await;
    assert_eq!(ground.unsynced().await, 40);
    ground.faults([]);
    ground.advance(TimeDelta::minutes(1));
    assert_eq!(share(&ground.run().await, "GA4")["delivered"], 40);
    assert!(ground.services.ga4_copies_by_event_uid().values().all(|copies| *copies == 1));
}

#[tokio::test]
async fn what_is_under_way_when_a_service_fails_is_all_that_it_gets() {
    let ground = Ground::impatient(ga4).await;
    ground.events(40).await;
    ground.faults([down()]);
    ground.run().await;
    // Four answers each let one more go before the fifth comes, and by then eight are under way.
    assert!((8..=12).contains(&ground.requests(Service::Ga4)), "{}", ground.requests(Service::Ga4));
}

#[tokio::test]
async fn failures_that_are_not_in_a_row_stop_nothing() {
    let ground = Ground::impatient(ga4_in_order).await;
    ground.events(40).await;
    ground.faults([down().when(When::EveryKth(2))]);
    let run = ground.run().await;
    assert_eq!((&share(&run, "GA4")["delivered"], &share(&run, "GA4")["retrying"]), (&json!(20), &json!(20)));
    assert_eq!(ground.requests(Service::Ga4), 40);
}

#[tokio::test]
async fn silence_closes_the_way_as_errors_do() {
    let ground = Ground::impatient(|config, services| {
        ga4_in_order(config, services);
        answers_within(config, std::time::Duration::from_millis(100));
    })
    .await;
    ground.events(20).await;
    ground.faults([Rule::new(Service::Ga4, Fault::Break { at: Point::BeforeAnswer, how: How::Hang })]);
    let run = ground.run().await;
    assert_eq!((&run["state"], ground.requests(Service::Ga4)), (&json!("FAILED"), 5));
    assert!(run["message"].as_str().unwrap().contains("GA4 no responde"), "{run}");
    let doubtful = Record::of("retry", 1).because("ambiguous").unanswered(1).doubtful();
    untouched_but(&ground, &doubtful).await;
}

#[tokio::test]
async fn one_request_tries_whether_a_service_is_back_and_is_enough_to_go_on() {
    let ground = Ground::with(ga4_in_order).await;
    ground.events(20).await;
    ground.faults([down().times(6)]);
    let before = ground.hub.clock.now();
    let run = ground.run_until_empty().await;
    // Five failures, a minute, one more, another minute, and then all of it.
    assert_eq!(run.drivers[0].delivered, 20, "{run:?}");
    assert_eq!((run.drivers[0].requests, ground.requests(Service::Ga4)), (26, 26));
    assert_eq!(ground.hub.clock.now() - before, TimeDelta::minutes(2));
    assert!(ground.services.ga4_copies_by_event_uid().values().all(|copies| *copies == 1));
    assert_eq!(ground.unsynced().await, 0);
}

#[tokio::test]
async fn a_service_that_is_not_back_gets_one_request_a_minute() {
    let ground = Ground::with(ga4).await;
    ground.events(60).await;
    ground.faults([down()]);
    ground.run_until_empty().await;
    let requests = ground.services.requests(Service::Ga4);
    assert!((10..=14).contains(&requests.len()), "{}", requests.len());
    let tries = &requests[requests.len() - 2..];
    assert!(tries.iter().all(|request| request.in_flight == 1));
}
