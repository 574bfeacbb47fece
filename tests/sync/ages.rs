//! What is too old for a service is not sent to it.

use chrono::{DateTime, TimeDelta};
use serde_json::json;
use stand_ins::fault::{Answer, Fault, Rule};
use stand_ins::{IMPORT, Service, TRACK};

use backend::config::telemetry::Endpoint;

use super::ground::Ground;
use super::record::Record;
use super::settings::{both, ga4, mixpanel, mixpanel_by_token};
use super::steps::{share, uid};

fn expired() -> Record {
    Record::of("expired", 0).because("too_old")
}

#[tokio::test]
async fn ga4_gets_nothing_that_is_older_than_71_hours_and_a_half() {
    let ground = Ground::impatient(both).await;
    let limit = TimeDelta::minutes(71 * 60 + 30);
    let old = ground.events_from(limit + TimeDelta::seconds(1), 1).await[0];
    let young = ground.events_from(limit, 1).await[0];
    let run = ground.run().await;
    assert_eq!((&run["state"], &run["processed"]), (&json!("PARTIAL"), &json!(2)));
    assert_eq!((&share(&run, "GA4")["expired"], &share(&run, "GA4")["attempted"]), (&json!(1), &json!(1)));
    assert_eq!(ground.records("ga4").await, [expired(), Record::delivered()]);
    let stored = ground.services.stored_ga4();
    assert_eq!((stored.len(), &stored[0].event_uid, &stored[0].flags), (1, &Some(uid(young)), &vec![]));
    assert!(ground.services.requests_with(Service::Ga4, &uid(old)).is_empty());
    // The other service takes both, by the time at which they happened.
    assert_eq!(ground.records("mixpanel").await, vec![Record::delivered(); 2]);
    assert_eq!(ground.unsynced().await, 0);
    assert_eq!(ground.run().await["state"], "SKIPPED");
}

#[tokio::test]
async fn what_grows_too_old_while_it_is_tried_again_is_not_sent_any_more() {
    let ground = Ground::impatient(ga4).await;
    ground.events_from(TimeDelta::hours(71), 1).await;
    ground.faults([Rule::new(Service::Ga4, Fault::Answer(Answer::html(503)))]);
    ground.run().await;
    ground.faults([]);
    ground.advance(TimeDelta::minutes(31));
    ground.run().await;
    assert_eq!(ground.record("ga4").await, Record::of("expired", 1).because("too_old"));
    assert_eq!((ground.requests(Service::Ga4), ground.unsynced().await), (1, 0));
}

/// An hour short of five days, on the far and on the near side.
async fn on_both_sides_of_tracking(ground: &Ground) -> [i64; 2] {
    let limit = TimeDelta::hours(4 * 24 + 23);
    let old = ground.events_from(limit + TimeDelta::seconds(1), 1).await[0];
    [old, ground.events_from(limit, 1).await[0]]
}

fn routes(ground: &Ground, id: i64) -> Vec<String> {
    let requests = ground.services.requests_with(Service::Mixpanel, &uid(id));
    requests.iter().map(|request| request.route.clone()).collect()
}

#[tokio::test]
async fn what_is_too_old_to_track_is_imported_with_the_token() {
    let ground = Ground::impatient(mixpanel_by_token).await;
    let [old, young] = on_both_sides_of_tracking(&ground).await;
    assert_eq!(ground.run().await["state"], "SUCCESS");
    assert_eq!(
        (routes(&ground, old), routes(&ground, young)),
        (vec![IMPORT.to_owned()], vec![TRACK.to_owned()])
    );
    assert_eq!(ground.records("mixpanel").await, vec![Record::delivered(); 2]);
    assert_eq!(ground.services.mixpanel_deduped().len(), 2);
}

#[tokio::test]
async fn what_is_too_old_to_track_expires_where_the_token_does_not_open_the_import() {
    let ground = Ground::impatient(mixpanel_by_token).await;
    on_both_sides_of_tracking(&ground).await;
    ground.faults([Rule::new(Service::Mixpanel, Fault::Answer(Answer::unauthorized())).route(IMPORT)]);
    let run = ground.run().await;
    let counts = ["delivered", "expired", "dead"].map(|key| share(&run, "MIXPANEL")[key].clone());
    assert_eq!((&run["state"], counts), (&json!("PARTIAL"), [json!(1), json!(1), json!(0)]));
    let states: Vec<_> = ground.records("mixpanel").await.into_iter().map(|record| record.state).collect();
    assert_eq!((states, ground.unsynced().await), (vec!["expired".to_owned(), "delivered".to_owned()], 0));
    ground.faults([]);
    assert_eq!(ground.run().await["state"], "SKIPPED");
    assert_eq!(ground.requests(Service::Mixpanel), 2);
}

#[tokio::test]
async fn what_is_too_old_to_track_is_not_sent_where_nothing_but_tracking_is_wanted() {
    let ground = Ground::impatient(|config, services| {
        mixpanel(config, services);
        config.telemetry.mixpanel.endpoint = Endpoint::Track;
    })
    .await;
    let [old, young] = on_both_sides_of_tracking(&ground).await;
    ground.run().await;
    assert_eq!(
        (routes(&ground, old), routes(&ground, young)),
        (Vec::<String>::new(), vec![TRACK.to_owned()])
    );
    assert_eq!(ground.records("mixpanel").await, [expired(), Record::delivered()]);
    assert_eq!(ground.services.mixpanel_raw().len(), 1);
}

#[tokio::test]
async fn the_import_takes_what_is_years_old_but_nothing_from_before_1971() {
    let ground = Ground::impatient(both).await;
    let since = |second| ground.hub.clock.now() - DateTime::from_timestamp(second, 0).unwrap();
    // The last second of 1970; and 1974, from when on Mixpanel cannot take milliseconds for seconds.
    ground.events_from(since(31_535_999), 1).await;
    ground.events_from(since(126_230_400), 1).await;
    ground.run().await;
    assert_eq!(ground.records("mixpanel").await, [expired(), Record::delivered()]);
    assert_eq!(ground.records("ga4").await, vec![expired(); 2]);
    assert_eq!(ground.services.mixpanel_raw()[0].time_millis, 126_230_400_000);
    assert_eq!((ground.requests(Service::Ga4), ground.requests(Service::Mixpanel)), (0, 1));
}
