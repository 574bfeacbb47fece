//! Progress in a video: it grows, and late reports do not move it back.

use chrono::TimeDelta;
use domain::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use super::RecordingFixture;
use crate::harness::hub::NOW;

/// The last second, the furthest second and the watched seconds of a response.
fn seconds(progress: &Value) -> [i64; 3] {
    ["lastSecond", "furthestSecond", "watchedSeconds"].map(|key| progress[key].as_i64().unwrap())
}

#[tokio::test]
async fn a_report_updates_the_progress_and_records_a_tick() {
    let fixture = RecordingFixture::new().await;
    let rest = json!({"watchedSeconds": 50, "duration": 300, "playbackRate": 1.5, "metadata": {"tab": 2}});
    let progress = fixture.report_progress(60, rest).await;
    assert_eq!(seconds(&progress), [60, 60, 50]);
    assert_eq!(progress["lessonId"], fixture.lesson.id.to_string());
    assert_eq!(progress["updatedAt"], NOW.to_rfc3339());
    let tick = fixture
        .hub.rows(
            "SELECT id::text, user_id, course_id, lesson_id, event, provider, playback_seconds, watched_seconds, \
             video_duration, playback_rate, metadata FROM video_player_events",
        )
        .await;
    let ids = (fixture.student.id, fixture.lesson.course, fixture.lesson.id);
    assert_eq!(
        tick,
        json!([{"id": progress["eventId"], "user_id": ids.0, "course_id": ids.1,
            "lesson_id": ids.2, "event": "progress_tick", "provider": "vimeo", "playback_seconds": 60,
            "watched_seconds": 50, "video_duration": 300, "playback_rate": 1.5, "metadata": {"tab": 2}}])
    );
}

#[tokio::test]
async fn the_furthest_second_and_the_watched_seconds_never_decrease() {
    let fixture = RecordingFixture::new().await;
    fixture.report_progress(100, json!({"watchedSeconds": 90})).await;
    // The viewer has jumped back.
    assert_eq!(seconds(&fixture.report_progress(20, json!({"watchedSeconds": 30})).await), [20, 100, 90]);
    assert_eq!(seconds(&fixture.report_progress(120, json!({})).await), [120, 120, 90]);
}

#[tokio::test]
async fn a_late_report_does_not_move_the_last_second() {
    let fixture = RecordingFixture::new().await;
    fixture.report_progress(100, json!({"watchedSeconds": 90, "source": "YOUTUBE"})).await;
    let earlier = json!({"recordedAt": NOW - TimeDelta::hours(1), "watchedSeconds": 95, "duration": 300});
    let progress = fixture.report_progress(140, earlier).await;
    assert_eq!(seconds(&progress), [100, 140, 95], "the maximums grow, and the last second stays");
    assert_eq!(progress["updatedAt"], NOW.to_rfc3339());
    let stored = fixture.hub.rows("SELECT source, duration FROM video_progress").await;
    assert_eq!(stored, json!([{"source": "youtube", "duration": 300}]));
}

#[tokio::test]
async fn a_repeated_report_changes_nothing() {
    let fixture = RecordingFixture::new().await;
    let id = json!({"clientEventId": Uuid::new_v4()});
    let first = fixture.report_progress(50, id.clone()).await;
    fixture.report_progress(80, json!({})).await;
    let again = fixture.report_progress(50, id.clone()).await;
    assert_eq!(again["eventId"], first["eventId"]);
    assert_eq!(seconds(&again), [80, 80, 0]);
    assert_eq!(fixture.count_events("true").await, 2);
}

#[tokio::test]
async fn ticks_of_a_batch_are_applied_by_time_and_not_by_order() {
    let fixture = RecordingFixture::new().await;
    let tick = |minutes_ago: i64, second: i32, provider: &str| {
        let recorded_at = NOW - TimeDelta::minutes(minutes_ago);
        fixture.event(json!({"event": "progress_tick", "provider": provider, "recordedAt": recorded_at,
            "playbackSeconds": second, "watchedSeconds": second}))
    };
    fixture.record(json!([tick(1, 40, "vimeo"), tick(3, 90, "vimeo"), tick(2, 20, "vimeo")])).await;
    let stored = "SELECT last_second, furthest_second, watched_seconds FROM video_progress";
    let expected = json!([{"last_second": 40, "furthest_second": 90, "watched_seconds": 90}]);
    assert_eq!(fixture.hub.rows(stored).await, expected);
    // Other kinds of events and unknown players do not count as progress.
    fixture.record(json!([tick(0, 999, "elsewhere"), fixture.event(json!({"playbackSeconds": 999}))])).await;
    assert_eq!(fixture.hub.rows(stored).await, expected);
}

#[tokio::test]
async fn an_invalid_report_names_its_field() {
    let fixture = RecordingFixture::new().await;
    let valid = json!({"lessonId": fixture.lesson.id, "source": "CLOUDFLARE", "lastSecond": 1});
    for (invalid, field) in [
        (json!({"lessonId": "404"}), "input.lessonId"),
        (json!({"lastSecond": -1}), "input.lastSecond"),
        (json!({"watchedSeconds": -1}), "input.watchedSeconds"),
        (json!({"duration": -1}), "input.duration"),
        (json!({"playbackRate": 1000}), "input.playbackRate"),
        (json!({"recordedAt": NOW + TimeDelta::minutes(3)}), "input.recordedAt"),
        (json!({"metadata": "x".repeat(5000)}), "input.metadata"),
        (json!({"userId": "404"}), "input.userId"),
    ] {
        let admin = fixture.hub.user_named(field, Role::Admin).await;
        let response = fixture.report_as(&admin.token, super::with(valid.clone(), invalid)).send().await;
        assert_eq!(response.code(), "BAD_USER_INPUT");
        assert_eq!(response.body["errors"][0]["extensions"]["field"], field, "{}", response.body);
    }
    assert_eq!(fixture.count_events("true").await, 0);
    assert_eq!(fixture.hub.rows("SELECT 1 FROM video_progress").await, json!([]));
}

#[tokio::test]
async fn the_id_of_another_event_is_refused_for_a_report() {
    let fixture = RecordingFixture::new().await;
    let event = fixture.event(json!({}));
    fixture.record(json!([event])).await;
    fixture.report_progress(30, json!({})).await;
    let input = json!({"lessonId": fixture.lesson.id, "source": "VIMEO", "lastSecond": 1,
        "clientEventId": event["clientEventId"]});
    let response = fixture.report(input).send().await;
    assert_eq!(response.body["errors"][0]["extensions"]["field"], "input.clientEventId", "{}", response.body);
}
