//! How responses of Mixpanel's `/track` are interpreted: one outcome for all events of a request.

use chrono::TimeDelta;
use serde_json::json;
use stand_ins::fault::{Answer, Fault, Rule};
use stand_ins::{Service, TRACK};

use super::actions::{driver_stats, uid};
use super::configs::mixpanel_by_token;
use super::delivery_record::DeliveryRecord;
use super::fixture::SyncFixture;

fn answers(answer: Answer) -> Rule {
    Rule::new(Service::Mixpanel, Fault::Answer(answer)).route(TRACK)
}

fn track_error(error: &str) -> Answer {
    Answer::json(200, json!({"status": 0, "error": error}))
}

#[tokio::test]
async fn a_transient_error_with_status_200_is_retried() {
    let fixture = SyncFixture::without_waits(mixpanel_by_token).await;
    for (answer, class) in [
        (Answer::temporary_failure(), "down"),
        (track_error("Rate limit exceeded"), "throttled"),
        (Answer::empty(200), "unreadable"),
        (Answer::html(200), "unreadable"),
        (Answer::json(200, json!({"status": 2})), "unreadable"),
        (Answer::plain(200, &"1".repeat(5 << 20)), "unreadable"),
        (Answer::html(502), "down"),
        (Answer::too_many_requests(), "throttled"),
        (Answer::empty(408), "down"),
    ] {
        fixture.clear().await;
        fixture.insert_events(5).await;
        let status = answer.status;
        fixture.faults([answers(answer.clone()).times(1)]);
        assert_eq!(fixture.run().await["state"], "FAILED", "{class} {status}");
        let awaiting_retry = DeliveryRecord::new("retry", 1).error_class(class).http_status(status);
        assert_eq!(fixture.records("mixpanel").await, vec![awaiting_retry; 5], "{class} {status}");
        assert_eq!((fixture.unsynced().await, fixture.requests(Service::Mixpanel)), (5, 1));
        fixture.advance(TimeDelta::seconds(8));
        assert_eq!(fixture.run().await["state"], "SUCCESS", "{class} {status}");
        assert_eq!(fixture.records("mixpanel").await, vec![DeliveryRecord::new("delivered", 2); 5]);
        assert_eq!((fixture.services.mixpanel_deduped().len(), fixture.unsynced().await), (5, 0));
    }
}

#[tokio::test]
async fn a_body_of_1_means_success() {
    let fixture = SyncFixture::without_waits(mixpanel_by_token).await;
    fixture.insert_events(5).await;
    fixture.faults([answers(Answer::plain(200, "1")).after_storing()]);
    assert_eq!(fixture.run().await["state"], "SUCCESS");
    assert_eq!(fixture.records("mixpanel").await, vec![DeliveryRecord::delivered(); 5]);
    assert_eq!(fixture.services.mixpanel_raw().len(), 5);
}

#[tokio::test]
async fn a_refused_request_is_split_until_the_bad_event_is_found() {
    let refusals = [
        track_error("some data points in the request failed validation"),
        Answer::plain(200, "0"),
        Answer::plain(200, " 0\n"),
        Answer::json(400, json!({"error": "bad request", "status": 0})),
        Answer::html(400),
    ];
    let fixture = SyncFixture::without_waits(mixpanel_by_token).await;
    for refusal in refusals {
        fixture.clear().await;
        let ids = fixture.insert_events(32).await;
        let status = refusal.status;
        fixture.faults([answers(refusal.clone()).events([uid(ids[11])])]);
        let run = fixture.run().await;
        let counts = ["delivered", "dead", "requests"].map(|key| driver_stats(&run, "MIXPANEL")[key].clone());
        assert_eq!(counts, [json!(31), json!(1), json!(11)], "{refusal:?}");
        let records = fixture.records("mixpanel").await;
        let dead = DeliveryRecord::new("dead", 1).error_class("refused").http_status(status);
        for (index, record) in records.into_iter().enumerate() {
            assert_eq!(
                record,
                if index == 11 { dead.clone() } else { DeliveryRecord::delivered() },
                "{index}"
            );
        }
        assert_eq!((fixture.services.mixpanel_raw().len(), fixture.unsynced().await), (31, 0));
        fixture.faults([]);
        assert_eq!(fixture.run().await["state"], "SKIPPED");
    }
}

#[tokio::test]
async fn mixpanel_deduplicates_events_across_both_endpoints() {
    let fixture = SyncFixture::without_waits(mixpanel_by_token).await;
    fixture.insert_events(2).await;
    fixture.hub.sql("UPDATE video_player_events SET user_id = NULL WHERE id = (SELECT max(id) FROM video_player_events)").await;
    fixture.faults([answers(Answer::html(504)).times(1).after_storing()]);
    fixture.run().await;
    // Now the events are too old for `/track`.
    fixture.advance(TimeDelta::days(5));
    fixture.run().await;
    let routes: Vec<_> =
        fixture.services.requests(Service::Mixpanel).iter().map(|request| request.route.clone()).collect();
    assert_eq!(routes, ["/track", "/import"]);
    assert_eq!((fixture.services.mixpanel_raw().len(), fixture.services.mixpanel_deduped().len()), (4, 2));
    assert!(fixture.services.mixpanel_raw().iter().all(|event| event.flags.is_empty()));
}

#[tokio::test]
async fn player_metadata_cannot_override_fields_of_the_hub() {
    let fixture = SyncFixture::without_waits(mixpanel_by_token).await;
    let id = fixture.insert_events(1).await[0];
    let forged = json!({
        "token": "forged", "distinct_id": "9", "$user_id": "9", "$insert_id": "forged", "time": 1, "ip": "8.8.8.8",
        "event_uid": "vpe-0", "$ignore": true, "bucket": "9", "mp_lib": "forged", "lesson_id": 9,
    });
    fixture.hub.sql(&format!("UPDATE video_player_events SET metadata = '{forged}'")).await;
    fixture.run().await;
    let stored = &fixture.services.mixpanel_raw()[0];
    assert_eq!(stored.distinct_id, fixture.viewer.to_string());
    assert_ne!(stored.insert_id, "forged");
    assert_eq!(stored.event_uid, Some(uid(id)));
    assert_eq!(stored.time_millis, (fixture.hub.clock.now() - TimeDelta::seconds(61)).timestamp_millis());
    assert_eq!(stored.properties["lesson_id"], fixture.lesson.id);
    let sent = &fixture.services.requests(Service::Mixpanel)[0].events[0].event["properties"];
    assert_eq!(
        (&sent["token"], &sent["meta_token"]),
        (&json!(stand_ins::config::PROJECT_TOKEN), &json!("forged"))
    );
    let reserved: Vec<_> = ["$user_id", "$ignore", "bucket", "mp_lib"]
        .into_iter()
        .filter(|key| sent.get(key).is_some())
        .collect();
    assert_eq!((reserved, &sent["ip"]), (vec![], &json!("0")));
}
