//! How responses of Mixpanel's `/import` are interpreted.

use std::collections::HashSet;

use serde_json::json;
use stand_ins::fault::{Answer, Fault, ImportLie, Rule};
use stand_ins::{IMPORT, Service};

use super::actions::{driver_stats, uid};
use super::configs::mixpanel;
use super::delivery_record::DeliveryRecord;
use super::fixture::SyncFixture;

fn answers(answer: Answer) -> Rule {
    Rule::new(Service::Mixpanel, Fault::Answer(answer)).route(IMPORT)
}

fn refused() -> DeliveryRecord {
    DeliveryRecord::new("dead", 1).error_class("refused").http_status(400)
}

/// Whether every request contained a different set of events.
fn all_requests_differ(fixture: &SyncFixture) -> bool {
    let mut seen = HashSet::new();
    fixture.services.requests(Service::Mixpanel).iter().all(|request| {
        let uids: Vec<String> = request.event_uids().into_iter().map(str::to_owned).collect();
        seen.insert(uids)
    })
}

#[tokio::test]
async fn failed_records_are_dead_and_the_others_are_delivered() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    let ids = fixture.insert_events(10).await;
    let fault = Fault::FailRecords { field: "properties.time".to_owned(), message: "is invalid".to_owned() };
    fixture.faults([Rule::new(Service::Mixpanel, fault).route(IMPORT).events([uid(ids[2]), uid(ids[7])])]);
    let run = fixture.run().await;
    assert_eq!((&run["state"], &driver_stats(&run, "MIXPANEL")["requests"]), (&json!("PARTIAL"), &json!(1)));
    let records = fixture.records("mixpanel").await;
    for (index, record) in records.into_iter().enumerate() {
        assert_eq!(
            record,
            if [2, 7].contains(&index) { refused() } else { DeliveryRecord::delivered() },
            "{index}"
        );
    }
    let errors = fixture
        .hub
        .rows("SELECT DISTINCT error_code, error_message FROM telemetry_deliveries WHERE state = 'dead'")
        .await;
    assert_eq!(errors, json!([{"error_code": "properties.time", "error_message": "is invalid"}]));
    assert_eq!((fixture.services.mixpanel_raw().len(), fixture.unsynced().await), (8, 0));
    fixture.faults([]);
    assert_eq!(fixture.run().await["state"], "SKIPPED");
    assert_eq!(fixture.requests(Service::Mixpanel), 1, "refused events are not sent again");
}

/// Inconsistent responses that leave open which events were stored.
const AMBIGUOUS_RESPONSES: [ImportLie; 7] = [
    ImportLie::EmptyList,
    ImportLie::NoList,
    ImportLie::WrongCount,
    ImportLie::IndexOutOfRange,
    ImportLie::DuplicateIndex,
    ImportLie::TruncatedJson,
    ImportLie::FewerImported,
];

fn lie(lie: ImportLie) -> Rule {
    Rule::new(Service::Mixpanel, Fault::ImportLie(lie)).route(IMPORT)
}

#[tokio::test]
async fn an_inconsistent_response_is_retried_in_halves() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    for response in AMBIGUOUS_RESPONSES {
        fixture.clear().await;
        fixture.insert_events(8).await;
        // Once before and once after the events were stored.
        for rule in [lie(response).times(1), lie(response).times(1).after_storing()] {
            fixture
                .hub
                .sql("DELETE FROM telemetry_deliveries; UPDATE video_player_events SET synced_at = NULL")
                .await;
            let before = fixture.requests(Service::Mixpanel);
            fixture.faults([rule]);
            assert_eq!(fixture.run().await["state"], "SUCCESS", "{response:?}");
            assert_eq!(fixture.requests(Service::Mixpanel) - before, 3, "{response:?}");
            assert_eq!(
                fixture.records("mixpanel").await,
                vec![DeliveryRecord::delivered(); 8],
                "{response:?}"
            );
            assert_eq!(fixture.services.mixpanel_deduped().len(), 8, "{response:?}");
        }
    }
}

#[tokio::test]
async fn always_inconsistent_responses_never_count_as_delivered() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    for response in AMBIGUOUS_RESPONSES {
        fixture.clear().await;
        fixture.insert_events(8).await;
        fixture.faults([lie(response)]);
        let run = fixture.run().await;
        assert_eq!(
            (&run["state"], &driver_stats(&run, "MIXPANEL")["retrying"]),
            (&json!("FAILED"), &json!(8)),
            "{response:?}"
        );
        let status = if response == ImportLie::FewerImported { 200 } else { 400 };
        // With so few refusals, the service may be at fault, so the events are retried.
        let awaiting_retry = DeliveryRecord::new("retry", 1).error_class("refused").http_status(status);
        assert_eq!(fixture.records("mixpanel").await, vec![awaiting_retry; 8], "{response:?}");
        assert_eq!(fixture.requests(Service::Mixpanel), 15, "{response:?}");
        assert!(all_requests_differ(&fixture), "{response:?}");
        fixture.faults([]);
        fixture.advance(chrono::TimeDelta::seconds(8));
        assert_eq!(fixture.run().await["state"], "SUCCESS", "{response:?}");
        assert_eq!(
            (fixture.services.mixpanel_deduped().len(), fixture.unsynced().await),
            (8, 0),
            "{response:?}"
        );
    }
}

#[tokio::test]
async fn a_consistent_list_is_accepted_with_either_id_key() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    fixture.insert_events(3).await;
    fixture.faults([lie(ImportLie::OtherKey)]);
    fixture.run().await;
    assert_eq!(
        fixture.records("mixpanel").await,
        [refused(), DeliveryRecord::delivered(), DeliveryRecord::delivered()]
    );
    fixture.insert_events(3).await;
    fixture.faults([lie(ImportLie::AllFailed)]);
    let run = fixture.run().await;
    assert_eq!(
        (&driver_stats(&run, "MIXPANEL")["retrying"], &driver_stats(&run, "MIXPANEL")["requests"]),
        (&json!(3), &json!(1))
    );
}

#[tokio::test]
async fn exactly_the_bad_events_are_dead() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    let ids = fixture.insert_events(100).await;
    let bad = [ids[0], ids[41], ids[99]];
    fixture.faults([answers(Answer::json(400, json!({"error": "bad request"}))).events(bad.map(uid))]);
    let run = fixture.run().await;
    assert_eq!(
        (&driver_stats(&run, "MIXPANEL")["delivered"], &driver_stats(&run, "MIXPANEL")["dead"]),
        (&json!(97), &json!(3))
    );
    let records = fixture.records("mixpanel").await;
    for (id, record) in ids.iter().zip(records) {
        assert_eq!(record, if bad.contains(id) { refused() } else { DeliveryRecord::delivered() }, "{id}");
    }
    let stored = fixture.services.mixpanel_deduped_by_event_uid();
    assert_eq!((stored.len(), fixture.services.mixpanel_raw().len()), (97, 97));
    assert!(bad.iter().all(|id| !stored.contains_key(&uid(*id))));
    // Each bad event costs two requests per level, and there are seven levels.
    assert!(fixture.requests(Service::Mixpanel) <= 1 + 3 * 2 * 7, "{}", fixture.requests(Service::Mixpanel));
    assert!(all_requests_differ(&fixture));
}

#[tokio::test]
async fn an_unreadable_success_response_is_retried() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    for answer in [
        Answer::empty(200),
        Answer::html(200),
        Answer::plain(200, "1"),
        Answer::json(200, json!({"status": "OK"})),
        Answer::plain(200, &"x".repeat(5 << 20)),
        Answer::empty(204),
    ] {
        fixture.clear().await;
        fixture.insert_events(3).await;
        let status = answer.status;
        fixture.faults([answers(answer.clone())]);
        fixture.run().await;
        let unreadable = DeliveryRecord::new("retry", 1).error_class("unreadable").http_status(status);
        assert_eq!(fixture.records("mixpanel").await, vec![unreadable; 3], "{status}");
        assert_eq!((fixture.requests(Service::Mixpanel), fixture.unsynced().await), (1, 3));
        fixture.faults([]);
        fixture.advance(chrono::TimeDelta::seconds(8));
        assert_eq!(fixture.run().await["state"], "SUCCESS");
        assert_eq!((fixture.services.mixpanel_raw().len(), fixture.unsynced().await), (3, 0));
    }
}

#[tokio::test]
async fn a_response_that_reports_too_many_imports_is_retried() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    fixture.insert_events(1).await;
    fixture.faults([answers(Answer::json(
        200,
        json!({"code": 200, "num_records_imported": 2, "status": "OK"}),
    ))]);
    fixture.run().await;
    assert_eq!(
        fixture.record("mixpanel").await,
        DeliveryRecord::new("retry", 1).error_class("refused").http_status(200)
    );
}

#[tokio::test]
async fn transient_failures_are_retried_without_a_duplicate_mark() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    for (answer, class) in [
        (Answer::empty(408), "down"),
        (Answer::too_many_requests(), "throttled"),
        (Answer::html(500), "down"),
        (Answer::html(502), "down"),
        (Answer::upstream_unavailable(), "down"),
        (Answer::json(504, json!({"error": "time-out"})), "down"),
    ] {
        fixture.clear().await;
        fixture.insert_events(3).await;
        let status = answer.status;
        fixture.faults([answers(answer).times(1).after_storing()]);
        assert_eq!(fixture.run().await["state"], "FAILED", "{status}");
        let awaiting_retry = DeliveryRecord::new("retry", 1).error_class(class).http_status(status);
        assert_eq!(fixture.records("mixpanel").await, vec![awaiting_retry; 3]);
        fixture.run().await;
        assert_eq!((fixture.requests(Service::Mixpanel), fixture.unsynced().await), (1, 3), "{status}");
        fixture.advance(chrono::TimeDelta::seconds(8));
        assert_eq!(fixture.run().await["state"], "SUCCESS", "{status}");
        assert_eq!(fixture.records("mixpanel").await, vec![DeliveryRecord::new("delivered", 2); 3]);
        assert_eq!((fixture.services.mixpanel_deduped().len(), fixture.unsynced().await), (3, 0), "{status}");
    }
}
