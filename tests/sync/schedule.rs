//! When scheduled runs start.

use std::time::Duration;

use backend::jobs::job::Job;
use backend::jobs::schedule::{ScheduledRun, run_if_due};
use chrono::TimeDelta;
use serde_json::json;
use stand_ins::Service;
use stand_ins::fault::{Answer, Fault, Rule};
use tokio_util::sync::CancellationToken;

use super::configs::ga4;
use super::fixture::SyncFixture;

impl SyncFixture {
    async fn run_if_due(&self) -> ScheduledRun {
        run_if_due(Job::Sync, &self.hub.app, &CancellationToken::new()).await.unwrap()
    }
}

#[tokio::test]
async fn the_interval_between_runs_is_configurable() {
    let fixture = SyncFixture::without_waits(|config, services| {
        ga4(config, services);
        config.telemetry.sync.interval = Duration::from_mins(5);
    })
    .await;
    assert_eq!(fixture.run_if_due().await, ScheduledRun::Done);
    fixture.advance(TimeDelta::seconds(299));
    assert_eq!(fixture.run_if_due().await, ScheduledRun::NotDue);
    fixture.advance(TimeDelta::seconds(1));
    assert_eq!(fixture.run_if_due().await, ScheduledRun::Done);
}

#[tokio::test]
async fn a_run_starts_early_at_half_the_backlog_that_raises_the_alarm() {
    let fixture = SyncFixture::without_waits(|config, services| {
        ga4(config, services);
        config.telemetry.alert.threshold = 20;
    })
    .await;
    assert_eq!(fixture.run_if_due().await, ScheduledRun::Done);
    fixture.advance(TimeDelta::minutes(5));
    fixture.insert_events(9).await;
    assert_eq!((fixture.run_if_due().await, fixture.unsynced().await), (ScheduledRun::NotDue, 9));
    fixture.insert_events(1).await;
    assert_eq!((fixture.run_if_due().await, fixture.unsynced().await), (ScheduledRun::Done, 0));
    // Early runs start at most once a minute, and the hourly schedule does not change.
    fixture.insert_events(10).await;
    assert_eq!(fixture.run_if_due().await, ScheduledRun::NotDue);
    fixture.advance(TimeDelta::minutes(1));
    assert_eq!(fixture.run_if_due().await, ScheduledRun::Done);
    fixture.advance(TimeDelta::minutes(53));
    assert_eq!(fixture.run_if_due().await, ScheduledRun::NotDue);
    fixture.advance(TimeDelta::minutes(1));
    assert_eq!(fixture.run_if_due().await, ScheduledRun::Done);
}

#[tokio::test]
async fn a_failing_service_gets_no_early_runs() {
    let fixture = SyncFixture::without_waits(|config, services| {
        ga4(config, services);
        config.telemetry.alert.threshold = 20;
    })
    .await;
    fixture.insert_events(30).await;
    fixture.faults([Rule::new(Service::Ga4, Fault::Answer(Answer::html(503)))]);
    assert_eq!(fixture.run_if_due().await, ScheduledRun::Done);
    let requests = fixture.requests(Service::Ga4);
    for _ in 0..5 {
        fixture.advance(TimeDelta::minutes(10));
        assert_eq!(fixture.run_if_due().await, ScheduledRun::NotDue);
    }
    assert_eq!(fixture.requests(Service::Ga4), requests);
}

#[tokio::test]
async fn a_scheduled_run_that_finds_the_lock_taken_retries_in_a_minute() {
    let fixture = SyncFixture::without_waits(ga4).await;
    assert_eq!(fixture.run_if_due().await, ScheduledRun::Done);
    fixture.insert_events(3).await;
    fixture.advance(TimeDelta::hours(1));
    let other = fixture.hub.database.client().await;
    other.batch_execute("SELECT pg_advisory_lock(7238261055)").await.unwrap();
    assert_eq!(fixture.run_if_due().await, ScheduledRun::Deferred);
    other.batch_execute("SELECT pg_advisory_unlock(7238261055)").await.unwrap();
    fixture.advance(TimeDelta::seconds(59));
    assert_eq!((fixture.run_if_due().await, fixture.unsynced().await), (ScheduledRun::NotDue, 3));
    fixture.advance(TimeDelta::seconds(1));
    assert_eq!((fixture.run_if_due().await, fixture.unsynced().await), (ScheduledRun::Done, 0));
    // The hourly schedule does not change.
    fixture.advance(TimeDelta::seconds(58 * 60 + 59));
    assert_eq!(fixture.run_if_due().await, ScheduledRun::NotDue);
    fixture.advance(TimeDelta::seconds(1));
    assert_eq!(fixture.run_if_due().await, ScheduledRun::Done);
}

#[tokio::test]
async fn a_run_with_only_expired_events_succeeds_with_a_message() {
    let fixture = SyncFixture::without_waits(ga4).await;
    fixture.insert_events_from(TimeDelta::hours(80), 4).await;
    let run = fixture.run().await;
    assert_eq!((&run["state"], &run["processed"]), (&json!("SUCCESS"), &json!(4)), "{run}");
    assert_eq!(run["message"], "GA4: 4 caducados.");
    assert_eq!((fixture.requests(Service::Ga4), fixture.unsynced().await), (0, 0));
}

#[tokio::test]
async fn events_that_are_too_old_do_not_use_up_the_limit() {
    let fixture = SyncFixture::without_waits(ga4).await;
    fixture.insert_events_from(TimeDelta::hours(80), 30).await;
    fixture.insert_events(8).await;
    let run = "mutation { run: runTelemetrySync(limit: 5) { drivers { delivered expired } } }";
    let run = fixture.hub.graphql(run).by(&fixture.admin_token).data().await;
    assert_eq!(run["run"]["drivers"], json!([{"delivered": 5, "expired": 30}]));
    assert_eq!(fixture.unsynced().await, 3);
}

#[tokio::test]
async fn the_oldest_pending_age_counts_from_arrival_also_for_retries() {
    let fixture = SyncFixture::without_waits(ga4).await;
    fixture.insert_events_from(TimeDelta::hours(30), 2).await;
    let now = fixture.hub.clock.now().to_rfc3339();
    fixture.hub.sql(&format!("DELETE FROM telemetry_pending; UPDATE video_player_events SET created_at = '{now}', synced_at = now()")).await;
    fixture.hub.sql("UPDATE video_player_events SET synced_at = NULL").await;
    let oldest_pending_seconds = async || {
        let status = fixture
            .hub
            .graphql("{ syncStatus { oldestPendingSeconds } }")
            .by(&fixture.new_admin_token().await);
        status.data().await["syncStatus"]["oldestPendingSeconds"].take()
    };
    assert_eq!(oldest_pending_seconds().await, 0);
    fixture.advance(TimeDelta::minutes(10));
    assert_eq!(oldest_pending_seconds().await, 600);
    fixture.faults([Rule::new(Service::Ga4, Fault::Answer(Answer::html(503)))]);
    fixture.run().await;
    assert_eq!(fixture.states("ga4").await, json!({"retry": 2}));
    fixture.advance(TimeDelta::minutes(10));
    assert_eq!(oldest_pending_seconds().await, 1200);
}
