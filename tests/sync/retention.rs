//! `dataporter retention`: old months go with all that hangs on them.

use std::process::Output;

use serde_json::{Value, json};

use super::ground::Ground;
use super::program::without_drivers;

impl Ground {
    /// A hub by the system's clock with an event of six months ago and one of a minute ago, each delivered to GA4 and
    /// pending for Mixpanel, and one more of each that nobody sent.
    async fn with_old_and_new() -> Self {
        let ground = Self::today().await;
        ground
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
        ground
    }

    async fn retention(&self, arguments: &[&str]) -> Output {
        let arguments = [&["retention"], arguments].concat();
        without_drivers(&self.hub.database, &arguments).output().await.unwrap()
    }

    /// Events, deliveries, and pending rows.
    async fn rows_left(&self) -> Value {
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

fn told(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn old_months_go_with_their_deliveries_and_what_is_pending_of_them() {
    let ground = Ground::with_old_and_new().await;
    let all = json!({"events": 4, "deliveries": 4, "pending": 2});
    let would = told(&ground.retention(&["--keep-months=3", "--dry-run", "--json"]).await);
    let events = |told: &Value| {
        told["months"]
            .as_array()
            .unwrap()
            .iter()
            .map(|month| month["events"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    // The month of the event, and the two after it.
    assert_eq!((&would["dryRun"], events(&would)), (&json!(true), vec![2, 0, 0]));
    assert_eq!(ground.rows_left().await, all);
    // Somebody who reads and somebody who records are not in its way, nor it in theirs.
    let mut writer = ground.hub.database.client().await;
    let writing = writer.transaction().await.unwrap();
    let record = "INSERT INTO video_player_events (recorded_at, event) VALUES (now(), 'meanwhile')";
    let done = async {
        let done = ground.retention(&["--keep-months=3", "--json"]).await;
        told(&done)
    };
    writing.execute(record, &[]).await.unwrap();
    writing.commit().await.unwrap();
    let done = done.await;
    assert_eq!((&done["dryRun"], events(&done)), (&json!(false), vec![2, 0, 0]));
    assert_eq!(ground.rows_left().await, json!({"events": 3, "deliveries": 2, "pending": 2}));
    let again = ground.retention(&["--keep-months=3"]).await;
    assert!(String::from_utf8_lossy(&again.stdout).starts_with("Dropped nothing"), "{again:?}");
}

#[tokio::test]
async fn a_drop_that_was_interrupted_is_gone_on_with_and_what_somebody_detached_is_kept() {
    let ground = Ground::with_old_and_new().await;
    let months = ground
        .hub
        .rows(
            "SELECT inhrelid::regclass::text AS month FROM pg_inherits \
             WHERE inhparent = 'video_player_events'::regclass ORDER BY 1 LIMIT 2",
        )
        .await;
    let [interrupted, kept] = [0, 1].map(|place| months[place]["month"].as_str().unwrap().to_owned());
    ground
        .hub
        .sql(&format!(
            "COMMENT ON TABLE {interrupted} IS 'Player events that dataporter retention is dropping.';
             ALTER TABLE video_player_events DETACH PARTITION {interrupted};
             ALTER TABLE video_player_events DETACH PARTITION {kept}"
        ))
        .await;
    told(&ground.retention(&["--keep-months=3", "--json"]).await);
    let left = ground
        .hub
        .rows(&format!(
            "SELECT to_regclass('{interrupted}')::text AS interrupted, to_regclass('{kept}')::text AS kept"
        ))
        .await;
    assert_eq!(left, json!([{"interrupted": null, "kept": kept}]));
    assert_eq!(ground.rows_left().await, json!({"events": 2, "deliveries": 2, "pending": 1}));
}

#[tokio::test]
async fn months_of_which_events_may_still_come_are_kept() {
    let ground = Ground::today().await;
    for arguments in [&["--keep-months=1"][..], &["--keep-months=0"], &[]] {
        assert_eq!(ground.retention(arguments).await.status.code(), Some(2), "{arguments:?}");
    }
}
