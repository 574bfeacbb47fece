//! Recording under load: group commits, a full queue, bad rows and rate limits.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{RecordingFixture, error_of};
use crate::harness::statements::Statements;

/// Blocks every insert until the transaction ends.
pub const LOCK_EVENTS: &str = "BEGIN; LOCK TABLE video_player_events IN ACCESS EXCLUSIVE MODE";

impl RecordingFixture {
    /// Waits until this many statements wait for a lock.
    pub async fn wait_for_blocked(&self, count: i64) {
        let query = "SELECT count(*) FROM pg_stat_activity \
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let client = self.hub.database.client().await;
        for _ in 0..500 {
            if client.query_one(query, &[]).await.unwrap().get::<_, i64>(0) >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{count} statements are not blocked");
    }

    fn events(&self, count: usize) -> Value {
        json!((0..count).map(|_| self.event(json!({}))).collect::<Vec<_>>())
    }
}

#[tokio::test]
async fn concurrent_requests_share_a_commit() {
    let fixture = RecordingFixture::new().await;
    let statements = Statements::of(&fixture.hub.app.pool).await;
    let blocker = fixture.hub.database.client().await;
    blocker.batch_execute(LOCK_EVENTS).await.unwrap();
    let requests = (0..40).map(|_| fixture.record(fixture.events(1)));
    let release = async {
        // The first group is being written, and the other events queue up.
        fixture.wait_for_blocked(1).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        blocker.batch_execute("COMMIT").await.unwrap();
    };
    let (results, ()) = tokio::join!(join_all(requests), release);
    assert!(results.iter().flatten().all(|result| result["error"].is_null()), "{results:?}");
    assert_eq!(fixture.count_events("true").await, 40);
    let inserts =
        statements.take().iter().filter(|text| text.contains("INSERT INTO player_event_keys")).count();
    assert!((2..=4).contains(&inserts), "{inserts} statements for 40 requests");
}

#[tokio::test]
async fn a_full_queue_rejects_requests_and_loses_no_acknowledged_event() {
    let fixture = RecordingFixture::with(|config| {
        config.recording.queue_capacity = 500;
        config.recording.events_per_minute = 1_000_000;
    })
    .await;
    let blocker = fixture.hub.database.client().await;
    blocker.batch_execute(LOCK_EVENTS).await.unwrap();
    let send = |_| {
        let request = fixture.hub.http.post(fixture.hub.url("/api/video/progress"));
        let request =
            request.bearer_auth(&fixture.student.token).json(&json!({"events": fixture.events(100)}));
        async { request.send().await.unwrap() }
    };
    let requests = join_all((0..40).map(send));
    let release = async {
        fixture.wait_for_blocked(1).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        blocker.batch_execute("COMMIT").await.unwrap();
    };
    let (responses, ()) = tokio::join!(requests, release);

    let mut acknowledged = 0;
    let mut rejected = 0;
    for response in responses {
        if response.status() == 503 {
            rejected += 1;
            assert_eq!(response.headers()["retry-after"], "1");
            let problem: Value = response.json().await.unwrap();
            assert_eq!(
                (&problem["code"], &problem["retryAfterSeconds"]),
                (&json!("RATE_LIMITED"), &json!(1))
            );
        } else {
            let body: Value = response.json().await.unwrap();
            let results = body["results"].as_array().unwrap_or_else(|| panic!("{body}"));
            acknowledged += results.iter().filter(|result| result["eventId"].is_string()).count();
        }
    }
    assert!(rejected > 0, "the queue was never full");
    assert_eq!(acknowledged, (40 - rejected) * 100);
    assert_eq!(fixture.count_events("true").await, i64::try_from(acknowledged).unwrap());
}

#[tokio::test]
async fn an_event_that_the_database_rejects_fails_alone() {
    let fixture = RecordingFixture::new().await;
    fixture.hub.sql("ALTER TABLE video_player_events ADD CHECK (event <> 'poison')").await;
    let mut events = fixture.events(20);
    for index in [3, 4, 17] {
        events[index]["event"] = json!("poison");
    }
    let results = fixture.record(events.clone()).await;
    for (index, result) in results.iter().enumerate() {
        assert_eq!(result["clientEventId"], events[index]["clientEventId"]);
        if [3, 4, 17].contains(&index) {
            assert_eq!(error_of(result), ("INTERNAL", "FAILED", ""));
        } else {
            assert!(result["error"].is_null(), "{result}");
        }
    }
    assert_eq!(fixture.count_events("true").await, 17);
}

#[tokio::test]
async fn the_rate_limit_counts_events_per_user_and_minute() {
    let fixture = RecordingFixture::with(|config| config.recording.events_per_minute = 5).await;
    let results = fixture.record(fixture.events(7)).await;
    assert!(results[..5].iter().all(|result| result["error"].is_null()), "{results:?}");
    for result in &results[5..] {
        assert_eq!(error_of(result), ("RATE_LIMITED", "TOO_MANY_EVENTS", ""));
    }
    let report = json!({"lessonId": fixture.lesson.id, "source": "VIMEO", "lastSecond": 1});
    let response = fixture.report(report).send().await;
    assert_eq!(response.code(), "RATE_LIMITED");
    assert!(response.body["errors"][0]["extensions"]["retryAfterSeconds"].is_number(), "{}", response.body);
    // Callers who may record for any user have no limit.
    let service = fixture.hub.user(domain::Role::Service).await;
    let data = fixture.send_as(&service.token, fixture.events(20)).data().await;
    assert!(data["recordPlayerEvents"].as_array().unwrap().iter().all(|result| result["error"].is_null()));
    fixture.hub.clock.advance(chrono::TimeDelta::minutes(1));
    assert!(fixture.record(fixture.events(5)).await.iter().all(|result| result["error"].is_null()));
}

#[tokio::test]
async fn accepted_events_are_recorded_after_the_client_disconnects() {
    let fixture = RecordingFixture::new().await;
    let blocker = fixture.hub.database.client().await;
    blocker.batch_execute(LOCK_EVENTS).await.unwrap();
    let request = fixture.send(fixture.events(3)).send();
    tokio::select! {
        response = request => panic!("{response:?}"),
        () = fixture.wait_for_blocked(1) => {}
    }
    blocker.batch_execute("COMMIT").await.unwrap();
    fixture.hub.app.ingest.drained().await;
    assert_eq!(fixture.count_events("true").await, 3);
}

#[tokio::test]
async fn a_broken_connection_fails_its_group_and_a_retry_adds_no_duplicates() {
    let fixture = RecordingFixture::new().await;
    let blocker = fixture.hub.database.client().await;
    blocker.batch_execute(LOCK_EVENTS).await.unwrap();
    let events = fixture.events(3);
    let break_connection = async {
        fixture.wait_for_blocked(1).await;
        let query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        fixture.hub.academy.execute(query, &[]).await;
        blocker.batch_execute("COMMIT").await.unwrap();
    };
    let (response, ()) = tokio::join!(fixture.send(events.clone()).send(), break_connection);
    assert_eq!((response.status, response.code()), (503, "UNAVAILABLE".to_owned()), "the client may retry");
    let again = fixture.record(events).await;
    assert!(again.iter().all(|result| result["error"].is_null()), "{again:?}");
    assert_eq!(fixture.count_events("true").await, 3);
}
