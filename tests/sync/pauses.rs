//! A service that asks for a pause gets it: all of it, from whatever run, and at no event's cost.

use backend::config::Config;
use chrono::TimeDelta;
use serde_json::json;
use stand_ins::fault::{Answer, Fault, RetryAfter, Rule};
use stand_ins::{Service, StandIns};

use super::ground::Ground;
use super::record::Record;
use super::settings::{both, ga4_in_order, impatient, mixpanel};
use super::steps::share;

/// What a service may say, and for how many seconds it is then left alone.
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

/// Another process, with both drivers, that waits for nothing.
fn in_vain(config: &mut Config, services: &StandIns) {
    both(config, services);
    impatient(config);
}

fn asking_for(pause: RetryAfter, status: u16) -> Fault {
    let answer = Answer::empty(status).header("Date", "Fri, 15 Jan 2027 08:00:00 GMT");
    Fault::Answer(answer.retry_after(pause))
}

#[tokio::test]
async fn a_pause_holds_for_every_event_and_every_run_and_costs_no_try() {
    for (service, driver, status) in [(Service::Ga4, "ga4", 429), (Service::Mixpanel, "mixpanel", 503)] {
        let ground = Ground::impatient(|config, services| {
            ga4_in_order(config, services);
            config.telemetry.ga4.enabled = service == Service::Ga4;
            if service == Service::Mixpanel {
                mixpanel(config, services);
            }
        })
        .await;
        for (pause, seconds) in pauses() {
            ground.clear().await;
            ground.services.reset();
            ground.events(4).await;
            ground.faults([Rule::new(service, asking_for(pause.clone(), status)).times(1)]);
            let run = ground.run().await;
            assert_eq!(
                (&run["state"], ground.requests(service)),
                (&json!("FAILED"), 1),
                "{driver} {pause:?}"
            );
            assert!(run["message"].as_str().unwrap().contains("pausa"), "{run}");
            let records = ground.records(driver).await;
            assert!(records.iter().all(|record| record.attempts == 0), "{driver} {pause:?}: {records:?}");
            assert_eq!(records[0].state, "retry", "{driver} {pause:?}");
            // Neither by this hub nor by another process, until the time has come.
            ground.advance(TimeDelta::milliseconds(seconds * 1000 - 1));
            ground.run().await;
            ground.retry_last_batch().await;
            ground.run_with(in_vain).await;
            assert_eq!(ground.requests(service), 1, "{driver} {pause:?}");
            ground.advance(TimeDelta::milliseconds(1));
            assert_eq!(ground.run().await["state"], "SUCCESS", "{driver} {pause:?}");
            assert_eq!(ground.records(driver).await, vec![Record::delivered(); 4], "{driver} {pause:?}");
        }
    }
}

#[tokio::test]
async fn a_pause_until_a_date_is_measured_by_the_hubs_clock_where_the_service_does_not_tell_its_own() {
    let ground = Ground::impatient(both).await;
    ground.events(1).await;
    ground.faults([Service::Ga4, Service::Mixpanel].map(|service| {
        Rule::new(service, Fault::Answer(Answer::empty(503).retry_after(RetryAfter::DateIn(90)))).times(1)
    }));
    ground.run().await;
    for driver in ["ga4", "mixpanel"] {
        assert_eq!(ground.record(driver).await.attempts, 0, "{driver}");
        assert_eq!(ground.put_off_for(driver).await, TimeDelta::seconds(90), "{driver}");
    }
    ground.advance(TimeDelta::seconds(90));
    assert_eq!(ground.run().await["state"], "SUCCESS");
}

#[tokio::test]
async fn what_cannot_be_read_as_a_pause_is_a_failure_like_any_other() {
    let ground = Ground::impatient(mixpanel).await;
    for pause in ["soon", "-5", "", "1e3", "99999999999999999999999"] {
        ground.clear().await;
        ground.events(1).await;
        let answer = Answer::too_many_requests().retry_after(RetryAfter::Text(pause.to_owned()));
        ground.faults([Rule::new(Service::Mixpanel, Fault::Answer(answer))]);
        ground.run().await;
        let failed = Record::of("retry", 1).because("throttled").answered(429);
        assert_eq!(ground.record("mixpanel").await, failed, "{pause:?}");
        let put_off = ground.put_off_for("mixpanel").await;
        assert!((TimeDelta::seconds(3)..=TimeDelta::seconds(7)).contains(&put_off), "{pause:?}: {put_off}");
    }
}

#[tokio::test]
async fn a_run_waits_for_a_short_pause_itself() {
    let ground = Ground::with(mixpanel).await;
    ground.events(4).await;
    ground.faults([Rule::new(Service::Mixpanel, asking_for(RetryAfter::Seconds(5), 429)).times(1)]);
    let before = ground.hub.clock.now();
    let run = ground.run().await;
    assert_eq!((&run["state"], &run["message"]), (&json!("SUCCESS"), &json!(null)));
    assert_eq!(share(&run, "MIXPANEL")["requests"], 2);
    assert_eq!(ground.hub.clock.now() - before, TimeDelta::seconds(5));
}

#[tokio::test]
async fn one_service_that_pauses_holds_no_other_up() {
    let ground = Ground::impatient(both).await;
    ground.events(10).await;
    ground.faults([Rule::new(Service::Ga4, asking_for(RetryAfter::Seconds(600), 429))]);
    let run = ground.run().await;
    assert_eq!((&run["state"], &share(&run, "MIXPANEL")["delivered"]), (&json!("PARTIAL"), &json!(10)));
    assert_eq!((ground.states("mixpanel").await, ground.unsynced().await), (json!({"delivered": 10}), 10));
}
