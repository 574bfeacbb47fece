//! GA4 where all events of a viewer come from one client, up to 25 of them in a request.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use stand_ins::Service;
use stand_ins::fault::{Answer, Fault, How, Point, Rule};

use super::ground::Ground;
use super::record::Record;
use super::settings::{answers_within, ga4_by_viewer};
use super::steps::{share, uid};

fn sizes(ground: &Ground) -> Vec<usize> {
    ground.services.requests(Service::Ga4).iter().map(|request| request.events.len()).collect()
}

#[tokio::test]
async fn a_viewers_events_go_out_by_25_in_order() {
    let ground = Ground::impatient(ga4_by_viewer).await;
    let ids = ground.events(60).await;
    assert_eq!(ground.run().await["state"], "SUCCESS");
    assert_eq!(sizes(&ground), [25, 25, 10]);
    let stored = ground.services.stored_ga4();
    let uids: Vec<_> = stored.iter().filter_map(|event| event.event_uid.clone()).collect();
    assert_eq!(uids, ids.iter().map(|id| uid(*id)).collect::<Vec<_>>());
    assert!(stored.iter().all(|event| event.client_id == stored[0].client_id && event.flags.is_empty()));
    assert_eq!(ground.unsynced().await, 0);
}

#[tokio::test]
async fn a_refusal_of_a_group_is_narrowed_down_to_the_event_that_is_to_blame() {
    for (status, class) in [(400, "refused"), (413, "too_large")] {
        let ground = Ground::impatient(ga4_by_viewer).await;
        let ids = ground.events(25).await;
        let rule = Rule::new(Service::Ga4, Fault::Answer(Answer::html(status)));
        ground.faults([rule.events([uid(ids[0]), uid(ids[17])])]);
        let run = ground.run().await;
        assert_eq!((&share(&run, "GA4")["delivered"], &share(&run, "GA4")["dead"]), (&json!(23), &json!(2)));
        let mut records = vec![Record::delivered(); 25];
        for place in [0, 17] {
            records[place] = Record::of("dead", 1).because(class).answered(status);
        }
        assert_eq!(ground.records("ga4").await, records, "{status}");
        assert_eq!(ground.services.stored_ga4().len(), 23, "each of the others is there once");
        assert!(ground.requests(Service::Ga4) <= 1 + 2 * 2 * 5, "{}", ground.requests(Service::Ga4));
        assert_eq!(ground.unsynced().await, 0);
    }
}

#[tokio::test]
async fn a_group_without_an_answer_is_repeated_one_by_one() {
    let ground = Ground::impatient(|config, services| {
        ga4_by_viewer(config, services);
        answers_within(config, Duration::from_millis(300));
    })
    .await;
    let ids = ground.events(4).await;
    let silent = Rule::new(Service::Ga4, Fault::Break { at: Point::BeforeAnswer, how: How::Hang });
    ground.faults([silent.clone().times(1)]);
    ground.run().await;
    let doubtful = Record::of("retry", 1).because("ambiguous").unanswered(1).doubtful();
    assert_eq!(ground.records("ga4").await, vec![doubtful; 4]);
    // One of them is not answered again.
    ground.faults([silent.events([uid(ids[2])])]);
    ground.advance(TimeDelta::seconds(8));
    ground.run().await;
    assert_eq!(sizes(&ground), [4, 1, 1, 1, 1]);
    let mut records = vec![Record::of("delivered", 2).unanswered(1).doubtful(); 4];
    records[2] = Record::of("dead", 2).because("ambiguous").unanswered(2).doubtful();
    assert_eq!(ground.records("ga4").await, records);
    let stored = ground.services.stored_ga4();
    assert!(stored.iter().all(|event| event.params["maybe_duplicate"] == 1));
    assert_eq!((stored.len(), ground.unsynced().await), (3, 0));
}
