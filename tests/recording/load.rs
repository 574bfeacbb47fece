//! Many at once: groups share a commit, a full queue says so, and one bad row stands alone.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Classroom, refusal};
use crate::harness::statements::Statements;

/// Keeps every insert waiting until it is committed.
pub const HOLD: &str = "BEGIN; LOCK TABLE video_player_events IN ACCESS EXCLUSIVE MODE";

impl Classroom {
    /// Waits until so many statements wait for a lock.
    pub async fn wait_for_waiting(&self, number: i64) {
        let waiting = "SELECT count(*) FROM pg_stat_activity \
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let client = self.hub.database.client().await;
        for _ in 0..500 {
            if client.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) >= number {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{number} statements do not wait");
    }

    fn events(&self, number: usize) -> Value {
        json!((0..number).map(|_| self.event(json!({}))).collect::<Vec<_>>())
    }
}

#[tokio::test]
async fn requests_that_come_together_share_a_commit() {
    let class = Classroom::open().await;
    let statements = Statements::of(&class.hub.app.pool).await;
    let holder = class.hub.database.client().await;
    holder.batch_execute(HOLD).await.unwrap();
    let requests = (0..40).map(|_| class.record(class.events(1)));
    let released = async {
        // One group is on its way; the others gather behind it.
        class.wait_for_waiting(1).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        holder.batch_execute("COMMIT").await.unwrap();
    };
    let (results, ()) = tokio::join!(join_all(requests), released);
    assert!(results.iter().flatten().all(|result| result["error"].is_null()), "{results:?}");
    assert_eq!(class.count("true").await, 40);
    let inserts =
        statements.take().iter().filter(|text| text.contains("INSERT INTO player_event_keys")).count();
    assert!((2..=4).contains(&inserts), "{inserts} statements for 40 requests");
}

#[tokio::test]
async fn a_full_queue_says_so_and_loses_nothing_that_was_acknowledged() {
    let class = Classroom::with(|config| {
        config.recording.queue = 500;
        config.recording.events_per_minute = 1_000_000;
    })
    .await;
    let holder = class.hub.database.client().await;
    holder.batch_execute(HOLD).await.unwrap();
    let send = |_| {
        let request = class.hub.http.post(class.hub.url("/api/video/progress"));
        let request = request.bearer_auth(&class.student.token).json(&json!({"events": class.events(100)}));
        async { request.send().await.unwrap() }
    };
    let requests = join_all((0..40).map(send));
    let released = async {
        class.wait_for_waiting(1).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        holder.batch_execute("COMMIT").await.unwrap();
    };
    let (answers, ()) = tokio::join!(requests, released);

    let mut acknowledged = 0;
    let mut refused = 0;
    for answer in answers {
        if answer.status() == 503 {
            refused += 1;
            assert_eq!(answer.headers()["retry-after"], "1");
            let problem: Value = answer.json().await.unwrap();
            assert_eq!(
                (&problem["code"], &problem["retryAfterSeconds"]),
                (&json!("RATE_LIMITED"), &json!(1))
            );
        } else {
            let body: Value = answer.json().await.unwrap();
            let results = body["results"].as_array().unwrap_or_else(|| panic!("{body}"));
            acknowledged += results.iter().filter(|result| result["eventId"].is_string()).count();
        }
    }
    assert!(refused > 0, "the queue was never full");
    assert_eq!(acknowledged, (40 - refused) * 100);
    assert_eq!(class.count("true").await, i64::try_from(acknowledged).unwrap());
}

#[tokio::test]
async fn an_event_that_the_database_refuses_fails_alone() {
    let class = Classroom::open().await;
    class.hub.sql("ALTER TABLE video_player_events ADD CHECK (event <> 'poison')").await;
    let mut events = class.events(20);
    for place in [3, 4, 17] {
        events[place]["event"] = json!("poison");
    }
    let results = class.record(events.clone()).await;
    for (place, result) in results.iter().enumerate() {
        assert_eq!(result["clientEventId"], events[place]["clientEventId"]);
        if [3, 4, 17].contains(&place) {
            assert_eq!(refusal(result), ("INTERNAL", "FAILED", ""));
        } else {
            assert!(result["error"].is_null(), "{result}");
        }
    }
    assert_eq!(class.count("true").await, 17);
}

#[tokio::test]
async fn one_person_records_only_so_many_events_a_minute() {
    let class = Classroom::with(|config| config.recording.events_per_minute = 5).await;
    let results = class.record(class.events(7)).await;
    assert!(results[..5].iter().all(|result| result["error"].is_null()), "{results:?}");
    for result in &results[5..] {
        assert_eq!(refusal(result), ("RATE_LIMITED", "TOO_MANY_EVENTS", ""));
    }
    let report = json!({"lessonId": class.lesson.id, "source": "VIMEO", "lastSecond": 1});
    let answer = class.report(report).send().await;
    assert_eq!(answer.code(), "RATE_LIMITED");
    assert!(answer.body["errors"][0]["extensions"]["retryAfterSeconds"].is_number(), "{}", answer.body);
    // Whoever records for anybody is trusted with the number.
    let service = class.hub.user(domain::Role::Service).await;
    let data = class.send_by(&service.token, class.events(20)).data().await;
    assert!(data["recordPlayerEvents"].as_array().unwrap().iter().all(|result| result["error"].is_null()));
    class.hub.clock.advance(chrono::TimeDelta::minutes(1));
    assert!(class.record(class.events(5)).await.iter().all(|result| result["error"].is_null()));
}

#[tokio::test]
async fn what_was_taken_is_recorded_though_its_sender_hung_up() {
    let class = Classroom::open().await;
    let holder = class.hub.database.client().await;
    holder.batch_execute(HOLD).await.unwrap();
    let hasty = class.send(class.events(3)).send();
    tokio::select! {
        answer = hasty => panic!("{answer:?}"),
        () = class.wait_for_waiting(1) => {}
    }
    holder.batch_execute("COMMIT").await.unwrap();
    class.hub.app.ingest.drained().await;
    assert_eq!(class.count("true").await, 3);
}

#[tokio::test]
async fn a_connection_that_breaks_fails_its_group_and_a_retry_doubles_nothing() {
    let class = Classroom::open().await;
    let holder = class.hub.database.client().await;
    holder.batch_execute(HOLD).await.unwrap();
    let events = class.events(3);
    let broken = async {
        class.wait_for_waiting(1).await;
        let waiting = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        class.hub.academy.execute(waiting, &[]).await;
        holder.batch_execute("COMMIT").await.unwrap();
    };
    let (answer, ()) = tokio::join!(class.send(events.clone()).send(), broken);
    assert_eq!((answer.status, answer.code()), (503, "UNAVAILABLE".to_owned()), "they may be sent again");
    let again = class.record(events).await;
    assert!(again.iter().all(|result| result["error"].is_null()), "{again:?}");
    assert_eq!(class.count("true").await, 3);
}
