//! The `syncStatus` subscription: it starts with the current status, reports changes by any process, and
//! requires permission.

mod ended;
mod refused;
mod socket;

use std::time::{Duration, Instant};

use domain::access::Role;
use serde_json::{Value, json};
use tokio::time::timeout;

use self::socket::Socket;
use super::fixture::SyncFixture;
use crate::harness::event_stream::{Events, MESSAGE_TIMEOUT};
use crate::harness::hub::Hub;
use crate::sync::program::dataporter;

const STATUS: &str = "subscription { syncStatus { eventsPending backlogAlert running { state processed } \
    lastRun { state processed } drivers { driver pending } } }";

#[tokio::test]
async fn a_run_in_another_process_is_visible_from_start_to_end() {
    let fixture = SyncFixture::on_system_clock().await;
    fixture.insert_events(60).await;
    fixture.slow_ga4(2000);
    let mut socket = Socket::open(&fixture.hub).await.admitted(&fixture.admin_token).await;
    socket.subscribe("a", STATUS).await;
    let mut events = Events::of(&fixture.hub, &fixture.admin_token, STATUS).await;
    let initial = socket.next("a").await;
    assert_eq!(initial, events.next().await, "the WebSocket and the event stream show the same status");
    assert_eq!(
        initial["syncStatus"],
        json!({
            "eventsPending": 60, "backlogAlert": false, "running": null, "lastRun": null,
            "drivers": [{"driver": "GA4", "pending": 60}, {"driver": "MIXPANEL", "pending": 60}],
        })
    );
    let mut program =
        dataporter(&fixture.hub.database, &fixture.services, &["telemetry:sync"]).spawn().unwrap();
    let is_half_way =
        |status: &Value| status["running"]["processed"].as_i64().is_some_and(|done| (1..60).contains(&done));
    let half_way = socket.until("a", is_half_way).await;
    assert_eq!(half_way["running"]["state"], "RUNNING");
    let has_ended = |status: &Value| status["running"].is_null() && !status["lastRun"].is_null();
    let last = socket.until("a", has_ended).await;
    assert_eq!(
        (&last["eventsPending"], &last["lastRun"]),
        (&json!(0), &json!({"state": "SUCCESS", "processed": 60}))
    );
    assert_eq!(events.until("syncStatus", has_ended).await, last);
    assert!(program.wait().await.unwrap().success());
}

#[tokio::test]
async fn new_player_events_are_visible_soon() {
    let fixture = SyncFixture::new().await;
    let mut socket = Socket::open(&fixture.hub).await.admitted(&fixture.admin_token).await;
    socket.subscribe("a", STATUS).await;
    assert_eq!(socket.next("a").await["syncStatus"]["eventsPending"], 0);
    fixture.insert_events(3).await;
    socket.until("a", |status| status["eventsPending"] == 3).await;
}

#[tokio::test]
async fn updates_are_limited_to_a_few_per_second() {
    let fixture = SyncFixture::new().await;
    fixture.insert_events(400).await;
    let mut socket = Socket::open(&fixture.hub).await.admitted(&fixture.admin_token).await;
    socket.subscribe("a", STATUS).await;
    socket.next("a").await;
    let began = Instant::now();
    let watching = async {
        let mut updates = 0_u32;
        loop {
            updates += 1;
            let status = socket.next("a").await;
            if status["syncStatus"]["lastRun"]["processed"] == 400 {
                break (updates, began.elapsed());
            }
        }
    };
    let (run, (updates, elapsed)) = tokio::join!(fixture.run(), watching);
    assert_eq!(run["state"], "SUCCESS");
    let max_updates = elapsed.as_secs_f64() / 0.25 + 2.0;
    assert!(f64::from(updates) <= max_updates, "{updates} updates in {elapsed:?}");
}

#[tokio::test]
async fn all_subscribers_share_one_database_connection() {
    let fixture = SyncFixture::new().await;
    assert_eq!(connections_outside_the_pool(&fixture.hub).await, 0);
    let mut sockets = Vec::new();
    for _ in 0..3 {
        let mut socket = Socket::open(&fixture.hub).await.admitted(&fixture.admin_token).await;
        socket.subscribe("a", STATUS).await;
        socket.subscribe("b", STATUS).await;
        socket.both("a", "b").await;
        sockets.push(socket);
    }
    let mut events = Events::of(&fixture.hub, &fixture.admin_token, STATUS).await;
    events.next().await;
    assert_eq!(connections_outside_the_pool(&fixture.hub).await, 1);
    // A client can end one of two subscriptions on a socket.
    sockets[0].complete("a").await;
    fixture.insert_events(1).await;
    sockets[0].until("b", |status| status["eventsPending"] == 1).await;
    drop((sockets, events));
    let all_closed = async {
        while connections_outside_the_pool(&fixture.hub).await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(MESSAGE_TIMEOUT, all_closed).await.unwrap();
    // A later subscriber gets the current status.
    let mut events = Events::of(&fixture.hub, &fixture.admin_token, STATUS).await;
    assert_eq!(events.next().await["syncStatus"]["eventsPending"], 1);
}

/// Counts the hub's database connections that are not in its pool.
async fn connections_outside_the_pool(hub: &Hub) -> i64 {
    let all = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'dataporter'";
    let all = hub.rows(all).await[0]["count"].as_i64().unwrap();
    all - i64::try_from(hub.app.pool.status().size).unwrap()
}

#[tokio::test]
async fn teacher_admins_and_services_can_subscribe() {
    let fixture = SyncFixture::new().await;
    for role in [Role::TeacherAdmin, Role::Service] {
        let user = fixture.hub.user_named(&format!("another-{}", role.key()), role).await;
        let mut socket = Socket::open(&fixture.hub).await.admitted(&user.token).await;
        socket.subscribe("a", STATUS).await;
        assert_eq!(socket.next("a").await["syncStatus"]["eventsPending"], 0, "{}", role.key());
    }
}
