//! Pending events: an event has a row in `telemetry_pending` until each driver has a delivery record for it.
//! Also covers changes that others make to events in the meantime.

use std::time::Duration;

use domain::Driver;
use serde_json::{Value, json};
use stand_ins::Service;
use stand_ins::fault::{Answer, Fault, Rule};
use tokio::time::sleep;

use super::actions::{driver_stats, uid};
use super::configs::{both, mixpanel};
use super::delivery_record::DeliveryRecord;
use super::fixture::SyncFixture;

impl SyncFixture {
    /// The rows of `telemetry_pending`, ordered by event.
    async fn pending_rows(&self) -> Value {
        self.hub.rows("SELECT event_id, drivers FROM telemetry_pending ORDER BY event_id").await
    }
}

#[tokio::test]
async fn an_event_is_pending_until_each_driver_has_a_delivery_record() {
    let fixture = SyncFixture::without_waits(both).await;
    let ids = fixture.insert_events(3).await;
    let unsent: Vec<Value> = ids.iter().map(|id| json!({"event_id": id, "drivers": null})).collect();
    assert_eq!(fixture.pending_rows().await, json!(unsent));
    fixture.run().await;
    assert_eq!((fixture.pending_rows().await, fixture.unsynced().await), (json!([]), 0));
}

#[tokio::test]
async fn a_run_leaves_a_delivery_record_for_every_event_it_fetched() {
    let fixture = SyncFixture::without_waits(both).await;
    fixture.insert_events(40).await;
    fixture.faults([Rule::new(Service::Ga4, Fault::Answer(Answer::html(403)))]);
    fixture.run().await;
    assert_eq!(fixture.pending_rows().await, json!([]));
    assert_eq!(fixture.records("ga4").await, vec![DeliveryRecord::unsent(); 40]);
    let batches = "SELECT DISTINCT batch_id IS NOT NULL AS has_batch FROM telemetry_deliveries";
    assert_eq!(fixture.hub.rows(batches).await, json!([{"has_batch": true}]));
}

#[tokio::test]
async fn setting_synced_at_by_hand_skips_an_event_and_clearing_it_resends() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    let ids = fixture.insert_events(3).await;
    let set =
        |value: &str, id: i64| format!("UPDATE video_player_events SET synced_at = {value} WHERE id = {id}");
    fixture.hub.sql(&set("now()", ids[0])).await;
    fixture.hub.sql(&set("now()", ids[1])).await;
    fixture.hub.sql(&set("NULL", ids[1])).await;
    // Changing another column of an event does not affect its sync.
    fixture.hub.sql("UPDATE video_player_events SET user_id = NULL").await;
    assert_eq!(fixture.run().await["processed"], 2);
    let shown = fixture.services.mixpanel_deduped_by_event_uid();
    assert_eq!(shown.into_keys().collect::<Vec<_>>(), [uid(ids[1]), uid(ids[2])]);
    assert_eq!(fixture.unsynced().await, 0);
}

#[tokio::test]
async fn deleted_events_are_not_pending() {
    let fixture = SyncFixture::without_waits(both).await;
    let ids = fixture.insert_events(4).await;
    fixture.faults([Rule::new(Service::Ga4, Fault::Answer(Answer::upstream_unavailable()))
        .events([uid(ids[0]), uid(ids[1])])]);
    fixture.run().await;
    fixture.faults([]);
    let new = fixture.insert_events(2).await;
    fixture.hub.sql(&format!("DELETE FROM video_player_events WHERE id IN ({}, {})", ids[0], new[0])).await;
    let status = "{ syncStatus { eventsPending drivers { driver pending } } }";
    let status = fixture.hub.graphql(status).by(&fixture.admin_token).data().await;
    let pending = json!({"eventsPending": 2, "drivers": [
        {"driver": "GA4", "pending": 2}, {"driver": "MIXPANEL", "pending": 1},
    ]});
    assert_eq!(status["syncStatus"], pending);
}

#[tokio::test]
async fn the_last_batch_is_the_newest_one_with_pending_events() {
    let fixture = SyncFixture::without_waits(both).await;
    let ids = fixture.insert_events(3).await;
    fixture.faults([
        Rule::new(Service::Ga4, Fault::Answer(Answer::upstream_unavailable())).events([uid(ids[0])])
    ]);
    fixture.run().await;
    // A newer batch without pending events, and a run that fetched nothing.
    fixture.faults([]);
    fixture.insert_events(2).await;
    assert_eq!(fixture.run().await["state"], "SUCCESS");
    let run = fixture.retry_last_batch().await;
    assert_eq!(
        (&run["state"], &driver_stats(&run, "GA4")["delivered"]),
        (&json!("SUCCESS"), &json!(1)),
        "{run}"
    );
    assert_eq!(fixture.unsynced().await, 0);
}

#[tokio::test]
async fn a_batch_pending_only_for_a_disabled_driver_is_not_the_last_batch() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    let old = fixture.insert_events(1).await;
    fixture.faults([Rule::new(Service::Mixpanel, Fault::Answer(Answer::empty(503)))]);
    fixture.run().await;
    fixture
        .hub
        .sql(&format!(
            "INSERT INTO telemetry_deliveries (event_id, recorded_at, driver, batch_id) \
         SELECT id, recorded_at, 'ga4', 1000 FROM video_player_events WHERE id = {}",
            old[0]
        ))
        .await;
    fixture.faults([]);
    let run = fixture.retry_last_batch().await;
    assert_eq!(
        (&run["state"], &driver_stats(&run, "MIXPANEL")["delivered"]),
        (&json!("SUCCESS"), &json!(1)),
        "{run}"
    );
}

/// Terminates the connections that write outcomes, as a failing network would.
const TERMINATE_OUTCOME_WRITER: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'active' \
        AND (query ILIKE '%telemetry_deliveries AS delivery%' OR query ILIKE '%SET synced_at%' \
            OR query ILIKE 'commit%' AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory'))";

#[tokio::test]
async fn a_run_reconnects_its_outcome_writer_and_sends_no_duplicates() {
    let fixture = SyncFixture::on_system_clock().await;
    fixture.insert_events(300).await;
    fixture.slow_ga4(20);
    let terminate = async {
        let mut terminated = 0;
        for requests in [20, 60, 100, 140] {
            fixture.wait_for_ga4_requests(requests).await;
            // The connection is idle most of the time, but it may be active at this moment.
            for _ in 0..40 {
                let count = fixture.hub.rows(TERMINATE_OUTCOME_WRITER).await[0]["count"].as_i64().unwrap();
                terminated += count;
                if count > 0 {
                    break;
                }
                sleep(Duration::from_millis(5)).await;
            }
        }
        terminated
    };
    let (run, terminated) = tokio::join!(fixture.run_until_empty(), terminate);
    assert!(terminated > 0, "no connection was terminated");
    assert_eq!(run.state.key(), "success", "{run:?}");
    let copies = fixture.services.ga4_copies_by_event_uid();
    assert_eq!((copies.len(), copies.values().max(), fixture.unsynced().await), (300, Some(&1), 0));
    assert_eq!(fixture.hub.rows("SELECT id FROM telemetry_leases").await, json!([]));
}

#[tokio::test]
async fn in_flight_events_of_a_dead_run_are_skipped_for_a_forgotten_driver() {
    let fixture = SyncFixture::without_waits(both).await;
    let ids = fixture.insert_events(2).await;
    fixture
        .hub
        .sql(&format!(
            "INSERT INTO telemetry_leases (run_id, driver, taken_at, event_ids, recorded_at) \
         SELECT 1000, 'ga4', now(), ARRAY[id], ARRAY[recorded_at] FROM video_player_events WHERE id = {}",
            ids[0]
        ))
        .await;
    assert_eq!(fixture.app_with(mixpanel).sync.forget(Driver::Ga4).await.unwrap(), 2);
    assert_eq!(fixture.run_with(mixpanel).await.state.key(), "success");
    assert_eq!(fixture.unsynced().await, 0);
    let skipped = DeliveryRecord::new("skipped", 0).maybe_duplicate();
    assert_eq!(fixture.records_of_event(ids[0]).await, [skipped, DeliveryRecord::delivered()]);
    assert_eq!(fixture.hub.rows("SELECT id FROM telemetry_leases").await, json!([]));
    // The driver does not get the events when it is enabled again.
    assert_eq!(fixture.run_with(both).await.state.key(), "skipped");
}
