//! How far somebody has come in a video: it grows, and nothing that comes late takes it back.

use chrono::TimeDelta;
use domain::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Classroom;
use crate::harness::hub::NOW;

/// The last second, the furthest and the seconds watched of an answer.
fn figures(progress: &Value) -> [i64; 3] {
    ["lastSecond", "furthestSecond", "watchedSeconds"].map(|key| progress[key].as_i64().unwrap())
}

#[tokio::test]
async fn a_report_moves_the_progress_and_leaves_a_tick() {
    let class = Classroom::open().await;
    let rest = json!({"watchedSeconds": 50, "duration": 300, "playbackRate": 1.5, "metadata": {"tab": 2}});
    let progress = class.progress(60, rest).await;
    assert_eq!(figures(&progress), [60, 60, 50]);
    assert_eq!(progress["lessonId"], class.lesson.id.to_string());
    assert_eq!(progress["updatedAt"], NOW.to_rfc3339());
    let tick = class
        .hub.rows(
            "SELECT id::text, user_id, course_id, lesson_id, event, provider, playback_seconds, watched_seconds, \
             video_duration, playback_rate, metadata FROM video_player_events",
        )
        .await;
    let class_ids = (class.student.id, class.lesson.course, class.lesson.id);
    assert_eq!(
        tick,
        json!([{"id": progress["eventId"], "user_id": class_ids.0, "course_id": class_ids.1,
            "lesson_id": class_ids.2, "event": "progress_tick", "provider": "vimeo", "playback_seconds": 60,
            "watched_seconds": 50, "video_duration": 300, "playback_rate": 1.5, "metadata": {"tab": 2}}])
    );
}

#[tokio::test]
async fn the_furthest_second_and_the_seconds_watched_never_shrink() {
    let class = Classroom::open().await;
    class.progress(100, json!({"watchedSeconds": 90})).await;
    // Gone back to look at something again.
    assert_eq!(figures(&class.progress(20, json!({"watchedSeconds": 30})).await), [20, 100, 90]);
    assert_eq!(figures(&class.progress(120, json!({})).await), [120, 120, 90]);
}

#[tokio::test]
async fn what_comes_late_does_not_move_the_progress_backwards() {
    let class = Classroom::open().await;
    class.progress(100, json!({"watchedSeconds": 90, "source": "YOUTUBE"})).await;
    let earlier = json!({"recordedAt": NOW - TimeDelta::hours(1), "watchedSeconds": 95, "duration": 300});
    let progress = class.progress(140, earlier).await;
    assert_eq!(
        figures(&progress),
        [100, 140, 95],
        "it widens what was reached, and does not move where they are"
    );
    assert_eq!(progress["updatedAt"], NOW.to_rfc3339());
    let stored = class.hub.rows("SELECT source, duration FROM video_progress").await;
    assert_eq!(stored, json!([{"source": "youtube", "duration": 300}]));
}

#[tokio::test]
async fn a_report_that_is_sent_again_changes_nothing() {
    let class = Classroom::open().await;
    let id = json!({"clientEventId": Uuid::new_v4()});
    let first = class.progress(50, id.clone()).await;
    class.progress(80, json!({})).await;
    let again = class.progress(50, id.clone()).await;
    assert_eq!(again["eventId"], first["eventId"]);
    assert_eq!(figures(&again), [80, 80, 0]);
    assert_eq!(class.count("true").await, 2);
}

#[tokio::test]
async fn ticks_of_a_batch_move_the_progress_by_their_times_and_not_by_their_order() {
    let class = Classroom::open().await;
    let tick = |minutes_ago: i64, second: i32, provider: &str| {
        let at = NOW - TimeDelta::minutes(minutes_ago);
        class.event(json!({"event": "progress_tick", "provider": provider, "recordedAt": at,
            "playbackSeconds": second, "watchedSeconds": second}))
    };
    class.record(json!([tick(1, 40, "vimeo"), tick(3, 90, "vimeo"), tick(2, 20, "vimeo")])).await;
    let stored = "SELECT last_second, furthest_second, watched_seconds FROM video_progress";
    let expected = json!([{"last_second": 40, "furthest_second": 90, "watched_seconds": 90}]);
    assert_eq!(class.hub.rows(stored).await, expected);
    // Neither another kind of event nor an unknown player is progress.
    class.record(json!([tick(0, 999, "elsewhere"), class.event(json!({"playbackSeconds": 999}))])).await;
    assert_eq!(class.hub.rows(stored).await, expected);
}

#[tokio::test]
async fn a_report_that_is_wrong_names_its_field() {
    let class = Classroom::open().await;
    let good = json!({"lessonId": class.lesson.id, "source": "CLOUDFLARE", "lastSecond": 1});
    for (wrong, field) in [
        (json!({"lessonId": "404"}), "input.lessonId"),
        (json!({"lastSecond": -1}), "input.lastSecond"),
        (json!({"watchedSeconds": -1}), "input.watchedSeconds"),
        (json!({"duration": -1}), "input.duration"),
        (json!({"playbackRate": 1000}), "input.playbackRate"),
        (json!({"recordedAt": NOW + TimeDelta::minutes(3)}), "input.recordedAt"),
        (json!({"metadata": "x".repeat(5000)}), "input.metadata"),
        (json!({"userId": "404"}), "input.userId"),
    ] {
        let admin = class.hub.user_named(field, Role::Admin).await;
        let answer = class.report_by(&admin.token, super::with(good.clone(), wrong)).send().await;
        assert_eq!(answer.code(), "BAD_USER_INPUT");
        assert_eq!(answer.body["errors"][0]["extensions"]["field"], field, "{}", answer.body);
    }
    assert_eq!(class.count("true").await, 0);
    assert_eq!(class.hub.rows("SELECT 1 FROM video_progress").await, json!([]));
}

#[tokio::test]
async fn an_id_that_is_another_events_is_no_report_of_progress() {
    let class = Classroom::open().await;
    let event = class.event(json!({}));
    class.record(json!([event])).await;
    class.progress(30, json!({})).await;
    let input = json!({"lessonId": class.lesson.id, "source": "VIMEO", "lastSecond": 1,
        "clientEventId": event["clientEventId"]});
    let answer = class.report(input).send().await;
    assert_eq!(answer.body["errors"][0]["extensions"]["field"], "input.clientEventId", "{}", answer.body);
}
