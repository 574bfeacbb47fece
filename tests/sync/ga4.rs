//! How responses of GA4 are interpreted.

use serde_json::json;
use stand_ins::config::CollectAnswer;
use stand_ins::fault::{Answer, Fault, Rule};
use stand_ins::{Outcome, Service};

use super::actions::{driver_stats, uid};
use super::configs::{ga4, ga4_in_order};
use super::delivery_record::DeliveryRecord;
use super::fixture::SyncFixture;

#[tokio::test]
async fn every_2xx_response_means_delivered() {
    let fixture = SyncFixture::without_waits(ga4).await;
    for answer in [CollectAnswer::NoContent, CollectAnswer::Ok, CollectAnswer::NoContentWithBody] {
        fixture.services.configure(|config| config.ga4.collect_answer = answer);
        let id = fixture.insert_events(1).await[0];
        let run = fixture.run().await;
        assert_eq!((&run["state"], &run["processed"]), (&json!("SUCCESS"), &json!(1)), "{answer:?}");
        assert_eq!(fixture.services.ga4_copies_by_event_uid()[&uid(id)], 1, "{answer:?}");
    }
    assert_eq!(fixture.records("ga4").await, vec![DeliveryRecord::delivered(); 3]);
    assert_eq!((fixture.unsynced().await, fixture.requests(Service::Ga4)), (0, 3));
}

#[tokio::test]
async fn a_wrong_ga4_secret_goes_undetected() {
    let fixture = SyncFixture::without_waits(|config, services| {
        ga4(config, services);
        config.telemetry.ga4.api_secret = Some("another stream's".to_owned().into());
    })
    .await;
    fixture.insert_events(1).await;
    assert_eq!(driver_stats(&fixture.run().await, "GA4")["delivered"], 1, "GA4 accepted the event");
    assert!(fixture.services.stored_ga4().is_empty());
    assert_eq!(fixture.record("ga4").await, DeliveryRecord::delivered());
}

/// Rules that respond to every second event, starting with the first, with these responses in order.
fn every_second(ids: &[i64], answers: impl IntoIterator<Item = Answer>) -> Vec<Rule> {
    let rule =
        |(id, answer): (&i64, Answer)| Rule::new(Service::Ga4, Fault::Answer(answer)).events([uid(*id)]);
    ids.iter().step_by(2).zip(answers).map(rule).collect()
}

#[tokio::test]
async fn an_event_that_ga4_refuses_is_dead_and_never_sent_again() {
    let fixture = SyncFixture::without_waits(ga4_in_order).await;
    let ids = fixture.insert_events(6).await;
    fixture.faults(every_second(&ids, [Answer::html(400), Answer::empty(413), Answer::plain(422, "no")]));
    let run = fixture.run().await;
    let expected = json!({"driver": "GA4", "attempted": 6, "delivered": 3, "retrying": 0, "dead": 3, "expired": 0, "requests": 6});
    assert_eq!((&run["state"], driver_stats(&run, "GA4")), (&json!("PARTIAL"), &expected));
    let refused = |class, status| DeliveryRecord::new("dead", 1).error_class(class).http_status(status);
    let records = [refused("refused", 400), refused("too_large", 413), refused("refused", 422)]
        .into_iter()
        .flat_map(|record| [record, DeliveryRecord::delivered()])
        .collect::<Vec<_>>();
    assert_eq!(fixture.records("ga4").await, records);
    assert_eq!(fixture.unsynced().await, 0, "dead deliveries are not pending");
    fixture.faults([]);
    assert_eq!(fixture.run().await["state"], "SKIPPED");
    assert_eq!(fixture.requests(Service::Ga4), 6);
}

#[tokio::test]
async fn transient_failures_are_retried_and_marked_if_maybe_delivered() {
    let fixture = SyncFixture::without_waits(ga4_in_order).await;
    let answers = [
        (Answer::empty(408), "down", true),
        (Answer::too_many_requests(), "throttled", false),
        (Answer::html(500), "down", true),
        (Answer::html(502), "down", true),
        (Answer::upstream_unavailable(), "down", false),
        (Answer::json(504, json!({"error": "time-out"})), "down", true),
        (Answer::empty(520), "down", true),
    ];
    let ids = fixture.insert_events(14).await;
    fixture.faults(every_second(&ids, answers.iter().map(|(answer, ..)| answer.clone())));
    let run = fixture.run().await;
    assert_eq!((&run["state"], &run["processed"]), (&json!("PARTIAL"), &json!(7)));
    assert_eq!(driver_stats(&run, "GA4")["retrying"], 7);
    let awaiting_retry = answers.iter().map(|(answer, class, is_maybe_delivered)| {
        let record = DeliveryRecord::new("retry", 1).error_class(class).http_status(answer.status);
        if *is_maybe_delivered { record.unanswered(1).maybe_duplicate() } else { record }
    });
    let records: Vec<_> = awaiting_retry.flat_map(|record| [record, DeliveryRecord::delivered()]).collect();
    assert_eq!(fixture.records("ga4").await, records);
    assert_eq!(fixture.unsynced().await, 7);
    // The retries are not due yet.
    fixture.faults([]);
    let early = fixture.run().await;
    assert_eq!((&early["processed"], fixture.requests(Service::Ga4)), (&json!(0), 14), "{early}");
    // When they are due, each event is sent once.
    fixture.advance(chrono::TimeDelta::seconds(8));
    assert_eq!(driver_stats(&fixture.run().await, "GA4")["delivered"], 7);
    assert_eq!(fixture.requests(Service::Ga4), 21);
    assert!(fixture.services.ga4_copies_by_event_uid().values().all(|copies| *copies == 1));
    let retried = answers.iter().map(|(.., is_maybe_delivered)| {
        let record = DeliveryRecord::new("delivered", 2);
        if *is_maybe_delivered { record.unanswered(1).maybe_duplicate() } else { record }
    });
    let records: Vec<_> = retried.flat_map(|record| [record, DeliveryRecord::delivered()]).collect();
    assert_eq!(fixture.records("ga4").await, records);
    assert_eq!(fixture.unsynced().await, 0);
}

#[tokio::test]
async fn a_retry_after_a_gateway_timeout_is_marked_as_maybe_duplicate() {
    let fixture = SyncFixture::without_waits(ga4).await;
    let id = fixture.insert_events(1).await[0];
    let gateway_timeout = Rule::new(Service::Ga4, Fault::Answer(Answer::html(504))).times(1).after_storing();
    fixture.faults([gateway_timeout]);
    fixture.run().await;
    fixture.advance(chrono::TimeDelta::seconds(8));
    fixture.run().await;
    let stored = fixture.services.stored_ga4();
    let flags: Vec<_> = stored.iter().map(|event| event.params.get("maybe_duplicate")).collect();
    assert_eq!(flags, [None, Some(&json!(1))]);
    assert_eq!(fixture.services.ga4_copies_by_event_uid()[&uid(id)], 2);
    assert_eq!(
        fixture.record("ga4").await,
        DeliveryRecord::new("delivered", 2).unanswered(1).maybe_duplicate()
    );
}

#[tokio::test]
async fn player_metadata_cannot_override_fields_of_the_hub() {
    let fixture = SyncFixture::without_waits(ga4).await;
    let id = fixture.insert_events(1).await[0];
    let forged = json!({
        "client_id": "1.1", "user_id": "9", "session_id": "9", "event_uid": "vpe-0", "timestamp_micros": 1,
        "engagement_time_msec": 9, "lesson_id": 9, "list": [1], "nothing": null, "deep": {"er": {"still": true}},
    });
    fixture.hub.sql(&format!("UPDATE video_player_events SET metadata = '{forged}'")).await;
    fixture.run().await;
    let stored = &fixture.services.stored_ga4()[0];
    assert_eq!(stored.client_id, format!("{}.{id}", fixture.viewer));
    assert_eq!(stored.user_id, Some(fixture.viewer.to_string()));
    assert_eq!(stored.event_uid, Some(uid(id)));
    assert_eq!(stored.params["lesson_id"], fixture.lesson.id);
    assert_eq!(stored.params["meta_deep_er_still"], 1);
    assert_eq!((&stored.flags, &stored.ignored_params), (&vec![], &vec![]), "GA4 accepts every parameter");
    let verdict = &fixture.services.requests(Service::Ga4)[0].events[0].verdict;
    assert!(matches!(verdict, Outcome::Stored { .. }));
}
