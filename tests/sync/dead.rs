//! Listing and requeuing dead deliveries, and retrying the last batch.

use chrono::TimeDelta;
use serde_json::{Value, json};
use stand_ins::Service;
use stand_ins::fault::{Answer, BreakMode, Fault, Point, Rule};

use super::actions::{driver_stats, uid};
use super::configs::{both, ga4_in_order, mixpanel};
use super::delivery_record::DeliveryRecord;
use super::fixture::SyncFixture;

fn refusal(service: Service) -> Rule {
    Rule::new(service, Fault::Answer(Answer::json(400, json!({"error": "no such thing"}))))
}

fn no_response() -> Rule {
    Rule::new(Service::Ga4, Fault::Break { at: Point::BeforeAnswer, how: BreakMode::Reset })
}

#[tokio::test]
async fn a_requeued_event_is_sent_to_that_driver_only() {
    let fixture = SyncFixture::without_waits(both).await;
    let ids = fixture.insert_events(4).await;
    fixture.faults([refusal(Service::Ga4).events([uid(ids[1]), uid(ids[2])])]);
    fixture.run().await;
    assert_eq!(
        (fixture.states("ga4").await, fixture.unsynced().await),
        (json!({"dead": 2, "delivered": 2}), 0)
    );
    fixture.faults([]);
    assert_eq!(fixture.requeue("driver: MIXPANEL").await, 0);
    assert_eq!(fixture.requeue(&format!("driver: GA4, eventIds: [\"{}\", \"{}\"]", ids[0], ids[1])).await, 1);
    assert_eq!(fixture.unsynced().await, 1, "the requeued event is pending");
    assert_eq!(fixture.records("ga4").await[1], DeliveryRecord::unsent());
    let run = fixture.run().await;
    assert_eq!((&run["state"], &run["processed"]), (&json!("SUCCESS"), &json!(1)));
    assert_eq!(fixture.requeue("driver: GA4").await, 1);
    fixture.run().await;
    assert_eq!((fixture.states("ga4").await, fixture.unsynced().await), (json!({"delivered": 4}), 0));
    assert!(fixture.services.ga4_copies_by_event_uid().values().all(|copies| *copies == 1));
    assert_eq!((fixture.requests(Service::Mixpanel), fixture.requeue("driver: GA4").await), (1, json!(0)));
}

#[tokio::test]
async fn events_that_ga4_may_have_are_requeued_only_with_force() {
    let fixture = SyncFixture::without_waits(ga4_in_order).await;
    let id = fixture.insert_events(1).await[0];
    fixture.faults([no_response().after_storing()]);
    fixture.run().await;
    fixture.advance(TimeDelta::seconds(8));
    fixture.run().await;
    fixture.faults([]);
    assert_eq!(fixture.requeue("driver: GA4").await, 0);
    assert_eq!(fixture.requeue("driver: GA4, force: false").await, 0);
    assert_eq!((fixture.unsynced().await, fixture.requests(Service::Ga4)), (0, 2));
    assert_eq!(fixture.requeue("driver: GA4, force: true").await, 1);
    assert_eq!(fixture.record("ga4").await, DeliveryRecord::unsent().maybe_duplicate());
    assert_eq!(fixture.run().await["state"], "SUCCESS");
    assert_eq!(fixture.record("ga4").await, DeliveryRecord::delivered().maybe_duplicate());
    let copies = fixture.services.stored_ga4();
    assert_eq!((copies.len(), &copies[2].params["maybe_duplicate"]), (3, &json!(1)));
    assert_eq!(copies[2].event_uid, Some(uid(id)));
}

#[tokio::test]
async fn events_that_mixpanel_may_have_are_requeued_without_force() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    let ids = fixture.insert_events(4).await;
    // Events that Mixpanel stored although it reported a failure.
    let refused = ids[..3].iter().copied().map(uid);
    fixture.faults([refusal(Service::Mixpanel).events(refused).after_storing()]);
    fixture.run().await;
    assert_eq!(fixture.states("mixpanel").await, json!({"dead": 3, "delivered": 1}));
    fixture.faults([]);
    assert_eq!(fixture.requeue("driver: MIXPANEL").await, 3);
    fixture.run().await;
    assert_eq!((fixture.states("mixpanel").await, fixture.unsynced().await), (json!({"delivered": 4}), 0));
    assert_eq!(fixture.services.mixpanel_deduped().len(), 4);
}

#[tokio::test]
async fn retrying_the_last_batch_sends_only_its_pending_events() {
    let fixture = SyncFixture::without_waits(both).await;
    let ids = fixture.insert_events(10).await;
    let pending = [uid(ids[3]), uid(ids[4]), uid(ids[8])];
    fixture.faults([
        Rule::new(Service::Ga4, Fault::Answer(Answer::upstream_unavailable())).events(pending.clone())
    ]);
    assert_eq!(fixture.run().await["processed"], 7);
    fixture.faults([]);
    let new = fixture.insert_events(2).await;
    // A manual retry does not wait until the events are due.
    let run = fixture.retry_last_batch().await;
    let ga4 = json!({"driver": "GA4", "attempted": 3, "delivered": 3, "retrying": 0, "dead": 0, "expired": 0, "requests": 3});
    assert_eq!(
        (&run["state"], &run["processed"], driver_stats(&run, "GA4")),
        (&json!("SUCCESS"), &json!(3), &ga4)
    );
    assert_eq!(fixture.requests(Service::Mixpanel), 1, "Mixpanel already had the whole batch");
    let copies = fixture.services.ga4_copies_by_event_uid();
    assert_eq!((copies.len(), copies.values().max()), (10, Some(&1)));
    assert!(new.iter().all(|id| !copies.contains_key(&uid(*id))));
    assert_eq!(fixture.unsynced().await, 2);
    let again = fixture.retry_last_batch().await;
    assert_eq!(
        (&again["state"], &again["message"]),
        (&json!("SKIPPED"), &json!("No queda nada por reintentar del último lote."))
    );
}

async fn dead_deliveries(fixture: &SyncFixture, arguments: &str) -> Value {
    let query = format!(
        "{{ deadDeliveries({arguments}) {{ totalCount pageInfo {{ hasNextPage endCursor }} \
           nodes {{ eventId driver reason attempts maybeDuplicate lastAttemptAt }} }} }}"
    );
    fixture.hub.graphql(&query).by(&fixture.new_admin_token().await).data().await["deadDeliveries"].take()
}

#[tokio::test]
async fn dead_deliveries_are_listed_with_their_reasons_page_by_page() {
    let fixture = SyncFixture::without_waits(both).await;
    let old = fixture.insert_events_from(TimeDelta::hours(80), 1).await[0];
    let ids = fixture.insert_events(4).await;
    let failed_record =
        Fault::FailRecords { field: "properties.time".to_owned(), message: "is invalid".to_owned() };
    fixture.faults([
        refusal(Service::Ga4).events([uid(ids[0])]),
        Rule::new(Service::Ga4, Fault::Answer(Answer::empty(413))).events([uid(ids[1])]),
        Rule::new(Service::Mixpanel, failed_record).events([uid(ids[0]), uid(ids[3])]),
    ]);
    fixture.run().await;
    let nodes = |page: &Value| {
        let nodes = page["nodes"].as_array().unwrap().clone();
        let node = |node: &Value| {
            let text = |key| node[key].as_str().unwrap().to_owned();
            (text("eventId"), text("driver"), text("reason"))
        };
        nodes.iter().map(node).collect::<Vec<_>>()
    };
    let expected =
        |id: i64, driver: &str, reason: &str| (id.to_string(), driver.to_owned(), reason.to_owned());
    let all = [
        expected(ids[3], "MIXPANEL", "refused: 400 properties.time is invalid"),
        expected(ids[1], "GA4", "too_large: 413"),
        expected(ids[0], "MIXPANEL", "refused: 400 properties.time is invalid"),
        expected(ids[0], "GA4", "refused: 400 {\"error\":\"no such thing\"}"),
        expected(old, "GA4", "too_old"),
    ];
    let mut after = String::new();
    let mut found = Vec::new();
    for page_number in 0..3 {
        let page = dead_deliveries(&fixture, &format!("first: 2 {after}")).await;
        assert_eq!(
            (&page["totalCount"], &page["pageInfo"]["hasNextPage"]),
            (&json!(5), &json!(page_number < 2))
        );
        found.extend(nodes(&page));
        after = format!("after: {}", page["pageInfo"]["endCursor"]);
    }
    assert_eq!(found, all);
    let of_mixpanel = dead_deliveries(&fixture, "driver: MIXPANEL").await;
    assert_eq!((&of_mixpanel["totalCount"], nodes(&of_mixpanel).len()), (&json!(2), 2));
    let never_sent = &dead_deliveries(&fixture, "driver: GA4").await["nodes"][2];
    assert_eq!((&never_sent["attempts"], &never_sent["lastAttemptAt"]), (&json!(0), &json!(null)));
    let invalid_cursor =
        fixture.hub.graphql("{ deadDeliveries(after: \"x\") { totalCount } }").by(&fixture.admin_token);
    assert_eq!(invalid_cursor.code().await, "BAD_USER_INPUT");
}
