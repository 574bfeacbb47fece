//! Where it stands what an event owes: pending until somebody has sent it, then on record for each driver; and what
//! others do to events meanwhile.

use std::time::Duration;

use backend::models::driver::Driver;
use serde_json::{Value, json};
use stand_ins::Service;
use stand_ins::fault::{Answer, Fault, Rule};
use tokio::time::sleep;

use super::ground::Ground;
use super::record::Record;
use super::settings::{both, mixpanel};
use super::steps::{share, uid};

impl Ground {
    /// What stands in the table of what is pending, by event.
    async fn pending(&self) -> Value {
        self.hub.rows("SELECT event_id, drivers FROM telemetry_pending ORDER BY event_id").await
    }
}

#[tokio::test]
async fn what_is_recorded_is_pending_until_each_driver_has_a_record_of_it() {
    let ground = Ground::impatient(both).await;
    let ids = ground.events(3).await;
    let untouched: Vec<Value> = ids.iter().map(|id| json!({"event_id": id, "drivers": null})).collect();
    assert_eq!(ground.pending().await, json!(untouched));
    ground.run().await;
    assert_eq!((ground.pending().await, ground.unsynced().await), (json!([]), 0));
}

#[tokio::test]
async fn when_a_run_ends_all_that_it_has_begun_is_on_record() {
    let ground = Ground::impatient(both).await;
    ground.events(40).await;
    ground.faults([Rule::new(Service::Ga4, Fault::Answer(Answer::html(403)))]);
    ground.run().await;
    assert_eq!(ground.pending().await, json!([]));
    assert_eq!(ground.records("ga4").await, vec![Record::untouched(); 40]);
    let batches = "SELECT DISTINCT batch_id IS NOT NULL AS has_batch FROM telemetry_deliveries";
    assert_eq!(ground.hub.rows(batches).await, json!([{"has_batch": true}]));
}

#[tokio::test]
async fn what_is_synced_by_hand_is_not_sent_and_what_is_reopened_by_hand_is() {
    let ground = Ground::impatient(mixpanel).await;
    let ids = ground.events(3).await;
    let set =
        |value: &str, id: i64| format!("UPDATE video_player_events SET synced_at = {value} WHERE id = {id}");
    ground.hub.sql(&set("now()", ids[0])).await;
    ground.hub.sql(&set("now()", ids[1])).await;
    ground.hub.sql(&set("NULL", ids[1])).await;
    // Another change of an event is none of its being synced.
    ground.hub.sql("UPDATE video_player_events SET user_id = NULL").await;
    assert_eq!(ground.run().await["processed"], 2);
    let shown = ground.services.mixpanel_deduped_by_event_uid();
    assert_eq!(shown.into_keys().collect::<Vec<_>>(), [uid(ids[1]), uid(ids[2])]);
    assert_eq!(ground.unsynced().await, 0);
}

#[tokio::test]
async fn what_is_deleted_owes_nothing() {
    let ground = Ground::impatient(both).await;
    let ids = ground.events(4).await;
    ground.faults([Rule::new(Service::Ga4, Fault::Answer(Answer::upstream_unavailable()))
        .events([uid(ids[0]), uid(ids[1])])]);
    ground.run().await;
    ground.faults([]);
    let new = ground.events(2).await;
    ground.hub.sql(&format!("DELETE FROM video_player_events WHERE id IN ({}, {})", ids[0], new[0])).await;
    let status = "{ syncStatus { eventsPending drivers { driver pending } } }";
    let status = ground.hub.graphql(status).by(&ground.admin).data().await;
    let pending = json!({"eventsPending": 2, "drivers": [
        {"driver": "GA4", "pending": 2}, {"driver": "MIXPANEL", "pending": 1},
    ]});
    assert_eq!(status["syncStatus"], pending);
}

#[tokio::test]
async fn the_last_batch_is_the_newest_one_that_owes_something() {
    let ground = Ground::impatient(both).await;
    let ids = ground.events(3).await;
    ground.faults([
        Rule::new(Service::Ga4, Fault::Answer(Answer::upstream_unavailable())).events([uid(ids[0])])
    ]);
    ground.run().await;
    // A newer batch that owes nothing, and one that took nothing up.
    ground.faults([]);
    ground.events(2).await;
    assert_eq!(ground.run().await["state"], "SUCCESS");
    let run = ground.retry_last_batch().await;
    assert_eq!((&run["state"], &share(&run, "GA4")["delivered"]), (&json!("SUCCESS"), &json!(1)), "{run}");
    assert_eq!(ground.unsynced().await, 0);
}

#[tokio::test]
async fn a_batch_that_is_owed_to_a_driver_that_is_switched_off_is_not_the_last_one() {
    let ground = Ground::impatient(mixpanel).await;
    let old = ground.events(1).await;
    ground.faults([Rule::new(Service::Mixpanel, Fault::Answer(Answer::empty(503)))]);
    ground.run().await;
    ground
        .hub
        .sql(&format!(
            "INSERT INTO telemetry_deliveries (event_id, recorded_at, driver, batch_id) \
         SELECT id, recorded_at, 'ga4', 1000 FROM video_player_events WHERE id = {}",
            old[0]
        ))
        .await;
    ground.faults([]);
    let run = ground.retry_last_batch().await;
    assert_eq!(
        (&run["state"], &share(&run, "MIXPANEL")["delivered"]),
        (&json!("SUCCESS"), &json!(1)),
        "{run}"
    );
}

/// Ends the connections that write verdicts down, as a failing network would.
const END_THE_LEDGER: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'active' \
        AND (query ILIKE '%telemetry_deliveries AS delivery%' OR query ILIKE '%SET synced_at%' \
            OR query ILIKE 'commit%' AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory'))";

#[tokio::test]
async fn a_run_whose_ledger_loses_its_connection_opens_another_and_doubles_nothing() {
    let ground = Ground::today().await;
    ground.events(300).await;
    ground.slow_ga4(20);
    let cut_off = async {
        let mut ended = 0;
        for requests in [20, 60, 100, 140] {
            ground.ga4_was_asked(requests).await;
            // Most of the time it is idle, but it may be at work just now.
            for _ in 0..40 {
                let now = ground.hub.rows(END_THE_LEDGER).await[0]["count"].as_i64().unwrap();
                ended += now;
                if now > 0 {
                    break;
                }
                sleep(Duration::from_millis(5)).await;
            }
        }
        ended
    };
    let (run, ended) = tokio::join!(ground.run_until_empty(), cut_off);
    assert!(ended > 0, "a connection was cut");
    assert_eq!(run.state.key(), "success", "{run:?}");
    let copies = ground.services.ga4_copies_by_event_uid();
    assert_eq!((copies.len(), copies.values().max(), ground.unsynced().await), (300, Some(&1), 0));
    assert_eq!(ground.hub.rows("SELECT id FROM telemetry_leases").await, json!([]));
}

#[tokio::test]
async fn what_a_run_that_died_was_sending_to_a_driver_that_is_forgotten_is_skipped() {
    let ground = Ground::impatient(both).await;
    let ids = ground.events(2).await;
    ground
        .hub
        .sql(&format!(
            "INSERT INTO telemetry_leases (run_id, driver, taken_at, event_ids, recorded_at) \
         SELECT 1000, 'ga4', now(), ARRAY[id], ARRAY[recorded_at] FROM video_player_events WHERE id = {}",
            ids[0]
        ))
        .await;
    assert_eq!(ground.app_with(mixpanel).sync.forget(Driver::Ga4).await.unwrap(), 2);
    assert_eq!(ground.run_with(mixpanel).await.state.key(), "success");
    assert_eq!(ground.unsynced().await, 0);
    let skipped = Record::of("skipped", 0).doubtful();
    assert_eq!(ground.records_of(ids[0]).await, [skipped, Record::delivered()]);
    assert_eq!(ground.hub.rows("SELECT id FROM telemetry_leases").await, json!([]));
    // Nor does it get it when it is switched on again.
    assert_eq!(ground.run_with(both).await.state.key(), "skipped");
}
