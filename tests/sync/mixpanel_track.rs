//! What Mixpanel's tracking answers: one word for all events of a request.

use chrono::TimeDelta;
use serde_json::json;
use stand_ins::fault::{Answer, Fault, Rule};
use stand_ins::{Service, TRACK};

use super::ground::Ground;
use super::record::Record;
use super::settings::mixpanel_by_token;
use super::steps::{share, uid};

fn answers(answer: Answer) -> Rule {
    Rule::new(Service::Mixpanel, Fault::Answer(answer)).route(TRACK)
}

fn not_now(error: &str) -> Answer {
    Answer::json(200, json!({"status": 0, "error": error}))
}

#[tokio::test]
async fn a_status_of_200_that_tells_of_a_passing_trouble_is_tried_again() {
    let ground = Ground::impatient(mixpanel_by_token).await;
    for (answer, class) in [
        (Answer::temporary_failure(), "down"),
        (not_now("Rate limit exceeded"), "throttled"),
        (Answer::empty(200), "unreadable"),
        (Answer::html(200), "unreadable"),
        (Answer::json(200, json!({"status": 2})), "unreadable"),
        (Answer::plain(200, &"1".repeat(5 << 20)), "unreadable"),
        (Answer::html(502), "down"),
        (Answer::too_many_requests(), "throttled"),
        (Answer::empty(408), "down"),
    ] {
        ground.clear().await;
        ground.events(5).await;
        let status = answer.status;
        ground.faults([answers(answer.clone()).times(1)]);
        assert_eq!(ground.run().await["state"], "FAILED", "{class} {status}");
        let put_off = Record::of("retry", 1).because(class).answered(status);
        assert_eq!(ground.records("mixpanel").await, vec![put_off; 5], "{class} {status}");
        assert_eq!((ground.unsynced().await, ground.requests(Service::Mixpanel)), (5, 1));
        ground.advance(TimeDelta::seconds(8));
        assert_eq!(ground.run().await["state"], "SUCCESS", "{class} {status}");
        assert_eq!(ground.records("mixpanel").await, vec![Record::of("delivered", 2); 5]);
        assert_eq!((ground.services.mixpanel_deduped().len(), ground.unsynced().await), (5, 0));
    }
}

#[tokio::test]
async fn a_bare_1_is_success() {
    let ground = Ground::impatient(mixpanel_by_token).await;
    ground.events(5).await;
    ground.faults([answers(Answer::plain(200, "1")).after_storing()]);
    assert_eq!(ground.run().await["state"], "SUCCESS");
    assert_eq!(ground.records("mixpanel").await, vec![Record::delivered(); 5]);
    assert_eq!(ground.services.mixpanel_raw().len(), 5);
}

#[tokio::test]
async fn a_refusal_of_all_is_narrowed_down_to_the_event_that_is_to_blame() {
    let refusals = [
        not_now("some data points in the request failed validation"),
        Answer::plain(200, "0"),
        Answer::plain(200, " 0\n"),
        Answer::json(400, json!({"error": "bad request", "status": 0})),
        Answer::html(400),
    ];
    let ground = Ground::impatient(mixpanel_by_token).await;
    for refusal in refusals {
        ground.clear().await;
        let ids = ground.events(32).await;
        let status = refusal.status;
        ground.faults([answers(refusal.clone()).events([uid(ids[11])])]);
        let run = ground.run().await;
        let counts = ["delivered", "dead", "requests"].map(|key| share(&run, "MIXPANEL")[key].clone());
        assert_eq!(counts, [json!(31), json!(1), json!(11)], "{refusal:?}");
        let records = ground.records("mixpanel").await;
        let dead = Record::of("dead", 1).because("refused").answered(status);
        for (place, record) in records.into_iter().enumerate() {
            assert_eq!(record, if place == 11 { dead.clone() } else { Record::delivered() }, "{place}");
        }
        assert_eq!((ground.services.mixpanel_raw().len(), ground.unsynced().await), (31, 0));
        ground.faults([]);
        assert_eq!(ground.run().await["state"], "SKIPPED");
    }
}

#[tokio::test]
async fn an_event_is_the_same_by_whatever_way_and_however_often_it_comes() {
    let ground = Ground::impatient(mixpanel_by_token).await;
    ground.events(2).await;
    ground.hub.sql("UPDATE video_player_events SET user_id = NULL WHERE id = (SELECT max(id) FROM video_player_events)").await;
    ground.faults([answers(Answer::html(504)).times(1).after_storing()]);
    ground.run().await;
    // By now it is too old to be tracked.
    ground.advance(TimeDelta::days(5));
    ground.run().await;
    let routes: Vec<_> =
        ground.services.requests(Service::Mixpanel).iter().map(|request| request.route.clone()).collect();
    assert_eq!(routes, ["/track", "/import"]);
    assert_eq!((ground.services.mixpanel_raw().len(), ground.services.mixpanel_deduped().len()), (4, 2));
    assert!(ground.services.mixpanel_raw().iter().all(|event| event.flags.is_empty()));
}

#[tokio::test]
async fn what_a_player_says_cannot_pass_for_what_the_hub_says() {
    let ground = Ground::impatient(mixpanel_by_token).await;
    let id = ground.events(1).await[0];
    let forged = json!({
        "token": "forged", "distinct_id": "9", "$user_id": "9", "$insert_id": "forged", "time": 1, "ip": "8.8.8.8",
        "event_uid": "vpe-0", "$ignore": true, "bucket": "9", "mp_lib": "forged", "lesson_id": 9,
    });
    ground.hub.sql(&format!("UPDATE video_player_events SET metadata = '{forged}'")).await;
    ground.run().await;
    let stored = &ground.services.mixpanel_raw()[0];
    assert_eq!(stored.distinct_id, ground.viewer.to_string());
    assert_ne!(stored.insert_id, "forged");
    assert_eq!(stored.event_uid, Some(uid(id)));
    assert_eq!(stored.time_millis, (ground.hub.clock.now() - TimeDelta::seconds(61)).timestamp_millis());
    assert_eq!(stored.properties["lesson_id"], ground.lesson.id);
    let sent = &ground.services.requests(Service::Mixpanel)[0].events[0].event["properties"];
    assert_eq!(
        (&sent["token"], &sent["meta_token"]),
        (&json!(stand_ins::config::PROJECT_TOKEN), &json!("forged"))
    );
    let foreign: Vec<_> = ["$user_id", "$ignore", "bucket", "mp_lib"]
        .into_iter()
        .filter(|key| sent.get(key).is_some())
        .collect();
    assert_eq!((foreign, &sent["ip"]), (vec![], &json!("0")));
}
