//! Scheduled jobs run in one process at a time and do not delay each other.

use std::time::Duration;

use backend::app::App;
use backend::jobs;
use backend::jobs::job::Job;
use backend::jobs::schedule::{ScheduledRun, run_if_due};
use futures_util::future::join_all;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{AlertFixture, THRESHOLD, another_app, enable_alerts, send_mail};

async fn run_if_due_now(app: &App) -> ScheduledRun {
    run_if_due(Job::MonitorBacklog, app, &CancellationToken::new()).await.unwrap()
}

#[tokio::test]
async fn a_job_runs_once_per_period_across_processes() {
    let fixture = AlertFixture::start().await;
    let other = another_app(&fixture.hub, enable_alerts);
    for _ in ["the first time", "a period later"] {
        let runs = join_all([&fixture.hub.app, &other].repeat(8).into_iter().map(run_if_due_now)).await;
        assert_eq!(runs.into_iter().filter(|run| *run == ScheduledRun::Done).count(), 1);
        fixture.advance_minutes(14);
        assert_eq!(
            run_if_due_now(&another_app(&fixture.hub, enable_alerts)).await,
            ScheduledRun::NotDue,
            "a restart does not make the job due"
        );
        fixture.advance_minutes(1);
    }
}

#[tokio::test]
async fn a_late_run_does_not_shift_the_schedule() {
    let fixture = AlertFixture::start().await;
    assert_eq!(run_if_due_now(&fixture.hub.app).await, ScheduledRun::Done);
    fixture.advance_minutes(40);
    assert_eq!(run_if_due_now(&fixture.hub.app).await, ScheduledRun::Done, "a missed run is not repeated");
    fixture.advance_minutes(4);
    assert_eq!(run_if_due_now(&fixture.hub.app).await, ScheduledRun::NotDue);
    fixture.advance_minutes(1);
    assert_eq!(run_if_due_now(&fixture.hub.app).await, ScheduledRun::Done, "45 minutes after the first run");
}

#[tokio::test]
async fn a_job_recovers_from_a_wrong_clock() {
    let fixture = AlertFixture::start().await;
    assert_eq!(run_if_due_now(&fixture.hub.app).await, ScheduledRun::Done);
    fixture.hub.sql("UPDATE scheduled_jobs SET due_at = due_at + interval '1 year'").await;
    assert_eq!(run_if_due_now(&fixture.hub.app).await, ScheduledRun::Done);
    assert_eq!(run_if_due_now(&fixture.hub.app).await, ScheduledRun::NotDue);
}

#[tokio::test]
async fn running_hubs_raise_the_alarm_once() {
    let mut fixture = AlertFixture::start().await;
    fixture.insert_user("ana", "admin").await;
    fixture.insert_pending(THRESHOLD, 5).await;
    let url = fixture.smtp.url();
    let other = another_app(&fixture.hub, |config| {
        enable_alerts(config);
        send_mail(config, &url);
    });
    let stop = CancellationToken::new();
    let apps = [fixture.hub.app.clone(), other];
    let served = apps.map(|app| tokio::spawn(jobs::run(app, stop.clone())));
    // The mail job may have run before the mail was queued, and then runs again in a minute.
    while fixture.notifications().await.as_array().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    for served in served {
        timeout(Duration::from_secs(20), served).await.expect("the jobs stop in time").unwrap();
    }
    fixture.deliver_mail().await;
    assert_eq!(fixture.smtp.next().await.to, ["ana@example.org"]);
    assert_eq!(fixture.notifications().await.as_array().unwrap().len(), 1);
    assert_eq!(fixture.smtp.drain().len(), 0);
}

#[tokio::test]
async fn a_long_job_delays_no_other_job() {
    let mut fixture = AlertFixture::start().await;
    fixture.insert_user("ana", "admin").await;
    fixture.raise_alarm().await;
    let mut client = fixture.hub.database.client().await;
    let blocking = client.transaction().await.unwrap();
    blocking.batch_execute("LOCK TABLE video_player_events IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let stop = CancellationToken::new();
    let served = tokio::spawn(jobs::run(fixture.hub.app.clone(), stop.clone()));
    assert_eq!(
        fixture.smtp.next().await.to,
        ["ana@example.org"],
        "mail is sent while the backlog count is blocked"
    );
    stop.cancel();
    drop(blocking);
    timeout(Duration::from_secs(20), served).await.expect("the jobs stop in time").unwrap();
}
