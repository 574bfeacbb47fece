//! Requeuing works in batches and skips deleted events.

use serde_json::json;

use super::configs::{both, mixpanel};
use super::fixture::SyncFixture;
use crate::harness::statements::Statements;

/// Inserts events, half of them dead and half of them skipped at Mixpanel. Returns their ids.
async fn insert_dead_and_skipped(fixture: &SyncFixture, each: i64) -> Vec<i64> {
    let ids = fixture.insert_events(2 * each).await;
    fixture
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
async fn many_deliveries_are_requeued_in_batches() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    insert_dead_and_skipped(&fixture, 12_000).await;
    let statements = Statements::of(&fixture.hub.app.pool).await;
    assert_eq!(fixture.requeue("driver: MIXPANEL").await, 24_000);
    let captured = statements.take();
    let batches = captured.iter().filter(|statement| statement.contains("AS requeued")).count();
    assert_eq!(batches, 6, "each batch holds at most 5,000 deliveries of one state");
    assert_eq!(
        (fixture.states("mixpanel").await, fixture.unsynced().await),
        (json!({"pending": 24_000}), 24_000)
    );
    assert_eq!(fixture.requeue("driver: MIXPANEL").await, 0);
}

#[tokio::test]
async fn deliveries_of_deleted_events_are_not_requeued() {
    let fixture = SyncFixture::without_waits(both).await;
    let ids = insert_dead_and_skipped(&fixture, 2).await;
    fixture.hub.sql(&format!("DELETE FROM video_player_events WHERE id IN ({}, {})", ids[0], ids[1])).await;
    let all =
        format!("driver: MIXPANEL, eventIds: {:?}", ids.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(fixture.requeue(&all).await, 2);
    assert_eq!(fixture.requeue("driver: MIXPANEL").await, 0);
    let pending = "SELECT event_id FROM telemetry_deliveries WHERE state = 'pending' ORDER BY event_id";
    let row = |id: i64| json!({"event_id": id});
    assert_eq!(fixture.hub.rows(pending).await, json!([row(ids[2]), row(ids[3])]));
}
