//! Events that are removed in any way are not pending, and events that are added in any way are pending.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use stand_ins::Service;
use stand_ins::fault::{Answer, Fault, Rule};

use super::configs::{both, mixpanel};
use super::fixture::SyncFixture;

/// The partition of the current month: the hub's clock is in January 2027.
const MONTH: &str = "video_player_events_y2027m01";

/// Longer than reconciling takes in a test.
const RECONCILE_TIMEOUT: Duration = Duration::from_mins(1);

impl SyncFixture {
    /// Inserts two events that await a retry at GA4, and two that were not sent.
    async fn insert_two_retryable_and_two_unsent(&self) -> Vec<i64> {
        let mut ids = self.insert_events_from(TimeDelta::hours(2), 2).await;
        self.faults([Rule::new(Service::Ga4, Fault::Answer(Answer::upstream_unavailable()))]);
        self.run().await;
        self.faults([]);
        ids.extend(self.insert_events(2).await);
        ids
    }

    /// The pending counts in `syncStatus`: events, then deliveries of each driver.
    async fn pending_counts(&self) -> [i64; 3] {
        let status = "{ syncStatus { eventsPending drivers { pending } } }";
        let status =
            self.hub.graphql(status).by(&self.new_admin_token().await).data().await["syncStatus"].take();
        [&status["eventsPending"], &status["drivers"][0]["pending"], &status["drivers"][1]["pending"]]
            .map(|count| count.as_i64().unwrap())
    }
}

/// The pending counts after a statement changed the partition: at once, and after reconciling.
async fn pending_after(statement: &str) -> ([i64; 3], [i64; 3]) {
    let fixture = SyncFixture::without_waits(both).await;
    fixture.insert_two_retryable_and_two_unsent().await;
    assert_eq!(fixture.pending_counts().await, [4, 4, 2]);
    fixture.hub.sql(statement).await;
    let before_reconciling = fixture.pending_counts().await;
    fixture.hub.app.sync.reconcile(RECONCILE_TIMEOUT).await.unwrap();
    (before_reconciling, fixture.pending_counts().await)
}

/// Wraps a statement so that it runs with the partition's triggers disabled.
fn without_triggers(statement: &str) -> String {
    format!("ALTER TABLE {MONTH} DISABLE TRIGGER USER; {statement}; ALTER TABLE {MONTH} ENABLE TRIGGER USER")
}

const NOTHING: [i64; 3] = [0, 0, 0];

#[tokio::test]
async fn truncated_events_are_not_pending() {
    assert_eq!(pending_after("TRUNCATE video_player_events").await, (NOTHING, NOTHING));
    assert_eq!(pending_after(&format!("TRUNCATE {MONTH}")).await, (NOTHING, NOTHING));
}

#[tokio::test]
async fn events_deleted_directly_from_a_partition_are_not_pending() {
    assert_eq!(pending_after(&format!("DELETE FROM {MONTH}")).await, (NOTHING, NOTHING));
}

#[tokio::test]
async fn events_of_a_dropped_or_detached_partition_are_reconciled() {
    let detach = format!("ALTER TABLE video_player_events DETACH PARTITION {MONTH}");
    for statement in [format!("DROP TABLE {MONTH}"), detach] {
        assert_eq!(pending_after(&statement).await.1, NOTHING, "{statement}");
    }
}

#[tokio::test]
async fn events_deleted_while_triggers_are_disabled_are_reconciled() {
    assert_eq!(pending_after(&without_triggers(&format!("DELETE FROM {MONTH}"))).await.1, NOTHING);
}

#[tokio::test]
async fn a_run_deletes_pending_rows_of_events_that_no_longer_exist() {
    let fixture = SyncFixture::without_waits(both).await;
    fixture.insert_two_retryable_and_two_unsent().await;
    fixture.hub.sql(&format!("ALTER TABLE video_player_events DETACH PARTITION {MONTH}")).await;
    fixture.run().await;
    assert_eq!(fixture.pending_counts().await, NOTHING);
}

#[tokio::test]
async fn events_copied_in_or_inserted_without_triggers_are_sent() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    fixture.insert_events(1).await;
    let insert = |event: &str| {
        format!("INSERT INTO {MONTH} (recorded_at, event) SELECT recorded_at, '{event}' FROM {MONTH} LIMIT 1")
    };
    fixture.hub.sql(&insert("in_its_month")).await;
    let client = fixture.hub.database.client().await;
    let sink = client.copy_in(&format!("COPY {MONTH} (recorded_at, event) FROM STDIN")).await.unwrap();
    let mut sink = std::pin::pin!(sink);
    let row = bytes::Bytes::from_static(b"2027-01-15T07:00:00Z\tcopied\n");
    futures_util::SinkExt::send(&mut sink, row).await.unwrap();
    assert_eq!(sink.finish().await.unwrap(), 1);
    assert_eq!(fixture.pending_counts().await, [3, 0, 3]);
    fixture.hub.sql(&without_triggers(&insert("without_triggers"))).await;
    assert_eq!(fixture.pending_counts().await, [3, 0, 3]);
    // In these tests, both drivers are enabled since 1900, but reconciling only looks for events of the last
    // days.
    fixture.hub.app.sync.reconcile(RECONCILE_TIMEOUT).await.unwrap();
    assert_eq!(fixture.pending_counts().await, [4, 0, 4]);
    assert_eq!(fixture.run().await["processed"], 4);
    assert_eq!(fixture.unsynced().await, 0);
}

#[tokio::test]
async fn pending_rows_follow_events_that_are_changed_by_hand() {
    let fixture = SyncFixture::without_waits(both).await;
    let ids = fixture.insert_two_retryable_and_two_unsent().await;
    let pending_rows = "SELECT event_id, recorded_at FROM telemetry_pending UNION ALL \
                SELECT event_id, recorded_at FROM telemetry_deliveries WHERE state IN ('pending', 'retry') \
                ORDER BY event_id";
    // To another time in the same month, and to another month.
    for interval in ["interval '1 minute'", "interval '-20 days'"] {
        fixture
            .hub
            .sql(&format!("UPDATE video_player_events SET recorded_at = recorded_at + {interval}"))
            .await;
        let events = "SELECT id AS event_id, recorded_at FROM video_player_events ORDER BY id";
        assert_eq!(fixture.hub.rows(pending_rows).await, fixture.hub.rows(events).await, "{interval}");
    }
    // If the id of an event changes, it loses its delivery records.
    fixture.hub.sql(&format!("UPDATE video_player_events SET id = id + 1000000 WHERE id = {}", ids[0])).await;
    fixture.hub.sql(&format!("UPDATE video_player_events SET synced_at = now() WHERE id = {}", ids[2])).await;
    let pending = fixture.hub.rows("SELECT event_id, drivers FROM telemetry_pending ORDER BY event_id").await;
    let row = |id: i64| -> Value { json!({"event_id": id, "drivers": null}) };
    assert_eq!(pending, json!([row(ids[3]), row(ids[0] + 1_000_000)]));
    fixture.hub.app.sync.reconcile(RECONCILE_TIMEOUT).await.unwrap();
    assert_eq!(fixture.pending_counts().await, [3, 3, 2]);
}

#[tokio::test]
async fn partitions_created_later_have_the_triggers_too() {
    let fixture = SyncFixture::without_waits(both).await;
    fixture.hub.sql("SELECT ensure_player_event_partitions('2025-03-01', '2025-03-01')").await;
    fixture
        .hub
        .sql("INSERT INTO video_player_events_y2025m03 (recorded_at, event) VALUES ('2025-03-05Z', 'play')")
        .await;
    assert_eq!(fixture.pending_counts().await, [1, 1, 1]);
    fixture.hub.sql("TRUNCATE video_player_events_y2025m03").await;
    assert_eq!(fixture.pending_counts().await, NOTHING);
}
