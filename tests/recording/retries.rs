//! Retries: each event is recorded once, even if it is sent repeatedly and concurrently.

use std::collections::{HashMap, HashSet};

use chrono::{Days, TimeDelta};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::RecordingFixture;

#[tokio::test]
async fn a_retry_returns_the_first_event_and_changes_nothing() {
    let fixture = RecordingFixture::new().await;
    let event = fixture.event(json!({"playbackSeconds": 10}));
    let first = fixture.record(json!([event])).await;
    // Without a recording time, the retry would belong to another month.
    for days in [0, 1, 29] {
        fixture.hub.clock.advance(TimeDelta::days(days));
        let mut retry = event.clone();
        retry["playbackSeconds"] = json!(99);
        let token = fixture.hub.sign_in(fixture.student.id).await;
        let again = &fixture.send_as(&token, json!([retry])).data().await["recordPlayerEvents"][0];
        assert_eq!((&again["eventId"], &again["duplicate"]), (&first[0]["eventId"], &json!(true)));
    }
    assert_eq!(
        fixture.hub.rows("SELECT playback_seconds FROM video_player_events").await,
        json!([{"playback_seconds": 10}])
    );
}

#[tokio::test]
async fn an_id_is_recorded_once_within_a_batch() {
    let fixture = RecordingFixture::new().await;
    let (twice, once) = (fixture.event(json!({})), fixture.event(json!({})));
    let results = fixture.record(json!([twice, once, twice, twice])).await;
    let duplicates: Vec<&Value> = results.iter().map(|result| &result["duplicate"]).collect();
    assert_eq!(duplicates, [&json!(false), &json!(false), &json!(true), &json!(true)]);
    assert_eq!(results[0]["eventId"], results[2]["eventId"]);
    assert_eq!(results[0]["eventId"], results[3]["eventId"]);
    assert_eq!(fixture.count_events("true").await, 2);
}

#[tokio::test]
async fn a_refused_event_can_be_corrected_and_sent_with_the_same_id() {
    let fixture = RecordingFixture::new().await;
    let id = Uuid::new_v4();
    let refused =
        fixture.record(json!([fixture.event(json!({"clientEventId": id, "lessonId": "404"}))])).await;
    assert_eq!(refused[0]["error"]["reason"], "UNKNOWN_LESSON");
    let accepted = fixture.record(json!([fixture.event(json!({"clientEventId": id}))])).await;
    assert_eq!((&accepted[0]["duplicate"], &accepted[0]["error"]), (&json!(false), &Value::Null));
}

#[tokio::test]
async fn the_same_id_of_two_users_is_not_a_duplicate() {
    let fixture = RecordingFixture::new().await;
    let event = fixture.event(json!({}));
    let first = fixture.record(json!([event])).await;
    let other = fixture.hub.user_named("other", domain::Role::Student).await;
    let second = fixture.send_as(&other.token, json!([event])).data().await["recordPlayerEvents"][0].take();
    assert_eq!(second["duplicate"], false);
    assert_ne!(second["eventId"], first[0]["eventId"]);
}

#[tokio::test]
async fn old_ids_are_deleted_when_their_events_would_be_too_old() {
    let fixture = RecordingFixture::new().await;
    fixture.record(json!([fixture.event(json!({}))])).await;
    let mut conn = fixture.hub.database.pool.get().await.unwrap();
    let recorded_at = fixture.hub.clock.now();
    for (days, forgotten) in [(30, 0), (31, 0), (33, 1)] {
        let now = recorded_at + Days::new(days);
        let count = backend::telemetry::ingest::forget_old_keys(&mut conn, now).await.unwrap();
        assert_eq!(count, forgotten, "after {days} days");
    }
}

/// Every client sends events of a shared pool, alone or in batches, some several times. All clients get the
/// same id for the same event.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_retries_of_64_clients_record_each_event_once() {
    let fixture = RecordingFixture::with(|config| config.recording.events_per_minute = 1_000_000).await;
    let pool: Vec<Value> = (0..400).map(|_| fixture.event(json!({"event": "seek"}))).collect();
    let seed: u64 = rand::random();
    let clients = (0..64).map(|client| {
        let (fixture, pool) = (&fixture, &pool);
        async move {
            let mut rng = StdRng::seed_from_u64(seed ^ client);
            let mut results = Vec::new();
            for _ in 0..8 {
                let size = rng.random_range(1..20);
                let batch: Vec<&Value> = (0..size).map(|_| pool.choose(&mut rng).unwrap()).collect();
                results.extend(fixture.record(json!(batch)).await);
            }
            results
        }
    });
    let results: Vec<Value> = futures_util::future::join_all(clients).await.into_iter().flatten().collect();

    let mut ids: HashMap<&str, HashSet<&str>> = HashMap::new();
    let mut new_events = 0;
    for result in &results {
        assert!(result["error"].is_null(), "seed {seed}: {result}");
        let [client_event_id, stored] = ["clientEventId", "eventId"].map(|key| result[key].as_str().unwrap());
        ids.entry(client_event_id).or_default().insert(stored);
        new_events += usize::from(result["duplicate"] == false);
    }
    assert!(ids.values().all(|stored| stored.len() == 1), "seed {seed}");
    assert_eq!(new_events, ids.len(), "seed {seed}: each event is new once");
    assert_eq!(fixture.count_events("true").await, i64::try_from(ids.len()).unwrap(), "seed {seed}");
}
