//! Each event of a batch is validated separately.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{RecordingFixture, error_of};
use crate::harness::hub::NOW;

#[tokio::test]
async fn an_event_is_stored_as_sent_with_the_course_of_its_lesson() {
    let fixture = RecordingFixture::new().await;
    let recorded_at = NOW - TimeDelta::minutes(3);
    let event = fixture.event(json!({
        "event": "cta_click", "provider": "vimeo", "playbackSeconds": 61, "watchedSeconds": 40,
        "videoDuration": 300, "playbackRate": 1.25, "contextTag": "footer", "metadata": {"button": "más"},
        "recordedAt": recorded_at,
    }));
    let result = &fixture.record(json!([event])).await[0];
    assert_eq!(result["clientEventId"], event["clientEventId"]);
    assert_eq!((&result["duplicate"], &result["error"]), (&json!(false), &Value::Null));

    let admin = fixture.hub.user(domain::Role::Admin).await;
    let query = "{ videoPlayerEvents { nodes { id recordedAt userId courseId lessonId event provider \
                 playbackSeconds watchedSeconds videoDuration playbackRate contextTag metadata syncedAt } } }";
    let data = fixture.hub.graphql(query).by(&admin.token).data().await;
    let stored = json!([{
        "id": result["eventId"], "recordedAt": recorded_at.to_rfc3339(), "userId": fixture.student.id.to_string(),
        "courseId": fixture.lesson.course.to_string(), "lessonId": fixture.lesson.id.to_string(),
        "event": "cta_click", "provider": "vimeo", "playbackSeconds": 61, "watchedSeconds": 40,
        "videoDuration": 300, "playbackRate": 1.25, "contextTag": "footer", "metadata": {"button": "más"},
        "syncedAt": null,
    }]);
    assert_eq!(data["videoPlayerEvents"]["nodes"], stored);
}

#[tokio::test]
async fn omitted_fields_have_defaults() {
    let fixture = RecordingFixture::new().await;
    fixture
        .record(json!([{"clientEventId": "0d0f7a5e-8f0e-4c0b-9d5f-3c8b1a2e4f60", "event": "banner_view"}]))
        .await;
    let stored = fixture
        .hub
        .rows(
            "SELECT recorded_at = created_at AS now, lesson_id, course_id, provider, playback_seconds, \
             watched_seconds, video_duration, playback_rate, context_tag, metadata FROM video_player_events",
        )
        .await;
    assert_eq!(
        stored,
        json!([{"now": true, "lesson_id": null, "course_id": null, "provider": null, "playback_seconds": 0,
            "watched_seconds": 0, "video_duration": null, "playback_rate": 1, "context_tag": "player",
            "metadata": null}])
    );
}

#[tokio::test]
async fn invalid_events_are_refused_and_the_rest_of_the_batch_is_stored() {
    let fixture = RecordingFixture::new().await;
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    let cases = [
        (json!({"lessonId": "999999"}), ("UNKNOWN_LESSON", "lessonId")),
        (json!({"lessonId": "12abc"}), ("NOT_AN_ID", "lessonId")),
        (json!({"clientEventId": "no uuid"}), ("NOT_A_UUID", "clientEventId")),
        (json!({"clientEventId": ""}), ("NOT_A_UUID", "clientEventId")),
        (json!({"event": ""}), ("BAD_EVENT_NAME", "event")),
        (json!({"event": "señal"}), ("BAD_EVENT_NAME", "event")),
        (json!({"event": "e".repeat(51)}), ("BAD_EVENT_NAME", "event")),
        (json!({"provider": "p".repeat(21)}), ("BAD_PROVIDER", "provider")),
        (json!({"contextTag": "a\u{0}b"}), ("BAD_CONTEXT_TAG", "contextTag")),
        (json!({"contextTag": "c".repeat(51)}), ("BAD_CONTEXT_TAG", "contextTag")),
        (json!({"playbackSeconds": -1}), ("NEGATIVE_SECONDS", "playbackSeconds")),
        (json!({"watchedSeconds": -5}), ("NEGATIVE_SECONDS", "watchedSeconds")),
        (json!({"videoDuration": -1}), ("NEGATIVE_SECONDS", "videoDuration")),
        (json!({"playbackSeconds": 4_000_000_000_u64}), ("NOT_SECONDS", "playbackSeconds")),
        (json!({"playbackRate": -1}), ("BAD_PLAYBACK_RATE", "playbackRate")),
        (json!({"playbackRate": 101}), ("BAD_PLAYBACK_RATE", "playbackRate")),
        (json!({"recordedAt": "yesterday"}), ("NOT_A_MOMENT", "recordedAt")),
        (json!({"recordedAt": NOW + TimeDelta::seconds(121)}), ("IN_THE_FUTURE", "recordedAt")),
        (json!({"recordedAt": NOW - TimeDelta::days(30) - TimeDelta::seconds(1)}), ("TOO_OLD", "recordedAt")),
        (json!({"metadata": "x".repeat(4095)}), ("METADATA_TOO_LARGE", "metadata")),
        (json!({"metadata": nested(9)}), ("METADATA_TOO_DEEP", "metadata")),
        (json!({"metadata": {"a": "\u{0}"}}), ("METADATA_NOT_STORABLE", "metadata")),
    ];
    let valid = [json!({"metadata": "x".repeat(4094)}), json!({"metadata": nested(8)})]
        .map(|rest| fixture.event(rest));
    let mut events = vec![valid[0].clone()];
    events.extend(cases.iter().map(|(rest, _)| fixture.event(rest.clone())));
    events.push(valid[1].clone());

    let results = fixture.record(json!(events)).await;
    assert_eq!(results.len(), events.len());
    for (event, result) in events.iter().zip(&results) {
        assert_eq!(event["clientEventId"], result["clientEventId"]);
    }
    for ((rest, (reason, field)), result) in cases.iter().zip(&results[1..]) {
        assert_eq!(error_of(result), ("BAD_USER_INPUT", *reason, *field), "{rest}");
    }
    let stored = fixture.hub.rows("SELECT client_event_id FROM video_player_events ORDER BY id").await;
    assert_eq!(stored, json!(valid.map(|event| json!({"client_event_id": event["clientEventId"]}))));
}

#[tokio::test]
async fn an_invalid_uuid_only_refuses_its_event_in_literals_and_variables() {
    let fixture = RecordingFixture::new().await;
    let document = "mutation ($uuid: UUID!, $text: UUID!) { recordPlayerEvents(events: [
        { clientEventId: $uuid, event: \"play\" }, { clientEventId: $text, event: \"play\" },
        { clientEventId: \"no uuid\", event: \"play\" } ]) { clientEventId eventId error { reason } } }";
    let uuid = "0D0F7A5E8F0E4C0B9D5F3C8B1A2E4F60";
    let variables = json!({"uuid": uuid, "text": "17"});
    let request = fixture.hub.graphql(document).by(&fixture.student.token).variables(variables);
    let results = request.data().await["recordPlayerEvents"].take();
    // The response has the canonical form.
    assert_eq!(results[0]["clientEventId"], "0d0f7a5e-8f0e-4c0b-9d5f-3c8b1a2e4f60");
    assert_eq!((results[0]["eventId"].is_null(), &results[0]["error"]), (false, &Value::Null));
    for (index, text) in [(1, "17"), (2, "no uuid")] {
        let refused = json!({"clientEventId": text, "eventId": null, "error": {"reason": "NOT_A_UUID"}});
        assert_eq!(results[index], refused);
    }
    assert_eq!(fixture.count_events("true").await, 1);
    for id in [json!(17), Value::Null, json!(["0d0f7a5e-8f0e-4c0b-9d5f-3c8b1a2e4f60", "x"])] {
        let event = fixture.event(json!({"clientEventId": id}));
        assert_eq!(fixture.send(json!([event])).code().await, "BAD_USER_INPUT", "{id}");
    }
}

#[tokio::test]
async fn times_up_to_two_minutes_ahead_and_30_days_ago_are_accepted() {
    let fixture = RecordingFixture::new().await;
    let month_ago = NOW - TimeDelta::days(30);
    let times = [NOW + TimeDelta::minutes(2), NOW + TimeDelta::seconds(1), NOW, month_ago];
    let events = times.map(|time| fixture.event(json!({"recordedAt": time})));
    let results = fixture.record(json!(events)).await;
    assert!(results.iter().all(|result| result["error"].is_null()), "{results:?}");
    assert_eq!(fixture.count_events(&format!("recorded_at = '{}'", NOW.to_rfc3339())).await, 3);
    assert_eq!(fixture.count_events(&format!("recorded_at = '{}'", month_ago.to_rfc3339())).await, 1);
}

#[tokio::test]
async fn a_batch_holds_at_most_500_events() {
    let fixture = RecordingFixture::new().await;
    let batch_of = |count: usize| json!((0..count).map(|_| fixture.event(json!({}))).collect::<Vec<_>>());
    let response = fixture.send(batch_of(501)).send().await;
    assert_eq!(
        (response.code().as_str(), &response.body["errors"][0]["extensions"]["field"]),
        ("BAD_USER_INPUT", &json!("events"))
    );
    assert_eq!(fixture.count_events("true").await, 0);
    assert_eq!(fixture.record(batch_of(500)).await.len(), 500);
    assert_eq!(fixture.count_events("true").await, 500);
    assert_eq!(fixture.record(json!([])).await, Vec::<Value>::new());
}

#[tokio::test]
async fn ids_follow_the_order_of_the_batch() {
    let fixture = RecordingFixture::new().await;
    let events: Vec<Value> =
        (0..50).map(|second| fixture.event(json!({"playbackSeconds": second}))).collect();
    fixture.record(json!(events)).await;
    let stored = fixture.hub.rows("SELECT playback_seconds AS s FROM video_player_events ORDER BY id").await;
    assert_eq!(stored, json!((0..50).map(|second| json!({"s": second})).collect::<Vec<_>>()));
}

#[tokio::test]
async fn error_messages_are_in_the_callers_language() {
    let fixture = RecordingFixture::new().await;
    let bad = json!([fixture.event(json!({"playbackSeconds": -1}))]);
    let message =
        |data: Value| data["recordPlayerEvents"][0]["error"]["message"].as_str().unwrap().to_owned();
    let english = message(fixture.send(bad.clone()).header("accept-language", "en").data().await);
    let spanish = message(fixture.send(bad).header("accept-language", "es").data().await);
    assert!(english.starts_with("Seconds cannot be negative"), "{english}");
    assert!(spanish.starts_with("Los segundos no pueden"), "{spanish}");
}

#[tokio::test]
async fn recorded_events_are_pending_without_running_the_trigger() {
    let fixture = RecordingFixture::new().await;
    let refuse = "CREATE OR REPLACE FUNCTION note_pending_player_events() RETURNS trigger LANGUAGE plpgsql \
                  AS $$ BEGIN RAISE 'the trigger ran'; END $$";
    fixture.hub.sql(refuse).await;
    let event = fixture.event(json!({}));
    fixture.record(json!([event, event, fixture.event(json!({"lessonId": "404404"}))])).await;
    let pending = "SELECT count(*) AS pending, count(*) FILTER (WHERE arrived_at = created_at AND drivers IS NULL) AS complete
         FROM telemetry_pending JOIN video_player_events AS event
             ON event.recorded_at = telemetry_pending.recorded_at AND event.id = event_id";
    assert_eq!(fixture.hub.rows(pending).await, json!([{"pending": 1, "complete": 1}]));
}
