//! An event is recorded once, however often and by however many at a time it is sent.

use std::collections::{HashMap, HashSet};

use chrono::{Days, TimeDelta};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Classroom;

#[tokio::test]
async fn a_retry_is_answered_with_the_first_event_and_changes_nothing() {
    let class = Classroom::open().await;
    let event = class.event(json!({"playbackSeconds": 10}));
    let first = class.record(json!([event])).await;
    // Without a time of its own, the retry would fall into another month.
    for days in [0, 1, 29] {
        class.hub.clock.advance(TimeDelta::days(days));
        let mut retry = event.clone();
        retry["playbackSeconds"] = json!(99);
        let token = class.hub.sign_in(class.student.id).await;
        let again = &class.send_by(&token, json!([retry])).data().await["recordPlayerEvents"][0];
        assert_eq!((&again["eventId"], &again["duplicate"]), (&first[0]["eventId"], &json!(true)));
    }
    assert_eq!(
        class.hub.rows("SELECT playback_seconds FROM video_player_events").await,
        json!([{"playback_seconds": 10}])
    );
}

#[tokio::test]
async fn an_id_counts_once_within_a_batch_too() {
    let class = Classroom::open().await;
    let (twice, once) = (class.event(json!({})), class.event(json!({})));
    let results = class.record(json!([twice, once, twice, twice])).await;
    let duplicates: Vec<&Value> = results.iter().map(|result| &result["duplicate"]).collect();
    assert_eq!(duplicates, [&json!(false), &json!(false), &json!(true), &json!(true)]);
    assert_eq!(results[0]["eventId"], results[2]["eventId"]);
    assert_eq!(results[0]["eventId"], results[3]["eventId"]);
    assert_eq!(class.count("true").await, 2);
}

#[tokio::test]
async fn an_event_that_was_refused_may_be_mended_and_sent_with_the_same_id() {
    let class = Classroom::open().await;
    let id = Uuid::new_v4();
    let bad = class.record(json!([class.event(json!({"clientEventId": id, "lessonId": "404"}))])).await;
    assert_eq!(bad[0]["error"]["reason"], "UNKNOWN_LESSON");
    let good = class.record(json!([class.event(json!({"clientEventId": id}))])).await;
    assert_eq!((&good[0]["duplicate"], &good[0]["error"]), (&json!(false), &Value::Null));
}

#[tokio::test]
async fn ids_of_two_people_are_never_taken_for_each_other() {
    let class = Classroom::open().await;
    let event = class.event(json!({}));
    let first = class.record(json!([event])).await;
    let other = class.hub.user_named("other", domain::Role::Student).await;
    let second = class.send_by(&other.token, json!([event])).data().await["recordPlayerEvents"][0].take();
    assert_eq!(second["duplicate"], false);
    assert_ne!(second["eventId"], first[0]["eventId"]);
}

#[tokio::test]
async fn ids_are_forgotten_when_no_event_so_old_is_taken_any_more() {
    let class = Classroom::open().await;
    class.record(json!([class.event(json!({}))])).await;
    let mut conn = class.hub.database.pool.get().await.unwrap();
    let sent = class.hub.clock.now();
    for (days, forgotten) in [(30, 0), (31, 0), (33, 1)] {
        let now = sent + Days::new(days);
        let count = backend::telemetry::ingest::forget_old_keys(&mut conn, now).await.unwrap();
        assert_eq!(count, forgotten, "after {days} days");
    }
}

/// Every client sends events of a common stock, alone or in batches, some several times; whoever sends an event that
/// is there already is told the same id as everybody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_clients_that_retry_at_random_leave_exactly_the_distinct_events() {
    let class = Classroom::with(|config| config.recording.events_per_minute = 1_000_000).await;
    let stock: Vec<Value> = (0..400).map(|_| class.event(json!({"event": "seek"}))).collect();
    let seed: u64 = rand::random();
    let clients = (0..64).map(|client| {
        let (class, stock) = (&class, &stock);
        async move {
            let mut rng = StdRng::seed_from_u64(seed ^ client);
            let mut told = Vec::new();
            for _ in 0..8 {
                let number = rng.random_range(1..20);
                let batch: Vec<&Value> = (0..number).map(|_| stock.choose(&mut rng).unwrap()).collect();
                told.extend(class.record(json!(batch)).await);
            }
            told
        }
    });
    let told: Vec<Value> = futures_util::future::join_all(clients).await.into_iter().flatten().collect();

    let mut ids: HashMap<&str, HashSet<&str>> = HashMap::new();
    let mut first_ones = 0;
    for result in &told {
        assert!(result["error"].is_null(), "seed {seed}: {result}");
        let [sent, stored] = ["clientEventId", "eventId"].map(|key| result[key].as_str().unwrap());
        ids.entry(sent).or_default().insert(stored);
        first_ones += usize::from(result["duplicate"] == false);
    }
    assert!(ids.values().all(|stored| stored.len() == 1), "seed {seed}");
    assert_eq!(first_ones, ids.len(), "seed {seed}: each is new once");
    assert_eq!(class.count("true").await, i64::try_from(ids.len()).unwrap(), "seed {seed}");
}
