//! When something is tried again, and when it is not any more.

use chrono::TimeDelta;
use serde_json::json;
use stand_ins::Service;
use stand_ins::fault::{Answer, Fault, Rule};

use super::ground::Ground;
use super::record::Record;
use super::settings::{ga4, mixpanel};

fn down(service: Service) -> Rule {
    Rule::new(service, Fault::Answer(Answer::upstream_unavailable()))
}

#[tokio::test]
async fn waits_grow_from_seconds_to_an_hour_and_are_kept() {
    let ground = Ground::impatient(mixpanel).await;
    ground.events(1).await;
    ground.faults([down(Service::Mixpanel)]);
    for (attempt, least, most) in
        [(1, 3, 7), (2, 5, 9), (3, 48, 72), (4, 240, 360), (5, 720, 1080), (6, 2880, 4320), (7, 2880, 4320)]
    {
        ground.run().await;
        let failed = Record::of("retry", attempt).because("down").answered(503);
        assert_eq!(ground.record("mixpanel").await, failed);
        let wait = ground.put_off_for("mixpanel").await;
        assert!((TimeDelta::seconds(least)..=TimeDelta::seconds(most)).contains(&wait), "{attempt}: {wait}");
        // A moment before its time nothing is sent.
        ground.advance(wait - TimeDelta::milliseconds(1));
        ground.run().await;
        assert_eq!(ground.requests(Service::Mixpanel), usize::try_from(attempt).unwrap());
        ground.advance(TimeDelta::milliseconds(2));
    }
}

#[tokio::test]
async fn a_run_that_finds_nothing_due_does_not_say_that_nothing_is_pending() {
    let ground = Ground::impatient(mixpanel).await;
    ground.events(1).await;
    ground.faults([down(Service::Mixpanel)]);
    ground.run().await;
    let run = ground.run().await;
    assert_eq!((&run["state"], &run["processed"]), (&json!("SKIPPED"), &json!(0)));
    assert_eq!(run["message"], "A ningún evento pendiente le toca un reintento todavía.");
    assert_eq!(ground.requests(Service::Mixpanel), 1);
}

#[tokio::test]
async fn what_ga4_cannot_take_is_given_up_after_five_tries_and_a_day() {
    let ground = Ground::impatient(ga4).await;
    ground.events(1).await;
    ground.faults([down(Service::Ga4)]);
    // Every five quarters of an hour, so that its time has come.
    let step = TimeDelta::minutes(75);
    for run in 1..=20 {
        ground.run().await;
        assert_eq!(ground.record("ga4").await, Record::of("retry", run).because("down").answered(503));
        ground.advance(step);
    }
    assert_eq!(ground.run().await["state"], "FAILED");
    assert_eq!(ground.record("ga4").await, Record::of("dead", 21).because("exhausted").answered(503));
    assert_eq!((ground.unsynced().await, ground.requests(Service::Ga4)), (0, 21));
    ground.faults([]);
    ground.advance(step);
    assert_eq!(ground.run().await["state"], "SKIPPED");
    assert_eq!(ground.requests(Service::Ga4), 21);
}

#[tokio::test]
async fn what_mixpanel_cannot_take_is_given_up_after_eight_tries_and_a_week() {
    let ground = Ground::impatient(mixpanel).await;
    ground.events(1).await;
    ground.faults([down(Service::Mixpanel)]);
    let step = TimeDelta::hours(26);
    for run in 1..=7 {
        ground.run().await;
        assert_eq!(ground.record("mixpanel").await, Record::of("retry", run).because("down").answered(503));
        ground.advance(step);
    }
    // A week and more has passed, and it is the eighth.
    ground.run().await;
    assert_eq!(ground.record("mixpanel").await, Record::of("dead", 8).because("exhausted").answered(503));
    assert_eq!(ground.unsynced().await, 0);
}

#[tokio::test]
async fn tries_that_come_quickly_do_not_use_an_event_up() {
    let ground = Ground::impatient(mixpanel).await;
    ground.events(1).await;
    ground.faults([down(Service::Mixpanel)]);
    for _ in 0..12 {
        ground.retry_last_batch().await;
        ground.run().await;
        ground.advance(TimeDelta::minutes(1));
    }
    let record = ground.record("mixpanel").await;
    assert!(record.attempts > 8 && record.state == "retry", "{record:?}");
}

#[tokio::test]
async fn an_outage_of_any_length_costs_mixpanel_nothing() {
    let ground = Ground::impatient(mixpanel).await;
    ground.events(3).await;
    ground.services.refuse_connections(Service::Mixpanel).await;
    for _ in 0..12 {
        ground.run().await;
        ground.advance(TimeDelta::days(2));
    }
    let unreachable = Record::of("retry", 0).because("unreachable");
    assert_eq!(ground.records("mixpanel").await, vec![unreachable; 3]);
    ground.services.accept_connections(Service::Mixpanel).await;
    assert_eq!(ground.run().await["state"], "SUCCESS");
    assert_eq!(ground.records("mixpanel").await, vec![Record::delivered(); 3]);
}
