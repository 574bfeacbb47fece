//! Player events whose senders repeat them: nothing is lost, nothing doubled.

use std::time::Duration;

use domain::access::Role;
use futures_util::future::join_all;
use serde_json::json;
use uuid::Uuid;

use crate::harness::database::TestDatabase;
use crate::harness::hub::Hub;
use crate::harness::proxy::{Newcomers, Proxy};

const EVENTS: &str = "mutation ($events: [PlayerEventInput!]!) { recordPlayerEvents(events: $events) \
    { eventId error { code } } }";
const CLIENTS: usize = 8;
const EACH: usize = 12;

#[tokio::test]
async fn recording_goes_on_after_a_silence_and_loses_and_doubles_nothing() {
    let proxy = Proxy::start().await;
    let hub = Hub::on(TestDatabase::new().await.behind(&proxy), |_| {}).await;
    let student = hub.user(Role::Student).await;
    let lesson = hub.academy.lesson(hub.academy.course().await).await;
    let client = |_| async {
        for _ in 0..EACH {
            let event = json!({"clientEventId": Uuid::new_v4(), "event": "play", "lessonId": lesson.id});
            loop {
                let ask = hub.graphql(EVENTS).by(&student.token).variables(json!({"events": [event]}));
                let answer = ask.send().await;
                let result = &answer.body["data"]["recordPlayerEvents"][0];
                if result["eventId"].is_string() {
                    break;
                }
                // As the player does.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let weather = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        proxy.silence(Newcomers::Silenced);
        tokio::time::sleep(Duration::from_millis(500)).await;
        proxy.take(Newcomers::Served);
    };
    tokio::join!(join_all((0..CLIENTS).map(client)), weather);
    let rows =
        hub.rows("SELECT count(*), count(DISTINCT client_event_id) AS ids FROM video_player_events").await;
    assert_eq!(rows, json!([{"count": CLIENTS * EACH, "ids": CLIENTS * EACH}]));
}
