//! Answers that do not say whether anything was stored: GA4 cannot tell a repetition, so an event goes there twice at most.

use backend::config::telemetry::Ambiguous;
use chrono::TimeDelta;
use serde_json::json;
use stand_ins::Service;
use stand_ins::fault::{Answer, Fault, How, Point, RetryAfter, Rule, When};

use super::ground::Ground;
use super::record::Record;
use super::settings::{both, ga4, ga4_in_order};
use super::steps::{share, uid};

/// They may come of a service that has stored what it was sent.
const DOUBTFUL: [u16; 7] = [408, 500, 502, 504, 507, 520, 524];

fn answer(status: u16) -> Rule {
    Rule::new(Service::Ga4, Fault::Answer(Answer::html(status)))
}

#[tokio::test]
async fn after_two_doubtful_answers_an_event_is_given_up_as_ambiguous() {
    let ground = Ground::impatient(ga4_in_order).await;
    for (round, status) in (1..).zip(DOUBTFUL) {
        let id = ground.events(1).await[0];
        ground.faults([answer(status).after_storing()]);
        assert_eq!(share(&ground.run().await, "GA4")["retrying"], 1, "{status}");
        let doubtful = Record::of("retry", 1).because("down").answered(status).unanswered(1).doubtful();
        assert_eq!(ground.records_of(id).await, [doubtful], "{status}");
        ground.advance(TimeDelta::seconds(8));
        assert_eq!(share(&ground.run().await, "GA4")["dead"], 1, "{status}");
        let dead = Record::of("dead", 2).because("ambiguous").answered(status).unanswered(2).doubtful();
        assert_eq!(ground.records_of(id).await, [dead], "{status}");
        ground.advance(TimeDelta::days(1));
        assert_eq!(ground.run().await["state"], "SKIPPED", "{status}");
        assert_eq!((ground.requests(Service::Ga4), ground.unsynced().await), (2 * round, 0), "{status}");
        assert_eq!(ground.services.ga4_copies_by_event_uid()[&uid(id)], 2, "{status}");
    }
}

#[tokio::test]
async fn what_goes_out_again_after_a_doubtful_answer_says_that_it_may_be_there_twice() {
    let ground = Ground::impatient(ga4_in_order).await;
    let id = ground.events(1).await[0];
    // That it asks for a pause says nothing of what it stored.
    let asking = Answer::html(502).retry_after(RetryAfter::Seconds(5));
    ground.faults([Rule::new(Service::Ga4, Fault::Answer(asking)).after_storing().times(1)]);
    ground.run().await;
    ground.advance(TimeDelta::seconds(8));
    assert_eq!(ground.run().await["state"], "SUCCESS");
    let records = ground.records_of(id).await;
    assert_eq!(
        (records[0].state.as_str(), records[0].unanswered, records[0].maybe_duplicate),
        ("delivered", 1, true)
    );
    let copies = ground.services.stored_ga4();
    assert_eq!((copies.len(), &copies[1].params["maybe_duplicate"]), (2, &json!(1)));
}

#[tokio::test]
async fn an_error_is_no_delivery_even_where_silence_is_one() {
    let ground = Ground::impatient(|config, services| {
        ga4_in_order(config, services);
        config.telemetry.ga4.ambiguous = Ambiguous::AssumeDelivered;
    })
    .await;
    let id = ground.events(1).await[0];
    ground.faults([answer(500)]);
    ground.run().await;
    ground.advance(TimeDelta::seconds(8));
    ground.run().await;
    let dead = Record::of("dead", 2).because("ambiguous").answered(500).unanswered(2).doubtful();
    assert_eq!(ground.records_of(id).await, [dead]);
    assert_eq!(ground.requests(Service::Ga4), 2);
}

#[tokio::test]
async fn whatever_mix_of_doubtful_answers_ga4_gives_no_event_is_there_more_than_twice() {
    for settings in [ga4 as fn(&mut _, &_), both] {
        let ground = Ground::impatient(settings).await;
        ground.events(60).await;
        let chance = When::Chance(0.12);
        let mut rules: Vec<Rule> =
            DOUBTFUL.into_iter().map(|status| answer(status).after_storing()).collect();
        rules.extend(DOUBTFUL.map(answer));
        rules.push(answer(503));
        for how in [How::Reset, How::Close] {
            rules
                .push(Rule::new(Service::Ga4, Fault::Break { at: Point::BeforeAnswer, how }).after_storing());
        }
        ground.faults(rules.into_iter().map(|rule| rule.when(chance.clone())));
        for _ in 0..40 {
            if ground.run().await["state"] == "SKIPPED" && ground.unsynced().await == 0 {
                break;
            }
            ground.advance(TimeDelta::minutes(50));
        }
        assert_eq!(ground.unsynced().await, 0);
        let doubtful = "SELECT event_id FROM telemetry_deliveries WHERE driver = 'ga4' AND maybe_duplicate";
        let doubtful = ground.hub.rows(doubtful).await;
        let doubtful: Vec<String> =
            doubtful.as_array().unwrap().iter().map(|row| uid(row["event_id"].as_i64().unwrap())).collect();
        let copies = ground.services.ga4_copies_by_event_uid();
        assert!(copies.values().any(|copies| *copies == 2), "the weather was too fair: {copies:?}");
        for (event, copies) in copies {
            assert!(copies <= 2 && (copies == 1 || doubtful.contains(&event)), "{event}: {copies}");
        }
    }
}
