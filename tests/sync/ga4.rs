//! What GA4's answers mean, event by event.

use serde_json::json;
use stand_ins::config::CollectAnswer;
use stand_ins::fault::{Answer, Fault, Rule};
use stand_ins::{Service, Verdict};

use super::ground::Ground;
use super::record::Record;
use super::settings::{ga4, ga4_in_order};
use super::steps::{share, uid};

#[tokio::test]
async fn every_2xx_says_that_an_event_arrived() {
    let ground = Ground::impatient(ga4).await;
    for answer in [CollectAnswer::NoContent, CollectAnswer::Ok, CollectAnswer::NoContentWithBody] {
        ground.services.configure(|config| config.ga4.collect_answer = answer);
        let id = ground.events(1).await[0];
        let run = ground.run().await;
        assert_eq!((&run["state"], &run["processed"]), (&json!("SUCCESS"), &json!(1)), "{answer:?}");
        assert_eq!(ground.services.ga4_copies_by_event_uid()[&uid(id)], 1, "{answer:?}");
    }
    assert_eq!(ground.records("ga4").await, vec![Record::delivered(); 3]);
    assert_eq!((ground.unsynced().await, ground.requests(Service::Ga4)), (0, 3));
}

#[tokio::test]
async fn ga4_never_says_that_a_secret_is_wrong_and_nothing_else_is_claimed() {
    let ground = Ground::impatient(|config, services| {
        ga4(config, services);
        config.telemetry.ga4.api_secret = Some("another stream's".to_owned().into());
    })
    .await;
    ground.events(1).await;
    assert_eq!(share(&ground.run().await, "GA4")["delivered"], 1, "which is what it answered");
    assert!(ground.services.stored_ga4().is_empty());
    assert_eq!(ground.record("ga4").await, Record::delivered());
}

/// Each other event is answered so, the first of them being the first.
fn each_other(ids: &[i64], answers: impl IntoIterator<Item = Answer>) -> Vec<Rule> {
    let rule =
        |(id, answer): (&i64, Answer)| Rule::new(Service::Ga4, Fault::Answer(answer)).events([uid(*id)]);
    ids.iter().step_by(2).zip(answers).map(rule).collect()
}

#[tokio::test]
async fn an_event_that_ga4_refuses_is_given_up_and_never_sent_again() {
    let ground = Ground::impatient(ga4_in_order).await;
    let ids = ground.events(6).await;
    ground.faults(each_other(&ids, [Answer::html(400), Answer::empty(413), Answer::plain(422, "no")]));
    let run = ground.run().await;
    let expected = json!({"driver": "GA4", "attempted": 6, "delivered": 3, "retrying": 0, "dead": 3, "expired": 0, "requests": 6});
    assert_eq!((&run["state"], share(&run, "GA4")), (&json!("PARTIAL"), &expected));
    let refused = |class, status| Record::of("dead", 1).because(class).answered(status);
    let records = [refused("refused", 400), refused("too_large", 413), refused("refused", 422)]
        .into_iter()
        .flat_map(|record| [record, Record::delivered()])
        .collect::<Vec<_>>();
    assert_eq!(ground.records("ga4").await, records);
    assert_eq!(ground.unsynced().await, 0, "nothing more is owed");
    ground.faults([]);
    assert_eq!(ground.run().await["state"], "SKIPPED");
    assert_eq!(ground.requests(Service::Ga4), 6);
}

#[tokio::test]
async fn what_passes_is_tried_again_and_marked_where_it_may_have_arrived() {
    let ground = Ground::impatient(ga4_in_order).await;
    let answers = [
        (Answer::empty(408), "down", true),
        (Answer::too_many_requests(), "throttled", false),
        (Answer::html(500), "down", true),
        (Answer::html(502), "down", true),
        (Answer::upstream_unavailable(), "down", false),
        (Answer::json(504, json!({"error": "time-out"})), "down", true),
        (Answer::empty(520), "down", true),
    ];
    let ids = ground.events(14).await;
    ground.faults(each_other(&ids, answers.iter().map(|(answer, ..)| answer.clone())));
    let run = ground.run().await;
    assert_eq!((&run["state"], &run["processed"]), (&json!("PARTIAL"), &json!(7)));
    assert_eq!(share(&run, "GA4")["retrying"], 7);
    let put_off = answers.iter().map(|(answer, class, is_doubtful)| {
        let record = Record::of("retry", 1).because(class).answered(answer.status);
        if *is_doubtful { record.unanswered(1).doubtful() } else { record }
    });
    let records: Vec<_> = put_off.flat_map(|record| [record, Record::delivered()]).collect();
    assert_eq!(ground.records("ga4").await, records);
    assert_eq!(ground.unsynced().await, 7);
    // Not before its time.
    ground.faults([]);
    let early = ground.run().await;
    assert_eq!((&early["processed"], ground.requests(Service::Ga4)), (&json!(0), 14), "{early}");
    // And then once.
    ground.advance(chrono::TimeDelta::seconds(8));
    assert_eq!(share(&ground.run().await, "GA4")["delivered"], 7);
    assert_eq!(ground.requests(Service::Ga4), 21);
    assert!(ground.services.ga4_copies_by_event_uid().values().all(|copies| *copies == 1));
    let twice = answers.iter().map(|(.., is_doubtful)| {
        let record = Record::of("delivered", 2);
        if *is_doubtful { record.unanswered(1).doubtful() } else { record }
    });
    let records: Vec<_> = twice.flat_map(|record| [record, Record::delivered()]).collect();
    assert_eq!(ground.records("ga4").await, records);
    assert_eq!(ground.unsynced().await, 0);
}

#[tokio::test]
async fn a_gateway_time_out_behind_which_the_event_was_kept_is_told_as_a_repetition() {
    let ground = Ground::impatient(ga4).await;
    let id = ground.events(1).await[0];
    let kept = Rule::new(Service::Ga4, Fault::Answer(Answer::html(504))).times(1).after_storing();
    ground.faults([kept]);
    ground.run().await;
    ground.advance(chrono::TimeDelta::seconds(8));
    ground.run().await;
    let stored = ground.services.stored_ga4();
    let told: Vec<_> = stored.iter().map(|event| event.params.get("maybe_duplicate")).collect();
    assert_eq!(told, [None, Some(&json!(1))]);
    assert_eq!(ground.services.ga4_copies_by_event_uid()[&uid(id)], 2);
    assert_eq!(ground.record("ga4").await, Record::of("delivered", 2).unanswered(1).doubtful());
}

#[tokio::test]
async fn what_a_player_says_cannot_pass_for_what_the_hub_says() {
    let ground = Ground::impatient(ga4).await;
    let id = ground.events(1).await[0];
    let forged = json!({
        "client_id": "1.1", "user_id": "9", "session_id": "9", "event_uid": "vpe-0", "timestamp_micros": 1,
        "engagement_time_msec": 9, "lesson_id": 9, "list": [1], "nothing": null, "deep": {"er": {"still": true}},
    });
    ground.hub.sql(&format!("UPDATE video_player_events SET metadata = '{forged}'")).await;
    ground.run().await;
    let stored = &ground.services.stored_ga4()[0];
    assert_eq!(stored.client_id, format!("{}.{id}", ground.viewer));
    assert_eq!(stored.user_id, Some(ground.viewer.to_string()));
    assert_eq!(stored.event_uid, Some(uid(id)));
    assert_eq!(stored.params["lesson_id"], ground.lesson.id);
    assert_eq!(stored.params["meta_deep_er_still"], 1);
    assert_eq!((&stored.flags, &stored.ignored_params), (&vec![], &vec![]), "reports take all of it");
    let verdict = &ground.services.requests(Service::Ga4)[0].events[0].verdict;
    assert!(matches!(verdict, Verdict::Stored { .. }));
}
