//! When the hub syncs by itself.

use std::time::Duration;

use backend::jobs::job::Job;
use backend::jobs::schedule::{Turn, take_turn};
use chrono::TimeDelta;
use serde_json::json;
use stand_ins::Service;
use stand_ins::fault::{Answer, Fault, Rule};
use tokio_util::sync::CancellationToken;

use super::ground::Ground;
use super::settings::ga4;

impl Ground {
    async fn turn(&self) -> Turn {
        take_turn(Job::Sync, &self.hub.app, &CancellationToken::new()).await.unwrap()
    }
}

#[tokio::test]
async fn the_step_of_the_sync_is_a_setting() {
    let ground = Ground::impatient(|config, services| {
        ga4(config, services);
        config.telemetry.sync.every = Duration::from_mins(5);
    })
    .await;
    assert_eq!(ground.turn().await, Turn::Done);
    ground.advance(TimeDelta::seconds(299));
    assert_eq!(ground.turn().await, Turn::NotDue);
    ground.advance(TimeDelta::seconds(1));
    assert_eq!(ground.turn().await, Turn::Done);
}

#[tokio::test]
async fn a_run_also_starts_when_half_of_what_raises_the_alarm_is_pending() {
    let ground = Ground::impatient(|config, services| {
        ga4(config, services);
        config.telemetry.alert.threshold = 20;
    })
    .await;
    assert_eq!(ground.turn().await, Turn::Done);
    ground.advance(TimeDelta::minutes(5));
    ground.events(9).await;
    assert_eq!((ground.turn().await, ground.unsynced().await), (Turn::NotDue, 9));
    ground.events(1).await;
    assert_eq!((ground.turn().await, ground.unsynced().await), (Turn::Done, 0));
    // At most once a minute, and the hour stays what it was.
    ground.events(10).await;
    assert_eq!(ground.turn().await, Turn::NotDue);
    ground.advance(TimeDelta::minutes(1));
    assert_eq!(ground.turn().await, Turn::Done);
    ground.advance(TimeDelta::minutes(53));
    assert_eq!(ground.turn().await, Turn::NotDue);
    ground.advance(TimeDelta::minutes(1));
    assert_eq!(ground.turn().await, Turn::Done);
}

#[tokio::test]
async fn a_service_in_trouble_is_not_asked_before_the_hour_is_over() {
    let ground = Ground::impatient(|config, services| {
        ga4(config, services);
        config.telemetry.alert.threshold = 20;
    })
    .await;
    ground.events(30).await;
    ground.faults([Rule::new(Service::Ga4, Fault::Answer(Answer::html(503)))]);
    assert_eq!(ground.turn().await, Turn::Done);
    let requests = ground.requests(Service::Ga4);
    for _ in 0..5 {
        ground.advance(TimeDelta::minutes(10));
        assert_eq!(ground.turn().await, Turn::NotDue);
    }
    assert_eq!(ground.requests(Service::Ga4), requests);
}

#[tokio::test]
async fn a_scheduled_run_that_found_another_one_under_way_tries_again_in_a_minute() {
    let ground = Ground::impatient(ga4).await;
    assert_eq!(ground.turn().await, Turn::Done);
    ground.events(3).await;
    ground.advance(TimeDelta::hours(1));
    let other = ground.hub.database.client().await;
    other.batch_execute("SELECT pg_advisory_lock(7238261055)").await.unwrap();
    assert_eq!(ground.turn().await, Turn::Hindered);
    other.batch_execute("SELECT pg_advisory_unlock(7238261055)").await.unwrap();
    ground.advance(TimeDelta::seconds(59));
    assert_eq!((ground.turn().await, ground.unsynced().await), (Turn::NotDue, 3));
    ground.advance(TimeDelta::seconds(1));
    assert_eq!((ground.turn().await, ground.unsynced().await), (Turn::Done, 0));
    // The hour is what it was.
    ground.advance(TimeDelta::seconds(58 * 60 + 59));
    assert_eq!(ground.turn().await, Turn::NotDue);
    ground.advance(TimeDelta::seconds(1));
    assert_eq!(ground.turn().await, Turn::Done);
}

#[tokio::test]
async fn a_run_of_events_that_were_only_too_old_is_a_success_that_says_so() {
    let ground = Ground::impatient(ga4).await;
    ground.events_from(TimeDelta::hours(80), 4).await;
    let run = ground.run().await;
    assert_eq!((&run["state"], &run["processed"]), (&json!("SUCCESS"), &json!(4)), "{run}");
    assert_eq!(run["message"], "GA4: 4 caducados.");
    assert_eq!((ground.requests(Service::Ga4), ground.unsynced().await), (0, 0));
}

#[tokio::test]
async fn events_that_are_too_old_do_not_use_up_the_limit() {
    let ground = Ground::impatient(ga4).await;
    ground.events_from(TimeDelta::hours(80), 30).await;
    ground.events(8).await;
    let run = "mutation { run: runTelemetrySync(limit: 5) { drivers { delivered expired } } }";
    let run = ground.hub.graphql(run).by(&ground.admin).data().await;
    assert_eq!(run["run"]["drivers"], json!([{"delivered": 5, "expired": 30}]));
    assert_eq!(ground.unsynced().await, 3);
}

#[tokio::test]
async fn what_is_tried_again_waits_from_when_it_came_in() {
    let ground = Ground::impatient(ga4).await;
    ground.events_from(TimeDelta::hours(30), 2).await;
    let now = ground.hub.clock.now().to_rfc3339();
    ground.hub.sql(&format!("DELETE FROM telemetry_pending; UPDATE video_player_events SET created_at = '{now}', synced_at = now()")).await;
    ground.hub.sql("UPDATE video_player_events SET synced_at = NULL").await;
    let waited = async || {
        let status = ground.hub.graphql("{ syncStatus { oldestPendingSeconds } }").by(&ground.token().await);
        status.data().await["syncStatus"]["oldestPendingSeconds"].take()
    };
    assert_eq!(waited().await, 0);
    ground.advance(TimeDelta::minutes(10));
    assert_eq!(waited().await, 600);
    ground.faults([Rule::new(Service::Ga4, Fault::Answer(Answer::html(503)))]);
    ground.run().await;
    assert_eq!(ground.states("ga4").await, json!({"retry": 2}));
    ground.advance(TimeDelta::minutes(10));
    assert_eq!(waited().await, 1200);
}
