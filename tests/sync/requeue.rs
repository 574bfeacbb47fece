//! However much is put back, it is done slice by slice, and never for events that are gone.

use serde_json::json;

use super::ground::Ground;
use super::settings::{both, mixpanel};
use crate::harness::statements::Statements;

/// Events that are given up at Mixpanel, and as many that were skipped there.
async fn given_up_and_skipped(ground: &Ground, each: i64) -> Vec<i64> {
    let ids = ground.events(2 * each).await;
    ground
        .hub
        .sql(
            "UPDATE video_player_events SET synced_at = now(); \
             INSERT INTO telemetry_deliveries (event_id, recorded_at, driver, state) \
             SELECT id, recorded_at, 'mixpanel', CASE WHEN id % 2 = 0 THEN 'dead' ELSE 'skipped' END \
             FROM video_player_events",
        )
        .await;
    ids
}

#[tokio::test]
async fn much_is_put_back_in_slices_each_in_a_transaction_of_its_own() {
    let ground = Ground::impatient(mixpanel).await;
    given_up_and_skipped(&ground, 12_000).await;
    let statements = Statements::of(&ground.hub.app.pool).await;
    assert_eq!(ground.requeue("driver: MIXPANEL").await, 24_000);
    let heard = statements.take();
    let slices = heard.iter().filter(|statement| statement.contains("AS requeued")).count();
    assert_eq!(slices, 6, "5,000 at most of each kind");
    assert_eq!(
        (ground.states("mixpanel").await, ground.unsynced().await),
        (json!({"pending": 24_000}), 24_000)
    );
    assert_eq!(ground.requeue("driver: MIXPANEL").await, 0);
}

#[tokio::test]
async fn what_the_event_is_gone_of_is_not_put_back() {
    let ground = Ground::impatient(both).await;
    let ids = given_up_and_skipped(&ground, 2).await;
    ground.hub.sql(&format!("DELETE FROM video_player_events WHERE id IN ({}, {})", ids[0], ids[1])).await;
    let all =
        format!("driver: MIXPANEL, eventIds: {:?}", ids.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(ground.requeue(&all).await, 2);
    assert_eq!(ground.requeue("driver: MIXPANEL").await, 0);
    let pending = "SELECT event_id FROM telemetry_deliveries WHERE state = 'pending' ORDER BY event_id";
    let row = |id: i64| json!({"event_id": id});
    assert_eq!(ground.hub.rows(pending).await, json!([row(ids[2]), row(ids[3])]));
}
