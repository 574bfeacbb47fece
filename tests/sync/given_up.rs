//! What was given up is listed, and can be put back; and what the last batch still owes can be sent again.

use chrono::TimeDelta;
use serde_json::{Value, json};
use stand_ins::Service;
use stand_ins::fault::{Answer, Fault, How, Point, Rule};

use super::ground::Ground;
use super::record::Record;
use super::settings::{both, ga4_in_order, mixpanel};
use super::steps::{share, uid};

fn refusal(service: Service) -> Rule {
    Rule::new(service, Fault::Answer(Answer::json(400, json!({"error": "no such thing"}))))
}

fn silence() -> Rule {
    Rule::new(Service::Ga4, Fault::Break { at: Point::BeforeAnswer, how: How::Reset })
}

#[tokio::test]
async fn what_was_given_up_is_owed_again_when_it_is_put_back_and_goes_to_that_driver_alone() {
    let ground = Ground::impatient(both).await;
    let ids = ground.events(4).await;
    ground.faults([refusal(Service::Ga4).events([uid(ids[1]), uid(ids[2])])]);
    ground.run().await;
    assert_eq!(
        (ground.states("ga4").await, ground.unsynced().await),
        (json!({"dead": 2, "delivered": 2}), 0)
    );
    ground.faults([]);
    assert_eq!(ground.requeue("driver: MIXPANEL").await, 0);
    assert_eq!(ground.requeue(&format!("driver: GA4, eventIds: [\"{}\", \"{}\"]", ids[0], ids[1])).await, 1);
    assert_eq!(ground.unsynced().await, 1, "it is pending again");
    assert_eq!(ground.records("ga4").await[1], Record::untouched());
    let run = ground.run().await;
    assert_eq!((&run["state"], &run["processed"]), (&json!("SUCCESS"), &json!(1)));
    assert_eq!(ground.requeue("driver: GA4").await, 1);
    ground.run().await;
    assert_eq!((ground.states("ga4").await, ground.unsynced().await), (json!({"delivered": 4}), 0));
    assert!(ground.services.ga4_copies_by_event_uid().values().all(|copies| *copies == 1));
    assert_eq!((ground.requests(Service::Mixpanel), ground.requeue("driver: GA4").await), (1, json!(0)));
}

#[tokio::test]
async fn what_may_be_at_ga4_already_is_put_back_only_by_force() {
    let ground = Ground::impatient(ga4_in_order).await;
    let id = ground.events(1).await[0];
    ground.faults([silence().after_storing()]);
    ground.run().await;
    ground.advance(TimeDelta::seconds(8));
    ground.run().await;
    ground.faults([]);
    assert_eq!(ground.requeue("driver: GA4").await, 0);
    assert_eq!(ground.requeue("driver: GA4, force: false").await, 0);
    assert_eq!((ground.unsynced().await, ground.requests(Service::Ga4)), (0, 2));
    assert_eq!(ground.requeue("driver: GA4, force: true").await, 1);
    assert_eq!(ground.record("ga4").await, Record::untouched().doubtful());
    assert_eq!(ground.run().await["state"], "SUCCESS");
    assert_eq!(ground.record("ga4").await, Record::delivered().doubtful());
    let copies = ground.services.stored_ga4();
    assert_eq!((copies.len(), &copies[2].params["maybe_duplicate"]), (3, &json!(1)));
    assert_eq!(copies[2].event_uid, Some(uid(id)));
}

#[tokio::test]
async fn mixpanel_knows_repetitions_so_that_all_of_it_is_put_back() {
    let ground = Ground::impatient(mixpanel).await;
    let ids = ground.events(4).await;
    // What was kept and called a failure.
    let refused = ids[..3].iter().copied().map(uid);
    ground.faults([refusal(Service::Mixpanel).events(refused).after_storing()]);
    ground.run().await;
    assert_eq!(ground.states("mixpanel").await, json!({"dead": 3, "delivered": 1}));
    ground.faults([]);
    assert_eq!(ground.requeue("driver: MIXPANEL").await, 3);
    ground.run().await;
    assert_eq!((ground.states("mixpanel").await, ground.unsynced().await), (json!({"delivered": 4}), 0));
    assert_eq!(ground.services.mixpanel_deduped().len(), 4);
}

#[tokio::test]
async fn the_last_batch_is_retried_for_what_it_owes_and_nothing_else() {
    let ground = Ground::impatient(both).await;
    let ids = ground.events(10).await;
    let owed = [uid(ids[3]), uid(ids[4]), uid(ids[8])];
    ground.faults([
        Rule::new(Service::Ga4, Fault::Answer(Answer::upstream_unavailable())).events(owed.clone())
    ]);
    assert_eq!(ground.run().await["processed"], 7);
    ground.faults([]);
    let new = ground.events(2).await;
    // It need not be due yet: somebody wants it now.
    let run = ground.retry_last_batch().await;
    let ga4 = json!({"driver": "GA4", "attempted": 3, "delivered": 3, "retrying": 0, "dead": 0, "expired": 0, "requests": 3});
    assert_eq!((&run["state"], &run["processed"], share(&run, "GA4")), (&json!("SUCCESS"), &json!(3), &ga4));
    assert_eq!(ground.requests(Service::Mixpanel), 1, "it had all of the batch");
    let copies = ground.services.ga4_copies_by_event_uid();
    assert_eq!((copies.len(), copies.values().max()), (10, Some(&1)));
    assert!(new.iter().all(|id| !copies.contains_key(&uid(*id))));
    assert_eq!(ground.unsynced().await, 2);
    let again = ground.retry_last_batch().await;
    assert_eq!(
        (&again["state"], &again["message"]),
        (&json!("SKIPPED"), &json!("No queda nada por reintentar del último lote."))
    );
}

async fn dead(ground: &Ground, arguments: &str) -> Value {
    let query = format!(
        "{{ deadDeliveries({arguments}) {{ totalCount pageInfo {{ hasNextPage endCursor }} \
           nodes {{ eventId driver reason attempts maybeDuplicate lastAttemptAt }} }} }}"
    );
    ground.hub.graphql(&query).by(&ground.token().await).data().await["deadDeliveries"].take()
}

#[tokio::test]
async fn what_was_given_up_is_listed_with_its_reason_page_by_page() {
    let ground = Ground::impatient(both).await;
    let old = ground.events_from(TimeDelta::hours(80), 1).await[0];
    let ids = ground.events(4).await;
    let complaint =
        Fault::FailRecords { field: "properties.time".to_owned(), message: "is invalid".to_owned() };
    ground.faults([
        refusal(Service::Ga4).events([uid(ids[0])]),
        Rule::new(Service::Ga4, Fault::Answer(Answer::empty(413))).events([uid(ids[1])]),
        Rule::new(Service::Mixpanel, complaint).events([uid(ids[0]), uid(ids[3])]),
    ]);
    ground.run().await;
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
    for place in 0..3 {
        let page = dead(&ground, &format!("first: 2 {after}")).await;
        assert_eq!((&page["totalCount"], &page["pageInfo"]["hasNextPage"]), (&json!(5), &json!(place < 2)));
        found.extend(nodes(&page));
        after = format!("after: {}", page["pageInfo"]["endCursor"]);
    }
    assert_eq!(found, all);
    let of_mixpanel = dead(&ground, "driver: MIXPANEL").await;
    assert_eq!((&of_mixpanel["totalCount"], nodes(&of_mixpanel).len()), (&json!(2), 2));
    let never_sent = &dead(&ground, "driver: GA4").await["nodes"][2];
    assert_eq!((&never_sent["attempts"], &never_sent["lastAttemptAt"]), (&json!(0), &json!(null)));
    let wrong = ground.hub.graphql("{ deadDeliveries(after: \"x\") { totalCount } }").by(&ground.admin);
    assert_eq!(wrong.code().await, "BAD_USER_INPUT");
}
