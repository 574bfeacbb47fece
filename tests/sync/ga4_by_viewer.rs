//! GA4 with one client id per viewer and up to 25 events per request.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use stand_ins::Service;
use stand_ins::fault::{Answer, BreakMode, Fault, Point, Rule};

use super::actions::{driver_stats, uid};
use super::configs::{ga4_by_viewer, response_timeout};
use super::delivery_record::DeliveryRecord;
use super::fixture::SyncFixture;

fn sizes(fixture: &SyncFixture) -> Vec<usize> {
    fixture.services.requests(Service::Ga4).iter().map(|request| request.events.len()).collect()
}

#[tokio::test]
async fn events_of_a_viewer_are_sent_in_order_in_batches_of_25() {
    let fixture = SyncFixture::without_waits(ga4_by_viewer).await;
    let ids = fixture.insert_events(60).await;
    assert_eq!(fixture.run().await["state"], "SUCCESS");
    assert_eq!(sizes(&fixture), [25, 25, 10]);
    let stored = fixture.services.stored_ga4();
    let uids: Vec<_> = stored.iter().filter_map(|event| event.event_uid.clone()).collect();
    assert_eq!(uids, ids.iter().map(|id| uid(*id)).collect::<Vec<_>>());
    assert!(stored.iter().all(|event| event.client_id == stored[0].client_id && event.flags.is_empty()));
    assert_eq!(fixture.unsynced().await, 0);
}

#[tokio::test]
async fn a_refused_batch_is_split_until_the_bad_event_is_found() {
    for (status, class) in [(400, "refused"), (413, "too_large")] {
        let fixture = SyncFixture::without_waits(ga4_by_viewer).await;
        let ids = fixture.insert_events(25).await;
        let rule = Rule::new(Service::Ga4, Fault::Answer(Answer::html(status)));
        fixture.faults([rule.events([uid(ids[0]), uid(ids[17])])]);
        let run = fixture.run().await;
        assert_eq!(
            (&driver_stats(&run, "GA4")["delivered"], &driver_stats(&run, "GA4")["dead"]),
            (&json!(23), &json!(2))
        );
        let mut records = vec![DeliveryRecord::delivered(); 25];
        for index in [0, 17] {
            records[index] = DeliveryRecord::new("dead", 1).error_class(class).http_status(status);
        }
        assert_eq!(fixture.records("ga4").await, records, "{status}");
        assert_eq!(fixture.services.stored_ga4().len(), 23, "the other events are stored once");
        assert!(fixture.requests(Service::Ga4) <= 1 + 2 * 2 * 5, "{}", fixture.requests(Service::Ga4));
        assert_eq!(fixture.unsynced().await, 0);
    }
}

#[tokio::test]
async fn a_batch_without_a_response_is_retried_one_event_at_a_time() {
    let fixture = SyncFixture::without_waits(|config, services| {
        ga4_by_viewer(config, services);
        response_timeout(config, Duration::from_millis(300));
    })
    .await;
    let ids = fixture.insert_events(4).await;
    let silent = Rule::new(Service::Ga4, Fault::Break { at: Point::BeforeAnswer, how: BreakMode::Hang });
    fixture.faults([silent.clone().times(1)]);
    fixture.run().await;
    let maybe_delivered =
        DeliveryRecord::new("retry", 1).error_class("ambiguous").unanswered(1).maybe_duplicate();
    assert_eq!(fixture.records("ga4").await, vec![maybe_delivered; 4]);
    // One of the events gets no response again.
    fixture.faults([silent.events([uid(ids[2])])]);
    fixture.advance(TimeDelta::seconds(8));
    fixture.run().await;
    assert_eq!(sizes(&fixture), [4, 1, 1, 1, 1]);
    let mut records = vec![DeliveryRecord::new("delivered", 2).unanswered(1).maybe_duplicate(); 4];
    records[2] = DeliveryRecord::new("dead", 2).error_class("ambiguous").unanswered(2).maybe_duplicate();
    assert_eq!(fixture.records("ga4").await, records);
    let stored = fixture.services.stored_ga4();
    assert!(stored.iter().all(|event| event.params["maybe_duplicate"] == 1));
    assert_eq!((stored.len(), fixture.unsynced().await), (3, 0));
}
