//! Pauses: when a service sends `Retry-After`, every run waits that long, and no attempt is counted.

use backend::config::Config;
use chrono::TimeDelta;
use serde_json::json;
use stand_ins::fault::{Answer, Fault, RetryAfter, Rule};
use stand_ins::{Service, StandIns};

use super::actions::driver_stats;
use super::configs::{both, ga4_in_order, mixpanel, without_waits};
use super::delivery_record::DeliveryRecord;
use super::fixture::SyncFixture;

/// Values of `Retry-After`, and the number of seconds that the driver then pauses.
fn pauses() -> [(RetryAfter, i64); 6] {
    [
        (RetryAfter::Seconds(30), 30),
        (RetryAfter::Seconds(0), 1),
        (RetryAfter::Seconds(86_400), 900),
        (RetryAfter::Text("Fri, 15 Jan 2027 08:02:00 GMT".to_owned()), 120),
        (RetryAfter::Text("Fri, 15 Jan 2027 07:00:00 GMT".to_owned()), 1),
        (RetryAfter::Text(" 45 ".to_owned()), 45),
    ]
}

/// The configuration of another process, with both drivers and without waits.
fn both_without_waits(config: &mut Config, services: &StandIns) {
    both(config, services);
    without_waits(config);
}

fn answer_with_pause(pause: RetryAfter, status: u16) -> Fault {
    let answer = Answer::empty(status).header("Date", "Fri, 15 Jan 2027 08:00:00 GMT");
    Fault::Answer(answer.retry_after(pause))
}

#[tokio::test]
async fn a_pause_applies_to_every_run_and_does_not_count_as_an_attempt() {
    for (service, driver, status) in [(Service::Ga4, "ga4", 429), (Service::Mixpanel, "mixpanel", 503)] {
        let fixture = SyncFixture::without_waits(|config, services| {
            ga4_in_order(config, services);
            config.telemetry.ga4.enabled = service == Service::Ga4;
            if service == Service::Mixpanel {
                mixpanel(config, services);
            }
        })
        .await;
        for (pause, seconds) in pauses() {
            fixture.clear().await;
            fixture.services.reset();
            fixture.insert_events(4).await;
            fixture.faults([Rule::new(service, answer_with_pause(pause.clone(), status)).times(1)]);
            let run = fixture.run().await;
            assert_eq!(
                (&run["state"], fixture.requests(service)),
                (&json!("FAILED"), 1),
                "{driver} {pause:?}"
            );
            assert!(run["message"].as_str().unwrap().contains("pausa"), "{run}");
            let records = fixture.records(driver).await;
            assert!(records.iter().all(|record| record.attempts == 0), "{driver} {pause:?}: {records:?}");
            assert_eq!(records[0].state, "retry", "{driver} {pause:?}");
            // Neither this hub nor another process sends anything before the pause ends.
            fixture.advance(TimeDelta::milliseconds(seconds * 1000 - 1));
            fixture.run().await;
            fixture.retry_last_batch().await;
            fixture.run_with(both_without_waits).await;
            assert_eq!(fixture.requests(service), 1, "{driver} {pause:?}");
            fixture.advance(TimeDelta::milliseconds(1));
            assert_eq!(fixture.run().await["state"], "SUCCESS", "{driver} {pause:?}");
            assert_eq!(
                fixture.records(driver).await,
                vec![DeliveryRecord::delivered(); 4],
                "{driver} {pause:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_pause_until_a_date_uses_the_hubs_clock_without_a_date_header() {
    let fixture = SyncFixture::without_waits(both).await;
    fixture.insert_events(1).await;
    fixture.faults([Service::Ga4, Service::Mixpanel].map(|service| {
        Rule::new(service, Fault::Answer(Answer::empty(503).retry_after(RetryAfter::DateIn(90)))).times(1)
    }));
    fixture.run().await;
    for driver in ["ga4", "mixpanel"] {
        assert_eq!(fixture.record(driver).await.attempts, 0, "{driver}");
        assert_eq!(fixture.retry_delay(driver).await, TimeDelta::seconds(90), "{driver}");
    }
    fixture.advance(TimeDelta::seconds(90));
    assert_eq!(fixture.run().await["state"], "SUCCESS");
}

#[tokio::test]
async fn an_invalid_retry_after_is_an_ordinary_failure() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    for pause in ["soon", "-5", "", "1e3", "99999999999999999999999"] {
        fixture.clear().await;
        fixture.insert_events(1).await;
        let answer = Answer::too_many_requests().retry_after(RetryAfter::Text(pause.to_owned()));
        fixture.faults([Rule::new(Service::Mixpanel, Fault::Answer(answer))]);
        fixture.run().await;
        let failed = DeliveryRecord::new("retry", 1).error_class("throttled").http_status(429);
        assert_eq!(fixture.record("mixpanel").await, failed, "{pause:?}");
        let delay = fixture.retry_delay("mixpanel").await;
        assert!((TimeDelta::seconds(3)..=TimeDelta::seconds(7)).contains(&delay), "{pause:?}: {delay}");
    }
}

#[tokio::test]
async fn a_run_waits_during_a_short_pause() {
    let fixture = SyncFixture::with(mixpanel).await;
    fixture.insert_events(4).await;
    fixture.faults([Rule::new(Service::Mixpanel, answer_with_pause(RetryAfter::Seconds(5), 429)).times(1)]);
    let before = fixture.hub.clock.now();
    let run = fixture.run().await;
    assert_eq!((&run["state"], &run["message"]), (&json!("SUCCESS"), &json!(null)));
    assert_eq!(driver_stats(&run, "MIXPANEL")["requests"], 2);
    assert_eq!(fixture.hub.clock.now() - before, TimeDelta::seconds(5));
}

#[tokio::test]
async fn a_pausing_service_does_not_delay_the_other() {
    let fixture = SyncFixture::without_waits(both).await;
    fixture.insert_events(10).await;
    fixture.faults([Rule::new(Service::Ga4, answer_with_pause(RetryAfter::Seconds(600), 429))]);
    let run = fixture.run().await;
    assert_eq!(
        (&run["state"], &driver_stats(&run, "MIXPANEL")["delivered"]),
        (&json!("PARTIAL"), &json!(10))
    );
    assert_eq!((fixture.states("mixpanel").await, fixture.unsynced().await), (json!({"delivered": 10}), 10));
}
