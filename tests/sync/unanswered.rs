//! Requests without a response: Mixpanel deduplicates retries, GA4 does not.

use std::time::Duration;

use backend::config::telemetry::Ambiguous;
use chrono::TimeDelta;
use serde_json::json;
use stand_ins::Service;
use stand_ins::fault::{BreakMode, Fault, Point, Rule};

use super::actions::{driver_stats, uid};
use super::configs::{ga4_in_order, mixpanel, response_timeout};
use super::delivery_record::DeliveryRecord;
use super::fixture::SyncFixture;

/// Long enough for a stand-in to respond, and short for a test.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(300);

/// Points where a connection can break before the response has a status.
const BEFORE_STATUS: [Point; 4] =
    [Point::BeforeReading, Point::HalfRead, Point::BeforeAnswer, Point::MidHead];
const BREAKS: [BreakMode; 3] = [BreakMode::Reset, BreakMode::Close, BreakMode::Hang];

fn breaks(points: &[Point]) -> Vec<(Point, BreakMode)> {
    points.iter().flat_map(|at| BREAKS.map(|how| (*at, how))).collect()
}

async fn fixture_with_ga4(ambiguous: Ambiguous) -> SyncFixture {
    SyncFixture::without_waits(|config, services| {
        ga4_in_order(config, services);
        response_timeout(config, RESPONSE_TIMEOUT);
        config.telemetry.ga4.ambiguous = ambiguous;
    })
    .await
}

#[tokio::test]
async fn an_unanswered_event_is_sent_to_ga4_again_as_maybe_duplicate() {
    let fixture = fixture_with_ga4(Ambiguous::Retry).await;
    for (at, how) in breaks(&BEFORE_STATUS) {
        let id = fixture.insert_events(1).await[0];
        fixture.faults([Rule::new(Service::Ga4, Fault::Break { at, how }).times(1)]);
        let run = fixture.run().await;
        assert_eq!(
            (&run["state"], &driver_stats(&run, "GA4")["retrying"]),
            (&json!("FAILED"), &json!(1)),
            "{at:?} {how:?}"
        );
        let maybe_delivered =
            DeliveryRecord::new("retry", 1).error_class("ambiguous").unanswered(1).maybe_duplicate();
        assert_eq!(fixture.records_of_event(id).await, [maybe_delivered], "{at:?} {how:?}");
        assert_eq!(fixture.unsynced().await, 1);
        fixture.advance(TimeDelta::seconds(8));
        assert_eq!(fixture.run().await["state"], "SUCCESS", "{at:?} {how:?}");
        let delivered = DeliveryRecord::new("delivered", 2).unanswered(1).maybe_duplicate();
        assert_eq!(fixture.records_of_event(id).await, [delivered], "{at:?} {how:?}");
        let stored = fixture.services.stored_ga4().pop().unwrap();
        assert_eq!((stored.event_uid, &stored.params["maybe_duplicate"]), (Some(uid(id)), &json!(1)));
        assert_eq!(fixture.services.ga4_copies_by_event_uid()[&uid(id)], 1, "{at:?} {how:?}");
    }
}

#[tokio::test]
async fn an_event_that_ga4_does_not_answer_twice_is_dead() {
    let fixture = fixture_with_ga4(Ambiguous::Retry).await;
    let id = fixture.insert_events(1).await[0];
    fixture.faults([Rule::new(
        Service::Ga4,
        Fault::Break { at: Point::BeforeAnswer, how: BreakMode::Reset },
    )
    .after_storing()]);
    fixture.run().await;
    fixture.advance(TimeDelta::seconds(8));
    let run = fixture.run().await;
    assert_eq!((&run["state"], &driver_stats(&run, "GA4")["dead"]), (&json!("FAILED"), &json!(1)));
    let dead = DeliveryRecord::new("dead", 2).error_class("ambiguous").unanswered(2).maybe_duplicate();
    assert_eq!(fixture.record("ga4").await, dead);
    assert_eq!(fixture.unsynced().await, 0, "dead deliveries are not pending");
    fixture.faults([]);
    fixture.advance(TimeDelta::days(1));
    assert_eq!(fixture.run().await["state"], "SKIPPED");
    assert_eq!(
        (fixture.requests(Service::Ga4), fixture.services.ga4_copies_by_event_uid()[&uid(id)]),
        (2, 2)
    );
}

#[tokio::test]
async fn assume_delivered_counts_unanswered_events_as_delivered() {
    let fixture = fixture_with_ga4(Ambiguous::AssumeDelivered).await;
    for (at, how) in breaks(&BEFORE_STATUS) {
        let id = fixture.insert_events(1).await[0];
        let requests = fixture.requests(Service::Ga4);
        fixture.faults([Rule::new(Service::Ga4, Fault::Break { at, how })]);
        assert_eq!(fixture.run().await["state"], "SUCCESS", "{at:?} {how:?}");
        let assumed = DeliveryRecord::delivered().error_class("ambiguous").unanswered(1);
        assert_eq!(fixture.records_of_event(id).await, [assumed], "{at:?} {how:?}");
        fixture.advance(TimeDelta::hours(2));
        assert_eq!(fixture.run().await["state"], "SKIPPED");
        assert_eq!(fixture.requests(Service::Ga4) - requests, 1, "{at:?} {how:?}");
    }
}

#[tokio::test]
async fn a_2xx_status_of_ga4_counts_as_delivered_without_a_body() {
    let fixture = fixture_with_ga4(Ambiguous::Retry).await;
    for (at, how) in breaks(&[Point::AfterHead, Point::MidBody]) {
        let id = fixture.insert_events(1).await[0];
        fixture.faults([Rule::new(Service::Ga4, Fault::Break { at, how }).after_storing()]);
        assert_eq!(fixture.run().await["state"], "SUCCESS", "{at:?} {how:?}");
        assert_eq!(fixture.records_of_event(id).await, [DeliveryRecord::delivered()], "{at:?} {how:?}");
        assert_eq!(fixture.services.ga4_copies_by_event_uid()[&uid(id)], 1);
    }
}

#[tokio::test]
async fn an_unanswered_event_is_sent_to_mixpanel_again_and_stored_once() {
    let fixture = SyncFixture::without_waits(|config, services| {
        mixpanel(config, services);
        response_timeout(config, RESPONSE_TIMEOUT);
    })
    .await;
    for (at, how) in breaks(&[Point::BeforeAnswer, Point::MidHead, Point::AfterHead, Point::MidBody]) {
        fixture.clear().await;
        fixture.insert_events(3).await;
        fixture.faults([Rule::new(Service::Mixpanel, Fault::Break { at, how }).times(1).after_storing()]);
        assert_eq!(fixture.run().await["state"], "FAILED", "{at:?} {how:?}");
        let has_status = matches!(at, Point::AfterHead | Point::MidBody);
        let awaiting_retry = if has_status {
            DeliveryRecord::new("retry", 1).error_class("unreadable").http_status(200)
        } else {
            DeliveryRecord::new("retry", 1).error_class("ambiguous").unanswered(1)
        };
        assert_eq!(fixture.records("mixpanel").await, vec![awaiting_retry; 3], "{at:?} {how:?}");
        assert_eq!(fixture.unsynced().await, 3);
        fixture.advance(TimeDelta::seconds(8));
        assert_eq!(fixture.run().await["state"], "SUCCESS", "{at:?} {how:?}");
        let delivered = DeliveryRecord::new("delivered", 2).unanswered(i32::from(!has_status));
        assert_eq!(fixture.records("mixpanel").await, vec![delivered; 3], "{at:?} {how:?}");
        assert_eq!(
            (fixture.services.mixpanel_raw().len(), fixture.services.mixpanel_deduped().len()),
            (6, 3)
        );
    }
}
