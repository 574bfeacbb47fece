//! Responses that leave open whether an event was stored. GA4 does not deduplicate, so each event is sent to
//! it at most twice.

use backend::config::telemetry::Ambiguous;
use chrono::TimeDelta;
use serde_json::json;
use stand_ins::Service;
use stand_ins::fault::{Answer, BreakMode, Fault, Point, RetryAfter, Rule, When};

use super::actions::{driver_stats, uid};
use super::configs::{both, ga4, ga4_in_order};
use super::delivery_record::DeliveryRecord;
use super::fixture::SyncFixture;

/// Statuses that a service may return although it stored the events.
const AMBIGUOUS_STATUSES: [u16; 7] = [408, 500, 502, 504, 507, 520, 524];

fn answer(status: u16) -> Rule {
    Rule::new(Service::Ga4, Fault::Answer(Answer::html(status)))
}

#[tokio::test]
async fn after_two_ambiguous_responses_an_event_is_dead() {
    let fixture = SyncFixture::without_waits(ga4_in_order).await;
    for (round, status) in (1..).zip(AMBIGUOUS_STATUSES) {
        let id = fixture.insert_events(1).await[0];
        fixture.faults([answer(status).after_storing()]);
        assert_eq!(driver_stats(&fixture.run().await, "GA4")["retrying"], 1, "{status}");
        let maybe_delivered = DeliveryRecord::new("retry", 1)
            .error_class("down")
            .http_status(status)
            .unanswered(1)
            .maybe_duplicate();
        assert_eq!(fixture.records_of_event(id).await, [maybe_delivered], "{status}");
        fixture.advance(TimeDelta::seconds(8));
        assert_eq!(driver_stats(&fixture.run().await, "GA4")["dead"], 1, "{status}");
        let dead = DeliveryRecord::new("dead", 2)
            .error_class("ambiguous")
            .http_status(status)
            .unanswered(2)
            .maybe_duplicate();
        assert_eq!(fixture.records_of_event(id).await, [dead], "{status}");
        fixture.advance(TimeDelta::days(1));
        assert_eq!(fixture.run().await["state"], "SKIPPED", "{status}");
        assert_eq!((fixture.requests(Service::Ga4), fixture.unsynced().await), (2 * round, 0), "{status}");
        assert_eq!(fixture.services.ga4_copies_by_event_uid()[&uid(id)], 2, "{status}");
    }
}

#[tokio::test]
async fn a_retry_after_an_ambiguous_response_is_marked_as_maybe_duplicate() {
    let fixture = SyncFixture::without_waits(ga4_in_order).await;
    let id = fixture.insert_events(1).await[0];
    // A `Retry-After` header does not say whether the event was stored.
    let pausing = Answer::html(502).retry_after(RetryAfter::Seconds(5));
    fixture.faults([Rule::new(Service::Ga4, Fault::Answer(pausing)).after_storing().times(1)]);
    fixture.run().await;
    fixture.advance(TimeDelta::seconds(8));
    assert_eq!(fixture.run().await["state"], "SUCCESS");
    let records = fixture.records_of_event(id).await;
    assert_eq!(
        (records[0].state.as_str(), records[0].unanswered, records[0].maybe_duplicate),
        ("delivered", 1, true)
    );
    let copies = fixture.services.stored_ga4();
    assert_eq!((copies.len(), &copies[1].params["maybe_duplicate"]), (2, &json!(1)));
}

#[tokio::test]
async fn assume_delivered_does_not_apply_to_error_responses() {
    let fixture = SyncFixture::without_waits(|config, services| {
        ga4_in_order(config, services);
        config.telemetry.ga4.ambiguous = Ambiguous::AssumeDelivered;
    })
    .await;
    let id = fixture.insert_events(1).await[0];
    fixture.faults([answer(500)]);
    fixture.run().await;
    fixture.advance(TimeDelta::seconds(8));
    fixture.run().await;
    let dead = DeliveryRecord::new("dead", 2)
        .error_class("ambiguous")
        .http_status(500)
        .unanswered(2)
        .maybe_duplicate();
    assert_eq!(fixture.records_of_event(id).await, [dead]);
    assert_eq!(fixture.requests(Service::Ga4), 2);
}

#[tokio::test]
async fn ga4_never_stores_an_event_more_than_twice() {
    for settings in [ga4 as fn(&mut _, &_), both] {
        let fixture = SyncFixture::without_waits(settings).await;
        fixture.insert_events(60).await;
        let chance = When::Chance(0.12);
        let mut rules: Vec<Rule> =
            AMBIGUOUS_STATUSES.into_iter().map(|status| answer(status).after_storing()).collect();
        rules.extend(AMBIGUOUS_STATUSES.map(answer));
        rules.push(answer(503));
        for how in [BreakMode::Reset, BreakMode::Close] {
            rules
                .push(Rule::new(Service::Ga4, Fault::Break { at: Point::BeforeAnswer, how }).after_storing());
        }
        fixture.faults(rules.into_iter().map(|rule| rule.when(chance.clone())));
        for _ in 0..40 {
            if fixture.run().await["state"] == "SKIPPED" && fixture.unsynced().await == 0 {
                break;
            }
            fixture.advance(TimeDelta::minutes(50));
        }
        assert_eq!(fixture.unsynced().await, 0);
        let marked = "SELECT event_id FROM telemetry_deliveries WHERE driver = 'ga4' AND maybe_duplicate";
        let marked = fixture.hub.rows(marked).await;
        let marked: Vec<String> =
            marked.as_array().unwrap().iter().map(|row| uid(row["event_id"].as_i64().unwrap())).collect();
        let copies = fixture.services.ga4_copies_by_event_uid();
        assert!(copies.values().any(|copies| *copies == 2), "the faults caused no duplicate: {copies:?}");
        for (event, copies) in copies {
            assert!(copies <= 2 && (copies == 1 || marked.contains(&event)), "{event}: {copies}");
        }
    }
}
