//! `syncStatus` as a subscription: seen at once, kept up to date from whatever process, and only by who may see it.

mod ended;
mod refused;
mod socket;
mod sse;

use std::time::{Duration, Instant};

use domain::access::Role;
use serde_json::{Value, json};
use tokio::time::timeout;

use self::socket::Socket;
use self::sse::Events;
use super::ground::Ground;
use crate::harness::hub::Hub;
use crate::sync::program::dataporter;

const STATUS: &str = "subscription { syncStatus { eventsPending backlogAlert running { state processed } \
    lastRun { state processed } drivers { driver pending } } }";

/// Nothing here takes nearly as long; whoever waits longer waits in vain.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_run_in_another_process_is_seen_from_its_beginning_to_its_end() {
    let ground = Ground::today().await;
    ground.events(60).await;
    ground.slow_ga4(500);
    let mut socket = Socket::open(&ground.hub).await.admitted(&ground.admin).await;
    socket.subscribe("a", STATUS).await;
    let mut events = Events::of(&ground.hub, &ground.admin, STATUS).await;
    let present = socket.next("a").await;
    assert_eq!(present, events.next().await, "both ways show the same");
    assert_eq!(
        present["syncStatus"],
        json!({
            "eventsPending": 60, "backlogAlert": false, "running": null, "lastRun": null,
            "drivers": [{"driver": "GA4", "pending": 60}, {"driver": "MIXPANEL", "pending": 60}],
        })
    );
    let mut program =
        dataporter(&ground.hub.database, &ground.services, &["telemetry:sync"]).spawn().unwrap();
    let is_half_way =
        |status: &Value| status["running"]["processed"].as_i64().is_some_and(|done| (1..60).contains(&done));
    let half_way = socket.until("a", is_half_way).await;
    assert_eq!(half_way["running"]["state"], "RUNNING");
    let is_over = |status: &Value| status["running"].is_null() && !status["lastRun"].is_null();
    let over = socket.until("a", is_over).await;
    assert_eq!(
        (&over["eventsPending"], &over["lastRun"]),
        (&json!(0), &json!({"state": "SUCCESS", "processed": 60}))
    );
    assert_eq!(events.until(is_over).await, over);
    assert!(program.wait().await.unwrap().success());
}

#[tokio::test]
async fn what_comes_in_by_the_players_is_seen_soon() {
    let ground = Ground::new().await;
    let mut socket = Socket::open(&ground.hub).await.admitted(&ground.admin).await;
    socket.subscribe("a", STATUS).await;
    assert_eq!(socket.next("a").await["syncStatus"]["eventsPending"], 0);
    ground.events(3).await;
    socket.until("a", |status| status["eventsPending"] == 3).await;
}

#[tokio::test]
async fn however_fast_a_run_is_nobody_is_told_more_than_a_few_times_a_second() {
    let ground = Ground::new().await;
    ground.events(400).await;
    let mut socket = Socket::open(&ground.hub).await.admitted(&ground.admin).await;
    socket.subscribe("a", STATUS).await;
    socket.next("a").await;
    let began = Instant::now();
    let watching = async {
        let mut told = 0_u32;
        loop {
            told += 1;
            let status = socket.next("a").await;
            if status["syncStatus"]["lastRun"]["processed"] == 400 {
                break (told, began.elapsed());
            }
        }
    };
    let (run, (told, took)) = tokio::join!(ground.run(), watching);
    assert_eq!(run["state"], "SUCCESS");
    let most = took.as_secs_f64() / 0.25 + 2.0;
    assert!(f64::from(told) <= most, "{told} times in {took:?}");
}

#[tokio::test]
async fn many_watch_by_one_connection_which_goes_when_nobody_does() {
    let ground = Ground::new().await;
    assert_eq!(connections_beside_the_pool(&ground.hub).await, 0);
    let mut sockets = Vec::new();
    for _ in 0..3 {
        let mut socket = Socket::open(&ground.hub).await.admitted(&ground.admin).await;
        socket.subscribe("a", STATUS).await;
        socket.subscribe("b", STATUS).await;
        socket.both("a", "b").await;
        sockets.push(socket);
    }
    let mut events = Events::of(&ground.hub, &ground.admin, STATUS).await;
    events.next().await;
    assert_eq!(connections_beside_the_pool(&ground.hub).await, 1);
    // One of two subscriptions of a socket may end by itself.
    sockets[0].complete("a").await;
    ground.events(1).await;
    sockets[0].until("b", |status| status["eventsPending"] == 1).await;
    drop((sockets, events));
    let nobody_watches = async {
        while connections_beside_the_pool(&ground.hub).await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, nobody_watches).await.unwrap();
    // And whoever comes next is told anew.
    let mut events = Events::of(&ground.hub, &ground.admin, STATUS).await;
    assert_eq!(events.next().await["syncStatus"]["eventsPending"], 1);
}

/// The hub's connections that its pool knows nothing of.
async fn connections_beside_the_pool(hub: &Hub) -> i64 {
    let all = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'dataporter'";
    let all = hub.rows(all).await[0]["count"].as_i64().unwrap();
    all - i64::try_from(hub.app.pool.status().size).unwrap()
}

#[tokio::test]
async fn teacher_admins_and_services_watch_too() {
    let ground = Ground::new().await;
    for role in [Role::TeacherAdmin, Role::Service] {
        let user = ground.hub.user_named(&format!("another-{}", role.key()), role).await;
        let mut socket = Socket::open(&ground.hub).await.admitted(&user.token).await;
        socket.subscribe("a", STATUS).await;
        assert_eq!(socket.next("a").await["syncStatus"]["eventsPending"], 0, "{}", role.key());
    }
}
