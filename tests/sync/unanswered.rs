//! What was sent and not answered: GA4 cannot tell a repetition, Mixpanel can.

use std::time::Duration;

use backend::config::telemetry::Ambiguous;
use chrono::TimeDelta;
use serde_json::json;
use stand_ins::Service;
use stand_ins::fault::{Fault, How, Point, Rule};

use super::ground::Ground;
use super::record::Record;
use super::settings::{answers_within, ga4_in_order, mixpanel};
use super::steps::{share, uid};

/// Long enough for a stand-in that answers, and short enough for a test.
const LIMIT: Duration = Duration::from_millis(300);

/// Where a connection may break before the answer says anything.
const SILENT: [Point; 4] = [Point::BeforeReading, Point::HalfRead, Point::BeforeAnswer, Point::MidHead];
const WAYS: [How; 3] = [How::Reset, How::Close, How::Hang];

fn breaks(points: &[Point]) -> Vec<(Point, How)> {
    points.iter().flat_map(|at| WAYS.map(|how| (*at, how))).collect()
}

async fn ground_with_ga4(ambiguous: Ambiguous) -> Ground {
    Ground::impatient(|config, services| {
        ga4_in_order(config, services);
        answers_within(config, LIMIT);
        config.telemetry.ga4.ambiguous = ambiguous;
    })
    .await
}

#[tokio::test]
async fn what_ga4_did_not_answer_is_sent_once_more_and_marked_as_perhaps_doubled() {
    let ground = ground_with_ga4(Ambiguous::Retry).await;
    for (at, how) in breaks(&SILENT) {
        let id = ground.events(1).await[0];
        ground.faults([Rule::new(Service::Ga4, Fault::Break { at, how }).times(1)]);
        let run = ground.run().await;
        assert_eq!(
            (&run["state"], &share(&run, "GA4")["retrying"]),
            (&json!("FAILED"), &json!(1)),
            "{at:?} {how:?}"
        );
        let doubtful = Record::of("retry", 1).because("ambiguous").unanswered(1).doubtful();
        assert_eq!(ground.records_of(id).await, [doubtful], "{at:?} {how:?}");
        assert_eq!(ground.unsynced().await, 1);
        ground.advance(TimeDelta::seconds(8));
        assert_eq!(ground.run().await["state"], "SUCCESS", "{at:?} {how:?}");
        let delivered = Record::of("delivered", 2).unanswered(1).doubtful();
        assert_eq!(ground.records_of(id).await, [delivered], "{at:?} {how:?}");
        let told = ground.services.stored_ga4().pop().unwrap();
        assert_eq!((told.event_uid, &told.params["maybe_duplicate"]), (Some(uid(id)), &json!(1)));
        assert_eq!(ground.services.ga4_copies_by_event_uid()[&uid(id)], 1, "{at:?} {how:?}");
    }
}

#[tokio::test]
async fn what_ga4_does_not_answer_twice_is_given_up_as_ambiguous() {
    let ground = ground_with_ga4(Ambiguous::Retry).await;
    let id = ground.events(1).await[0];
    ground
        .faults([Rule::new(Service::Ga4, Fault::Break { at: Point::BeforeAnswer, how: How::Reset })
            .after_storing()]);
    ground.run().await;
    ground.advance(TimeDelta::seconds(8));
    let run = ground.run().await;
    assert_eq!((&run["state"], &share(&run, "GA4")["dead"]), (&json!("FAILED"), &json!(1)));
    let dead = Record::of("dead", 2).because("ambiguous").unanswered(2).doubtful();
    assert_eq!(ground.record("ga4").await, dead);
    assert_eq!(ground.unsynced().await, 0, "nothing more is owed");
    ground.faults([]);
    ground.advance(TimeDelta::days(1));
    assert_eq!(ground.run().await["state"], "SKIPPED");
    assert_eq!((ground.requests(Service::Ga4), ground.services.ga4_copies_by_event_uid()[&uid(id)]), (2, 2));
}

#[tokio::test]
async fn what_ga4_did_not_answer_counts_as_delivered_where_the_settings_say_so() {
    let ground = ground_with_ga4(Ambiguous::AssumeDelivered).await;
    for (at, how) in breaks(&SILENT) {
        let id = ground.events(1).await[0];
        let requests = ground.requests(Service::Ga4);
        ground.faults([Rule::new(Service::Ga4, Fault::Break { at, how })]);
        assert_eq!(ground.run().await["state"], "SUCCESS", "{at:?} {how:?}");
        let assumed = Record::delivered().because("ambiguous").unanswered(1);
        assert_eq!(ground.records_of(id).await, [assumed], "{at:?} {how:?}");
        ground.advance(TimeDelta::hours(2));
        assert_eq!(ground.run().await["state"], "SKIPPED");
        assert_eq!(ground.requests(Service::Ga4) - requests, 1, "{at:?} {how:?}");
    }
}

#[tokio::test]
async fn a_2xx_whose_body_never_comes_is_all_that_ga4_ever_says() {
    let ground = ground_with_ga4(Ambiguous::Retry).await;
    for (at, how) in breaks(&[Point::AfterHead, Point::MidBody]) {
        let id = ground.events(1).await[0];
        ground.faults([Rule::new(Service::Ga4, Fault::Break { at, how }).after_storing()]);
        assert_eq!(ground.run().await["state"], "SUCCESS", "{at:?} {how:?}");
        assert_eq!(ground.records_of(id).await, [Record::delivered()], "{at:?} {how:?}");
        assert_eq!(ground.services.ga4_copies_by_event_uid()[&uid(id)], 1);
    }
}

#[tokio::test]
async fn what_mixpanel_did_not_answer_is_sent_again_and_is_there_once() {
    let ground = Ground::impatient(|config, services| {
        mixpanel(config, services);
        answers_within(config, LIMIT);
    })
    .await;
    for (at, how) in breaks(&[Point::BeforeAnswer, Point::MidHead, Point::AfterHead, Point::MidBody]) {
        ground.clear().await;
        ground.events(3).await;
        ground.faults([Rule::new(Service::Mixpanel, Fault::Break { at, how }).times(1).after_storing()]);
        assert_eq!(ground.run().await["state"], "FAILED", "{at:?} {how:?}");
        let is_read = matches!(at, Point::AfterHead | Point::MidBody);
        let put_off = if is_read {
            Record::of("retry", 1).because("unreadable").answered(200)
        } else {
            Record::of("retry", 1).because("ambiguous").unanswered(1)
        };
        assert_eq!(ground.records("mixpanel").await, vec![put_off; 3], "{at:?} {how:?}");
        assert_eq!(ground.unsynced().await, 3);
        ground.advance(TimeDelta::seconds(8));
        assert_eq!(ground.run().await["state"], "SUCCESS", "{at:?} {how:?}");
        let delivered = Record::of("delivered", 2).unanswered(i32::from(!is_read));
        assert_eq!(ground.records("mixpanel").await, vec![delivered; 3], "{at:?} {how:?}");
        assert_eq!((ground.services.mixpanel_raw().len(), ground.services.mixpanel_deduped().len()), (6, 3));
    }
}
