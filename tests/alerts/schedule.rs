//! What is done on a schedule is done by one process at a time, and nothing in it waits for anything else.

use std::time::Duration;

use backend::app::App;
use backend::jobs;
use backend::jobs::job::Job;
use backend::jobs::schedule::{Turn, take_turn};
use futures_util::future::join_all;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{THRESHOLD, Watch, alert, another, send_mail};

async fn turn(app: &App) -> Turn {
    take_turn(Job::MonitorBacklog, app, &CancellationToken::new()).await.unwrap()
}

#[tokio::test]
async fn a_job_is_done_once_a_period_however_many_processes_ask() {
    let watch = Watch::start().await;
    let other = another(&watch.hub, alert);
    for _ in ["the first time", "a period later"] {
        let turns = join_all([&watch.hub.app, &other].repeat(8).into_iter().map(turn)).await;
        assert_eq!(turns.into_iter().filter(|turn| *turn == Turn::Done).count(), 1);
        watch.pass(14);
        assert_eq!(turn(&another(&watch.hub, alert)).await, Turn::NotDue, "after a restart neither");
        watch.pass(1);
    }
}

#[tokio::test]
async fn whoever_comes_late_does_not_shift_the_schedule() {
    let watch = Watch::start().await;
    assert_eq!(turn(&watch.hub.app).await, Turn::Done);
    watch.pass(40);
    assert_eq!(turn(&watch.hub.app).await, Turn::Done, "what was missed is not made up for");
    watch.pass(4);
    assert_eq!(turn(&watch.hub.app).await, Turn::NotDue);
    watch.pass(1);
    assert_eq!(turn(&watch.hub.app).await, Turn::Done, "45 minutes after the first time");
}

#[tokio::test]
async fn a_clock_that_went_wrong_once_stops_no_job() {
    let watch = Watch::start().await;
    assert_eq!(turn(&watch.hub.app).await, Turn::Done);
    watch.hub.sql("UPDATE scheduled_jobs SET due_at = due_at + interval '1 year'").await;
    assert_eq!(turn(&watch.hub.app).await, Turn::Done);
    assert_eq!(turn(&watch.hub.app).await, Turn::NotDue);
}

#[tokio::test]
async fn served_hubs_raise_the_alarm_by_themselves_and_once() {
    let mut watch = Watch::start().await;
    watch.person("ana", "admin").await;
    watch.pending(THRESHOLD, 5).await;
    let url = watch.smtp.url();
    let other = another(&watch.hub, |config| {
        alert(config);
        send_mail(config, &url);
    });
    let stop = CancellationToken::new();
    let apps = [watch.hub.app.clone(), other];
    let served = apps.map(|app| tokio::spawn(jobs::run(app, stop.clone())));
    // Mail may have been asked for before there was any: then it is due again in a minute.
    while watch.told().await.as_array().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    for served in served {
        timeout(Duration::from_secs(20), served).await.expect("it ends when told to").unwrap();
    }
    watch.deliver().await;
    assert_eq!(watch.smtp.next().await.to, ["ana@example.org"]);
    assert_eq!(watch.told().await.as_array().unwrap().len(), 1);
    assert_eq!(watch.smtp.so_far().len(), 0);
}

#[tokio::test]
async fn a_job_that_takes_long_delays_no_other() {
    let mut watch = Watch::start().await;
    watch.person("ana", "admin").await;
    watch.alarm().await;
    let mut client = watch.hub.database.client().await;
    let holding = client.transaction().await.unwrap();
    holding.batch_execute("LOCK TABLE video_player_events IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let stop = CancellationToken::new();
    let served = tokio::spawn(jobs::run(watch.hub.app.clone(), stop.clone()));
    assert_eq!(watch.smtp.next().await.to, ["ana@example.org"], "while the backlog cannot be counted");
    stop.cancel();
    drop(holding);
    timeout(Duration::from_secs(20), served).await.expect("it ends when told to").unwrap();
}
