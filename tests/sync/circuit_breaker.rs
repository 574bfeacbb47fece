//! The circuit breaker: a service that keeps failing gets no requests for a while, and then one trial
//! request.

use chrono::TimeDelta;
use serde_json::json;
use stand_ins::Service;
use stand_ins::fault::{Answer, BreakMode, Fault, Point, Rule, When};

use super::actions::driver_stats;
use super::configs::{ga4, ga4_in_order, response_timeout};
use super::delivery_record::DeliveryRecord;
use super::fixture::SyncFixture;

fn down() -> Rule {
    Rule::new(Service::Ga4, Fault::Answer(Answer::html(503)))
}

/// Asserts that the first five events have this record and that the others were fetched but not sent.
async fn assert_only_five_sent(fixture: &SyncFixture, failed: &DeliveryRecord) {
    let records = fixture.records("ga4").await;
    let (sent, others) = records.split_at(5);
    assert_eq!(sent, vec![failed.clone(); 5]);
    assert!(others.iter().all(|record| *record == DeliveryRecord::unsent()), "{others:?}");
}

#[tokio::test]
async fn five_consecutive_failures_open_the_breaker() {
    let fixture = SyncFixture::without_waits(ga4_in_order).await;
    fixture.insert_events(40).await;
    fixture.faults([down()]);
    let run = fixture.run().await;
    assert_eq!((&run["state"], fixture.requests(Service::Ga4)), (&json!("FAILED"), 5));
    assert!(run["message"].as_str().unwrap().contains("503"), "{run}");
    let failed = DeliveryRecord::new("retry", 1).error_class("down").http_status(503);
    assert_only_five_sent(&fixture, &failed).await;
    assert_eq!(fixture.unsynced().await, 40);
    fixture.faults([]);
    fixture.advance(TimeDelta::minutes(1));
    assert_eq!(driver_stats(&fixture.run().await, "GA4")["delivered"], 40);
    assert!(fixture.services.ga4_copies_by_event_uid().values().all(|copies| *copies == 1));
}

#[tokio::test]
async fn only_requests_in_flight_complete_after_the_breaker_opens() {
    let fixture = SyncFixture::without_waits(ga4).await;
    fixture.insert_events(40).await;
    fixture.faults([down()]);
    fixture.run().await;
    // The first four responses each start another request, and eight requests are in flight when the fifth
    // arrives.
    assert!((8..=12).contains(&fixture.requests(Service::Ga4)), "{}", fixture.requests(Service::Ga4));
}

#[tokio::test]
async fn non_consecutive_failures_do_not_open_the_breaker() {
    let fixture = SyncFixture::without_waits(ga4_in_order).await;
    fixture.insert_events(40).await;
    fixture.faults([down().when(When::EveryKth(2))]);
    let run = fixture.run().await;
    assert_eq!(
        (&driver_stats(&run, "GA4")["delivered"], &driver_stats(&run, "GA4")["retrying"]),
        (&json!(20), &json!(20))
    );
    assert_eq!(fixture.requests(Service::Ga4), 40);
}

#[tokio::test]
async fn timeouts_open_the_breaker_as_errors_do() {
    let fixture = SyncFixture::without_waits(|config, services| {
        ga4_in_order(config, services);
        response_timeout(config, std::time::Duration::from_millis(100));
    })
    .await;
    fixture.insert_events(20).await;
    fixture.faults([Rule::new(Service::Ga4, Fault::Break { at: Point::BeforeAnswer, how: BreakMode::Hang })]);
    let run = fixture.run().await;
    assert_eq!((&run["state"], fixture.requests(Service::Ga4)), (&json!("FAILED"), 5));
    assert!(run["message"].as_str().unwrap().contains("GA4 no responde"), "{run}");
    let maybe_delivered =
        DeliveryRecord::new("retry", 1).error_class("ambiguous").unanswered(1).maybe_duplicate();
    assert_only_five_sent(&fixture, &maybe_delivered).await;
}

#[tokio::test]
async fn one_successful_trial_request_closes_the_breaker() {
    let fixture = SyncFixture::with(ga4_in_order).await;
    fixture.insert_events(20).await;
    fixture.faults([down().times(6)]);
    let before = fixture.hub.clock.now();
    let run = fixture.run_until_empty().await;
    // Five failures, a one-minute pause, a failed trial, another minute, then all events.
    assert_eq!(run.drivers[0].delivered, 20, "{run:?}");
    assert_eq!((run.drivers[0].requests, fixture.requests(Service::Ga4)), (26, 26));
    assert_eq!(fixture.hub.clock.now() - before, TimeDelta::minutes(2));
    assert!(fixture.services.ga4_copies_by_event_uid().values().all(|copies| *copies == 1));
    assert_eq!(fixture.unsynced().await, 0);
}

#[tokio::test]
async fn an_open_breaker_allows_one_request_a_minute() {
    let fixture = SyncFixture::with(ga4).await;
    fixture.insert_events(60).await;
    fixture.faults([down()]);
    fixture.run_until_empty().await;
    let requests = fixture.services.requests(Service::Ga4);
    assert!((10..=14).contains(&requests.len()), "{}", requests.len());
    let trials = &requests[requests.len() - 2..];
    assert!(trials.iter().all(|request| request.in_flight == 1));
}
