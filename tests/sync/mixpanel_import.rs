//! What Mixpanel's import answers, and what is believed of it.

use std::collections::HashSet;

use serde_json::json;
use stand_ins::fault::{Answer, Fault, ImportLie, Rule};
use stand_ins::{IMPORT, Service};

use super::ground::Ground;
use super::record::Record;
use super::settings::mixpanel;
use super::steps::{share, uid};

fn answers(answer: Answer) -> Rule {
    Rule::new(Service::Mixpanel, Fault::Answer(answer)).route(IMPORT)
}

fn refused() -> Record {
    Record::of("dead", 1).because("refused").answered(400)
}

/// Every request held other events than any before it.
fn nothing_went_out_unchanged(ground: &Ground) -> bool {
    let mut seen = HashSet::new();
    ground.services.requests(Service::Mixpanel).iter().all(|request| {
        let uids: Vec<String> = request.event_uids().into_iter().map(str::to_owned).collect();
        seen.insert(uids)
    })
}

#[tokio::test]
async fn the_events_that_are_complained_of_are_given_up_and_the_others_are_there() {
    let ground = Ground::impatient(mixpanel).await;
    let ids = ground.events(10).await;
    let fault = Fault::FailRecords { field: "properties.time".to_owned(), message: "is invalid".to_owned() };
    ground.faults([Rule::new(Service::Mixpanel, fault).route(IMPORT).events([uid(ids[2]), uid(ids[7])])]);
    let run = ground.run().await;
    assert_eq!((&run["state"], &share(&run, "MIXPANEL")["requests"]), (&json!("PARTIAL"), &json!(1)));
    let records = ground.records("mixpanel").await;
    for (place, record) in records.into_iter().enumerate() {
        assert_eq!(record, if [2, 7].contains(&place) { refused() } else { Record::delivered() }, "{place}");
    }
    let said = ground
        .hub
        .rows("SELECT DISTINCT error_code, error_message FROM telemetry_deliveries WHERE state = 'dead'")
        .await;
    assert_eq!(said, json!([{"error_code": "properties.time", "error_message": "is invalid"}]));
    assert_eq!((ground.services.mixpanel_raw().len(), ground.unsynced().await), (8, 0));
    ground.faults([]);
    assert_eq!(ground.run().await["state"], "SKIPPED");
    assert_eq!(ground.requests(Service::Mixpanel), 1, "what was refused is not sent again");
}

/// Lies that leave it open what was taken.
const RIDDLES: [ImportLie; 7] = [
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
async fn an_answer_that_does_not_add_up_is_asked_again_by_halves() {
    let ground = Ground::impatient(mixpanel).await;
    for riddle in RIDDLES {
        ground.clear().await;
        ground.events(8).await;
        // Once before and once after the events were kept.
        for rule in [lie(riddle).times(1), lie(riddle).times(1).after_storing()] {
            ground
                .hub
                .sql("DELETE FROM telemetry_deliveries; UPDATE video_player_events SET synced_at = NULL")
                .await;
            let before = ground.requests(Service::Mixpanel);
            ground.faults([rule]);
            assert_eq!(ground.run().await["state"], "SUCCESS", "{riddle:?}");
            assert_eq!(ground.requests(Service::Mixpanel) - before, 3, "{riddle:?}");
            assert_eq!(ground.records("mixpanel").await, vec![Record::delivered(); 8], "{riddle:?}");
            assert_eq!(ground.services.mixpanel_deduped().len(), 8, "{riddle:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_never_adds_up_is_never_taken_for_delivered() {
    let ground = Ground::impatient(mixpanel).await;
    for riddle in RIDDLES {
        ground.clear().await;
        ground.events(8).await;
        ground.faults([lie(riddle)]);
        let run = ground.run().await;
        assert_eq!(
            (&run["state"], &share(&run, "MIXPANEL")["retrying"]),
            (&json!("FAILED"), &json!(8)),
            "{riddle:?}"
        );
        let status = if riddle == ImportLie::FewerImported { 200 } else { 400 };
        // So few events say nothing of the service, and are tried again.
        let put_off = Record::of("retry", 1).because("refused").answered(status);
        assert_eq!(ground.records("mixpanel").await, vec![put_off; 8], "{riddle:?}");
        assert_eq!(ground.requests(Service::Mixpanel), 15, "{riddle:?}");
        assert!(nothing_went_out_unchanged(&ground), "{riddle:?}");
        ground.faults([]);
        ground.advance(chrono::TimeDelta::seconds(8));
        assert_eq!(ground.run().await["state"], "SUCCESS", "{riddle:?}");
        assert_eq!((ground.services.mixpanel_deduped().len(), ground.unsynced().await), (8, 0), "{riddle:?}");
    }
}

#[tokio::test]
async fn a_list_that_adds_up_is_believed_under_either_name_of_its_ids() {
    let ground = Ground::impatient(mixpanel).await;
    ground.events(3).await;
    ground.faults([lie(ImportLie::OtherKey)]);
    ground.run().await;
    assert_eq!(ground.records("mixpanel").await, [refused(), Record::delivered(), Record::delivered()]);
    ground.events(3).await;
    ground.faults([lie(ImportLie::AllFailed)]);
    let run = ground.run().await;
    assert_eq!(
        (&share(&run, "MIXPANEL")["retrying"], &share(&run, "MIXPANEL")["requests"]),
        (&json!(3), &json!(1))
    );
}

#[tokio::test]
async fn exactly_the_poisoned_events_are_given_up() {
    let ground = Ground::impatient(mixpanel).await;
    let ids = ground.events(100).await;
    let poisoned = [ids[0], ids[41], ids[99]];
    ground.faults([answers(Answer::json(400, json!({"error": "bad request"}))).events(poisoned.map(uid))]);
    let run = ground.run().await;
    assert_eq!(
        (&share(&run, "MIXPANEL")["delivered"], &share(&run, "MIXPANEL")["dead"]),
        (&json!(97), &json!(3))
    );
    let records = ground.records("mixpanel").await;
    for (id, record) in ids.iter().zip(records) {
        assert_eq!(record, if poisoned.contains(id) { refused() } else { Record::delivered() }, "{id}");
    }
    let stored = ground.services.mixpanel_deduped_by_event_uid();
    assert_eq!((stored.len(), ground.services.mixpanel_raw().len()), (97, 97));
    assert!(poisoned.iter().all(|id| !stored.contains_key(&uid(*id))));
    // Each poisoned event costs two requests a level, of which there are seven.
    assert!(ground.requests(Service::Mixpanel) <= 1 + 3 * 2 * 7, "{}", ground.requests(Service::Mixpanel));
    assert!(nothing_went_out_unchanged(&ground));
}

#[tokio::test]
async fn success_in_words_that_nobody_knows_is_tried_again_and_not_believed() {
    let ground = Ground::impatient(mixpanel).await;
    for answer in [
        Answer::empty(200),
        Answer::html(200),
        Answer::plain(200, "1"),
        Answer::json(200, json!({"status": "OK"})),
        Answer::plain(200, &"x".repeat(5 << 20)),
        Answer::empty(204),
    ] {
        ground.clear().await;
        ground.events(3).await;
        let status = answer.status;
        ground.faults([answers(answer.clone())]);
        ground.run().await;
        let unreadable = Record::of("retry", 1).because("unreadable").answered(status);
        assert_eq!(ground.records("mixpanel").await, vec![unreadable; 3], "{status}");
        assert_eq!((ground.requests(Service::Mixpanel), ground.unsynced().await), (1, 3));
        ground.faults([]);
        ground.advance(chrono::TimeDelta::seconds(8));
        assert_eq!(ground.run().await["state"], "SUCCESS");
        assert_eq!((ground.services.mixpanel_raw().len(), ground.unsynced().await), (3, 0));
    }
}

#[tokio::test]
async fn more_than_was_sent_was_not_imported() {
    let ground = Ground::impatient(mixpanel).await;
    ground.events(1).await;
    ground.faults([answers(Answer::json(
        200,
        json!({"code": 200, "num_records_imported": 2, "status": "OK"}),
    ))]);
    ground.run().await;
    assert_eq!(ground.record("mixpanel").await, Record::of("retry", 1).because("refused").answered(200));
}

#[tokio::test]
async fn what_passes_is_tried_again_and_marked_as_nothing() {
    let ground = Ground::impatient(mixpanel).await;
    for (answer, class) in [
        (Answer::empty(408), "down"),
        (Answer::too_many_requests(), "throttled"),
        (Answer::html(500), "down"),
        (Answer::html(502), "down"),
        (Answer::upstream_unavailable(), "down"),
        (Answer::json(504, json!({"error": "time-out"})), "down"),
    ] {
        ground.clear().await;
        ground.events(3).await;
        let status = answer.status;
        ground.faults([answers(answer).times(1).after_storing()]);
        assert_eq!(ground.run().await["state"], "FAILED", "{status}");
        let put_off = Record::of("retry", 1).because(class).answered(status);
        assert_eq!(ground.records("mixpanel").await, vec![put_off; 3]);
        ground.run().await;
        assert_eq!((ground.requests(Service::Mixpanel), ground.unsynced().await), (1, 3), "{status}");
        ground.advance(chrono::TimeDelta::seconds(8));
        assert_eq!(ground.run().await["state"], "SUCCESS", "{status}");
        assert_eq!(ground.records("mixpanel").await, vec![Record::of("delivered", 2); 3]);
        assert_eq!((ground.services.mixpanel_deduped().len(), ground.unsynced().await), (3, 0), "{status}");
    }
}
