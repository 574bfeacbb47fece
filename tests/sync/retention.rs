//! `dataporter retention`: it drops old months with their deliveries and pending rows.

use std::process::Output;

use serde_json::{Value, json};

use super::fixture::SyncFixture;
use super::program::without_drivers;

impl SyncFixture {
    /// A hub on the system clock with events from six months and from a minute ago. At each time, one event
    /// was delivered to GA4 and is pending for Mixpanel, and one was not sent.
    async fn with_old_and_recent_events() -> Self {
        let fixture = Self::on_system_clock().await;
        fixture
            .hub
            .sql(
                "SELECT ensure_player_event_partitions((now() - interval '6 months')::date, now()::date);
                 INSERT INTO video_player_events (recorded_at, event) SELECT moment, event
                 FROM unnest(ARRAY[now() - interval '6 months', now() - interval '1 minute']) AS moment, unnest(ARRAY['sent', 'untouched']) AS event;
                 INSERT INTO telemetry_deliveries (event_id, recorded_at, driver, state, delivered_at)
                 SELECT id, recorded_at, driver, state, CASE state WHEN 'delivered' THEN now() END
                 FROM video_player_events, (VALUES ('ga4', 'delivered'), ('mixpanel', 'pending')) AS record (driver, state)
                 WHERE event = 'sent';
                 DELETE FROM telemetry_pending USING video_player_events WHERE id = event_id AND event = 'sent'",
            )
            .await;
        fixture
    }

    async fn retention(&self, arguments: &[&str]) -> Output {
        let arguments = [&["retention"], arguments].concat();
        without_drivers(&self.hub.database, &arguments).output().await.unwrap()
    }

    /// Counts the events, deliveries and pending rows.
    async fn row_counts(&self) -> Value {
        self.hub
            .rows(
                "SELECT (SELECT count(*) FROM video_player_events) AS events, \
                     (SELECT count(*) FROM telemetry_deliveries) AS deliveries, \
                     (SELECT count(*) FROM telemetry_pending) AS pending",
            )
            .await[0]
            .take()
    }
}

fn report(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn old_months_are_dropped_with_their_deliveries_and_pending_rows() {
    let fixture = SyncFixture::with_old_and_recent_events().await;
    let all = json!({"events": 4, "deliveries": 4, "pending": 2});
    let dry_run = report(&fixture.retention(&["--keep-months=3", "--dry-run", "--json"]).await);
    let events = |report: &Value| {
        report["months"]
            .as_array()
            .unwrap()
            .iter()
            .map(|month| month["events"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    // The month of the old events, and the two months after it.
    assert_eq!((&dry_run["dryRun"], events(&dry_run)), (&json!(true), vec![2, 0, 0]));
    assert_eq!(fixture.row_counts().await, all);
    // A concurrent transaction that records an event does not block retention, and is not blocked by it.
    let mut writer = fixture.hub.database.client().await;
    let writing = writer.transaction().await.unwrap();
    let record = "INSERT INTO video_player_events (recorded_at, event) VALUES (now(), 'meanwhile')";
    let done = async {
        let done = fixture.retention(&["--keep-months=3", "--json"]).await;
        report(&done)
    };
    writing.execute(record, &[]).await.unwrap();
    writing.commit().await.unwrap();
    let done = done.await;
    assert_eq!((&done["dryRun"], events(&done)), (&json!(false), vec![2, 0, 0]));
    assert_eq!(fixture.row_counts().await, json!({"events": 3, "deliveries": 2, "pending": 2}));
    let again = fixture.retention(&["--keep-months=3"]).await;
    assert!(String::from_utf8_lossy(&again.stdout).starts_with("Dropped nothing"), "{again:?}");
}

#[tokio::test]
async fn an_interrupted_drop_is_resumed_and_a_detached_month_is_kept() {
    let fixture = SyncFixture::with_old_and_recent_events().await;
    let months = fixture
        .hub
        .rows(
            "SELECT inhrelid::regclass::text AS month FROM pg_inherits \
             WHERE inhparent = 'video_player_events'::regclass ORDER BY 1 LIMIT 2",
        )
        .await;
    let [interrupted, kept] = [0, 1].map(|index| months[index]["month"].as_str().unwrap().to_owned());
    fixture
        .hub
        .sql(&format!(
            "COMMENT ON TABLE {interrupted} IS 'Player events that dataporter retention is dropping.';
             ALTER TABLE video_player_events DETACH PARTITION {interrupted};
             ALTER TABLE video_player_events DETACH PARTITION {kept}"
        ))
        .await;
    report(&fixture.retention(&["--keep-months=3", "--json"]).await);
    let left = fixture
        .hub
        .rows(&format!(
            "SELECT to_regclass('{interrupted}')::text AS interrupted, to_regclass('{kept}')::text AS kept"
        ))
        .await;
    assert_eq!(left, json!([{"interrupted": null, "kept": kept}]));
    assert_eq!(fixture.row_counts().await, json!({"events": 2, "deliveries": 2, "pending": 1}));
}

#[tokio::test]
async fn months_that_may_still_get_events_are_kept() {
    let fixture = SyncFixture::on_system_clock().await;
    for arguments in [&["--keep-months=1"][..], &["--keep-months=0"], &[]] {
        assert_eq!(fixture.retention(arguments).await.status.code(), Some(2), "{arguments:?}");
    }
}
