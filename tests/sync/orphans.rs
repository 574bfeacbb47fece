//! Nothing is pending of an event that is not there, whatever removed it; and whatever records an event, it is pending.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use stand_ins::Service;
use stand_ins::fault::{Answer, Fault, Rule};

use super::ground::Ground;
use super::settings::{both, mixpanel};

/// A month of these tests: the hub's clock stands in January 2027.
const MONTH: &str = "video_player_events_y2027m01";

/// Longer than any of it takes.
const LONG: Duration = Duration::from_mins(1);

impl Ground {
    /// Two events that are to be retried at GA4, and two that nobody sent.
    async fn two_to_be_retried_and_two_untouched(&self) -> Vec<i64> {
        let mut ids = self.events_from(TimeDelta::hours(2), 2).await;
        self.faults([Rule::new(Service::Ga4, Fault::Answer(Answer::upstream_unavailable()))]);
        self.run().await;
        self.faults([]);
        ids.extend(self.events(2).await);
        ids
    }

    /// What the status says is pending: events, and deliveries to each driver.
    async fn counted(&self) -> [i64; 3] {
        let status = "{ syncStatus { eventsPending drivers { pending } } }";
        let status = self.hub.graphql(status).by(&self.token().await).data().await["syncStatus"].take();
        [&status["eventsPending"], &status["drivers"][0]["pending"], &status["drivers"][1]["pending"]]
            .map(|count| count.as_i64().unwrap())
    }
}

/// What is pending after something was done to the month, at once and after housekeeping.
async fn pending_after(statement: &str) -> ([i64; 3], [i64; 3]) {
    let ground = Ground::impatient(both).await;
    ground.two_to_be_retried_and_two_untouched().await;
    assert_eq!(ground.counted().await, [4, 4, 2]);
    ground.hub.sql(statement).await;
    let at_once = ground.counted().await;
    ground.hub.app.sync.reconcile(LONG).await.unwrap();
    (at_once, ground.counted().await)
}

/// The same with the month's triggers disabled.
fn unseen(statement: &str) -> String {
    format!("ALTER TABLE {MONTH} DISABLE TRIGGER USER; {statement}; ALTER TABLE {MONTH} ENABLE TRIGGER USER")
}

const NOTHING: [i64; 3] = [0, 0, 0];

#[tokio::test]
async fn what_is_truncated_is_not_pending() {
    assert_eq!(pending_after("TRUNCATE video_player_events").await, (NOTHING, NOTHING));
    assert_eq!(pending_after(&format!("TRUNCATE {MONTH}")).await, (NOTHING, NOTHING));
}

#[tokio::test]
async fn what_is_deleted_from_a_month_itself_is_not_pending() {
    assert_eq!(pending_after(&format!("DELETE FROM {MONTH}")).await, (NOTHING, NOTHING));
}

#[tokio::test]
async fn what_was_in_a_month_that_is_dropped_or_detached_is_not_pending_after_housekeeping() {
    let detach = format!("ALTER TABLE video_player_events DETACH PARTITION {MONTH}");
    for statement in [format!("DROP TABLE {MONTH}"), detach] {
        assert_eq!(pending_after(&statement).await.1, NOTHING, "{statement}");
    }
}

#[tokio::test]
async fn what_is_deleted_behind_the_triggers_backs_is_not_pending_after_housekeeping() {
    assert_eq!(pending_after(&unseen(&format!("DELETE FROM {MONTH}"))).await.1, NOTHING);
}

#[tokio::test]
async fn a_run_forgets_what_is_pending_of_events_that_are_gone() {
    let ground = Ground::impatient(both).await;
    ground.two_to_be_retried_and_two_untouched().await;
    ground.hub.sql(&format!("ALTER TABLE video_player_events DETACH PARTITION {MONTH}")).await;
    ground.run().await;
    assert_eq!(ground.counted().await, NOTHING);
}

#[tokio::test]
async fn what_is_copied_into_a_month_or_recorded_behind_the_triggers_backs_is_sent() {
    let ground = Ground::impatient(mixpanel).await;
    ground.events(1).await;
    let insert = |event: &str| {
        format!("INSERT INTO {MONTH} (recorded_at, event) SELECT recorded_at, '{event}' FROM {MONTH} LIMIT 1")
    };
    ground.hub.sql(&insert("in_its_month")).await;
    let client = ground.hub.database.client().await;
    let sink = client.copy_in(&format!("COPY {MONTH} (recorded_at, event) FROM STDIN")).await.unwrap();
    let mut sink = std::pin::pin!(sink);
    let row = bytes::Bytes::from_static(b"2027-01-15T07:00:00Z\tcopied\n");
    futures_util::SinkExt::send(&mut sink, row).await.unwrap();
    assert_eq!(sink.finish().await.unwrap(), 1);
    assert_eq!(ground.counted().await, [3, 0, 3]);
    ground.hub.sql(&unseen(&insert("unseen"))).await;
    assert_eq!(ground.counted().await, [3, 0, 3]);
    // Events are pending for GA4 and Mixpanel since 1900 in these tests; only those of the last days are looked for.
    ground.hub.app.sync.reconcile(LONG).await.unwrap();
    assert_eq!(ground.counted().await, [4, 0, 4]);
    assert_eq!(ground.run().await["processed"], 4);
    assert_eq!(ground.unsynced().await, 0);
}

#[tokio::test]
async fn what_is_changed_by_hand_takes_what_is_pending_along() {
    let ground = Ground::impatient(both).await;
    let ids = ground.two_to_be_retried_and_two_untouched().await;
    let owed = "SELECT event_id, recorded_at FROM telemetry_pending UNION ALL \
                SELECT event_id, recorded_at FROM telemetry_deliveries WHERE state IN ('pending', 'retry') \
                ORDER BY event_id";
    // To another moment, and to another month.
    for move_on in ["interval '1 minute'", "interval '-20 days'"] {
        ground
            .hub
            .sql(&format!("UPDATE video_player_events SET recorded_at = recorded_at + {move_on}"))
            .await;
        let events = "SELECT id AS event_id, recorded_at FROM video_player_events ORDER BY id";
        assert_eq!(ground.hub.rows(owed).await, ground.hub.rows(events).await, "{move_on}");
    }
    // Of one that has another id there is no record.
    ground.hub.sql(&format!("UPDATE video_player_events SET id = id + 1000000 WHERE id = {}", ids[0])).await;
    ground.hub.sql(&format!("UPDATE video_player_events SET synced_at = now() WHERE id = {}", ids[2])).await;
    let pending = ground.hub.rows("SELECT event_id, drivers FROM telemetry_pending ORDER BY event_id").await;
    let row = |id: i64| -> Value { json!({"event_id": id, "drivers": null}) };
    assert_eq!(pending, json!([row(ids[3]), row(ids[0] + 1_000_000)]));
    ground.hub.app.sync.reconcile(LONG).await.unwrap();
    assert_eq!(ground.counted().await, [3, 3, 2]);
}

#[tokio::test]
async fn months_that_are_made_later_are_watched_too() {
    let ground = Ground::impatient(both).await;
    ground.hub.sql("SELECT ensure_player_event_partitions('2025-03-01', '2025-03-01')").await;
    ground
        .hub
        .sql("INSERT INTO video_player_events_y2025m03 (recorded_at, event) VALUES ('2025-03-05Z', 'play')")
        .await;
    assert_eq!(ground.counted().await, [1, 1, 1]);
    ground.hub.sql("TRUNCATE video_player_events_y2025m03").await;
    assert_eq!(ground.counted().await, NOTHING);
}
