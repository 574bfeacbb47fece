//! When deliveries are retried, and when they become dead.

use chrono::TimeDelta;
use serde_json::json;
use stand_ins::Service;
use stand_ins::fault::{Answer, Fault, Rule};

use super::configs::{ga4, mixpanel};
use super::delivery_record::DeliveryRecord;
use super::fixture::SyncFixture;

fn down(service: Service) -> Rule {
    Rule::new(service, Fault::Answer(Answer::upstream_unavailable()))
}

#[tokio::test]
async fn the_retry_delay_grows_from_seconds_to_an_hour() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    fixture.insert_events(1).await;
    fixture.faults([down(Service::Mixpanel)]);
    for (attempt, min, max) in
        [(1, 3, 7), (2, 5, 9), (3, 48, 72), (4, 240, 360), (5, 720, 1080), (6, 2880, 4320), (7, 2880, 4320)]
    {
        fixture.run().await;
        let failed = DeliveryRecord::new("retry", attempt).error_class("down").http_status(503);
        assert_eq!(fixture.record("mixpanel").await, failed);
        let wait = fixture.retry_delay("mixpanel").await;
        assert!((TimeDelta::seconds(min)..=TimeDelta::seconds(max)).contains(&wait), "{attempt}: {wait}");
        // A moment before the retry is due, nothing is sent.
        fixture.advance(wait - TimeDelta::milliseconds(1));
        fixture.run().await;
        assert_eq!(fixture.requests(Service::Mixpanel), usize::try_from(attempt).unwrap());
        fixture.advance(TimeDelta::milliseconds(2));
    }
}

#[tokio::test]
async fn a_run_without_due_retries_does_not_claim_that_nothing_is_pending() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    fixture.insert_events(1).await;
    fixture.faults([down(Service::Mixpanel)]);
    fixture.run().await;
    let run = fixture.run().await;
    assert_eq!((&run["state"], &run["processed"]), (&json!("SKIPPED"), &json!(0)));
    assert_eq!(run["message"], "A ningún evento pendiente le toca un reintento todavía.");
    assert_eq!(fixture.requests(Service::Mixpanel), 1);
}

#[tokio::test]
async fn failures_at_ga4_are_dead_after_five_attempts_and_a_day() {
    let fixture = SyncFixture::without_waits(ga4).await;
    fixture.insert_events(1).await;
    fixture.faults([down(Service::Ga4)]);
    // Longer than the longest retry delay, so that each run makes an attempt.
    let step = TimeDelta::minutes(75);
    for run in 1..=20 {
        fixture.run().await;
        assert_eq!(
            fixture.record("ga4").await,
            DeliveryRecord::new("retry", run).error_class("down").http_status(503)
        );
        fixture.advance(step);
    }
    assert_eq!(fixture.run().await["state"], "FAILED");
    assert_eq!(
        fixture.record("ga4").await,
        DeliveryRecord::new("dead", 21).error_class("exhausted").http_status(503)
    );
    assert_eq!((fixture.unsynced().await, fixture.requests(Service::Ga4)), (0, 21));
    fixture.faults([]);
    fixture.advance(step);
    assert_eq!(fixture.run().await["state"], "SKIPPED");
    assert_eq!(fixture.requests(Service::Ga4), 21);
}

#[tokio::test]
async fn failures_at_mixpanel_are_dead_after_eight_attempts_and_a_week() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    fixture.insert_events(1).await;
    fixture.faults([down(Service::Mixpanel)]);
    let step = TimeDelta::hours(26);
    for run in 1..=7 {
        fixture.run().await;
        assert_eq!(
            fixture.record("mixpanel").await,
            DeliveryRecord::new("retry", run).error_class("down").http_status(503)
        );
        fixture.advance(step);
    }
    // More than a week has passed, and this is the eighth attempt.
    fixture.run().await;
    assert_eq!(
        fixture.record("mixpanel").await,
        DeliveryRecord::new("dead", 8).error_class("exhausted").http_status(503)
    );
    assert_eq!(fixture.unsynced().await, 0);
}

#[tokio::test]
async fn attempts_in_quick_succession_do_not_make_an_event_dead() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    fixture.insert_events(1).await;
    fixture.faults([down(Service::Mixpanel)]);
    for _ in 0..12 {
        fixture.retry_last_batch().await;
        fixture.run().await;
        fixture.advance(TimeDelta::minutes(1));
    }
    let record = fixture.record("mixpanel").await;
    assert!(record.attempts > 8 && record.state == "retry", "{record:?}");
}

#[tokio::test]
async fn an_outage_of_any_length_loses_no_events() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    fixture.insert_events(3).await;
    fixture.services.refuse_connections(Service::Mixpanel).await;
    for _ in 0..12 {
        fixture.run().await;
        fixture.advance(TimeDelta::days(2));
    }
    let unreachable = DeliveryRecord::new("retry", 0).error_class("unreachable");
    assert_eq!(fixture.records("mixpanel").await, vec![unreachable; 3]);
    fixture.services.accept_connections(Service::Mixpanel).await;
    assert_eq!(fixture.run().await["state"], "SUCCESS");
    assert_eq!(fixture.records("mixpanel").await, vec![DeliveryRecord::delivered(); 3]);
}
