//! Recording player events, with clients that retry.

use std::time::Duration;

use domain::access::Role;
use futures_util::future::join_all;
use serde_json::json;
use uuid::Uuid;

use crate::harness::database::TestDatabase;
use crate::harness::hub::Hub;
use crate::harness::proxy::{NewConnections, Proxy};

const EVENTS: &str = "mutation ($events: [PlayerEventInput!]!) { recordPlayerEvents(events: $events) \
    { eventId error { code } } }";
const CLIENTS: usize = 8;
const EVENTS_PER_CLIENT: usize = 12;

#[tokio::test]
async fn recording_recovers_from_an_outage_without_loss_or_duplicates() {
    let proxy = Proxy::start().await;
    let hub = Hub::on(TestDatabase::new().await.through(&proxy), |_| {}).await;
    let student = hub.user(Role::Student).await;
    let lesson = hub.academy.lesson(hub.academy.course().await).await;
    let client = |_| async {
        for _ in 0..EVENTS_PER_CLIENT {
            let event = json!({"clientEventId": Uuid::new_v4(), "event": "play", "lessonId": lesson.id});
            loop {
                let request = hub.graphql(EVENTS).by(&student.token).variables(json!({"events": [event]}));
                let response = request.send().await;
                let result = &response.body["data"]["recordPlayerEvents"][0];
                if result["eventId"].is_string() {
                    break;
                }
                // Retries, as the player does.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let outage = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        proxy.silence(NewConnections::Silent);
        tokio::time::sleep(Duration::from_millis(500)).await;
        proxy.set_new_connections(NewConnections::Forwarded);
    };
    tokio::join!(join_all((0..CLIENTS).map(client)), outage);
    let rows =
        hub.rows("SELECT count(*), count(DISTINCT client_event_id) AS ids FROM video_player_events").await;
    assert_eq!(rows, json!([{"count": CLIENTS * EVENTS_PER_CLIENT, "ids": CLIENTS * EVENTS_PER_CLIENT}]));
}
