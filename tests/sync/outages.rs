//! Outages: a service that rejects our credentials or is down loses no events and does not delay the other
//! service.

use chrono::TimeDelta;
use serde_json::json;
use stand_ins::Service;
use stand_ins::fault::{Answer, Fault, Rule};

use super::actions::driver_stats;
use super::configs::{both, mixpanel_by_token};
use super::delivery_record::DeliveryRecord;
use super::fixture::{SyncFixture, all_delivered};

const EVENTS: i64 = 40;

/// Requests that may be in flight when the first response arrives.
const MAX_IN_FLIGHT: usize = 8;

fn blocking_answers(elsewhere: &str) -> Vec<Answer> {
    let statuses = [401, 403, 404, 405, 410, 501, 505].map(Answer::html);
    let redirects = [301, 302, 307, 308].map(|status| Answer::redirect(status, elsewhere));
    statuses.into_iter().chain(redirects).collect()
}

#[tokio::test]
async fn if_ga4_rejects_us_its_events_stay_unsent_and_mixpanel_gets_all() {
    let fixture = SyncFixture::without_waits(both).await;
    fixture.insert_events(EVENTS).await;
    let elsewhere = format!("{}/elsewhere", fixture.services.mixpanel_url());
    let mut requests = 0;
    for answer in blocking_answers(&elsewhere) {
        let status = answer.status;
        fixture.faults([Rule::new(Service::Ga4, Fault::Answer(answer))]);
        let run = fixture.run().await;
        let is_first = requests == 0;
        // Mixpanel gets all events in the first run.
        assert_eq!(run["state"], if is_first { "PARTIAL" } else { "FAILED" }, "{status}");
        let sent = fixture.requests(Service::Ga4) - requests;
        assert!((1..=MAX_IN_FLIGHT).contains(&sent), "{status}: {sent}");
        requests += sent;
        let expected = json!({"driver": "GA4", "attempted": 0, "delivered": 0, "retrying": 0, "dead": 0, "expired": 0,
            "requests": sent});
        assert_eq!(driver_stats(&run, "GA4"), &expected, "{status}");
        let message = run["message"].as_str().unwrap();
        assert!(message.contains(&status.to_string()) && message.contains("GA4_API_SECRET"), "{message}");
        assert_eq!(fixture.records("ga4").await, vec![DeliveryRecord::unsent(); 40], "{status}");
        assert_eq!(fixture.unsynced().await, EVENTS, "{status}");
    }
    assert_eq!(fixture.records("mixpanel").await, vec![DeliveryRecord::delivered(); 40]);
    // When GA4 accepts requests again, it gets all events, and Mixpanel gets nothing.
    fixture.faults([]);
    let run = fixture.run().await;
    assert_eq!(
        (&run["state"], &run["processed"], &run["message"]),
        (&json!("SUCCESS"), &json!(40), &json!(null))
    );
    assert_eq!(fixture.records("ga4").await, vec![DeliveryRecord::delivered(); 40]);
    assert!(fixture.services.ga4_copies_by_event_uid().values().all(|copies| *copies == 1));
    let at_mixpanel = fixture.services.requests(Service::Mixpanel);
    let routes: Vec<_> = at_mixpanel.iter().map(|request| request.route.as_str()).collect();
    assert_eq!(routes, ["/import"], "no redirect is followed, and nothing is sent twice");
    assert_eq!(fixture.unsynced().await, 0);
}

#[tokio::test]
async fn if_mixpanel_rejects_us_its_events_stay_unsent_and_ga4_gets_all() {
    for (settings, route) in
        [(both as fn(&mut _, &_), "/import"), (ga4_and_mixpanel_by_token as fn(&mut _, &_), "/track")]
    {
        let fixture = SyncFixture::without_waits(settings).await;
        fixture.insert_events(EVENTS).await;
        let elsewhere = format!("{}/elsewhere", fixture.services.ga4_url());
        let mut requests = 0;
        for answer in blocking_answers(&elsewhere) {
            let status = answer.status;
            fixture.faults([Rule::new(Service::Mixpanel, Fault::Answer(answer)).route(route)]);
            let run = fixture.run().await;
            let sent = fixture.requests(Service::Mixpanel) - requests;
            assert_eq!(sent, 1, "{route} {status}");
            requests += sent;
            assert!(run["message"].as_str().unwrap().contains("MIXPANEL_PROJECT_TOKEN"), "{run}");
            assert_eq!(
                fixture.records("mixpanel").await,
                vec![DeliveryRecord::unsent(); 40],
                "{route} {status}"
            );
            assert_eq!(fixture.unsynced().await, EVENTS, "{route} {status}");
        }
        fixture.faults([]);
        let run = fixture.run().await;
        assert_eq!(run["drivers"], json!([all_delivered("GA4", 0, 0), all_delivered("MIXPANEL", 40, 1)]));
        assert_eq!(fixture.records("mixpanel").await, vec![DeliveryRecord::delivered(); 40]);
        assert_eq!(fixture.services.mixpanel_raw().len(), 40);
        assert_eq!((fixture.requests(Service::Ga4), fixture.unsynced().await), (40, 0));
    }
}

fn ga4_and_mixpanel_by_token(config: &mut backend::config::Config, services: &stand_ins::StandIns) {
    super::configs::ga4(config, services);
    mixpanel_by_token(config, services);
}

#[tokio::test]
async fn a_service_that_was_down_catches_up_and_the_other_gets_nothing_twice() {
    for (down, up, driver, other) in [
        (Service::Ga4, Service::Mixpanel, "ga4", "mixpanel"),
        (Service::Mixpanel, Service::Ga4, "mixpanel", "ga4"),
    ] {
        let fixture = SyncFixture::without_waits(both).await;
        fixture.insert_events(EVENTS).await;
        fixture.services.refuse_connections(down).await;
        let run = fixture.run().await;
        assert_eq!((&run["state"], &run["processed"]), (&json!("PARTIAL"), &json!(0)), "{driver}");
        assert_eq!(fixture.requests(down), 0);
        assert_eq!(fixture.records(other).await, vec![DeliveryRecord::delivered(); 40]);
        assert!(
            fixture
                .records(driver)
                .await
                .iter()
                .all(|record| record.attempts == 0 && !record.maybe_duplicate)
        );
        assert_eq!(fixture.unsynced().await, EVENTS, "{driver}");
        let requests = fixture.requests(up);
        fixture.services.accept_connections(down).await;
        fixture.advance(TimeDelta::minutes(1));
        let run = fixture.run().await;
        assert_eq!((&run["state"], &run["processed"]), (&json!("SUCCESS"), &json!(40)), "{driver}");
        assert_eq!(fixture.requests(up), requests, "{other}");
        assert_eq!(fixture.records(driver).await, vec![DeliveryRecord::delivered(); 40]);
        assert!(fixture.services.ga4_copies_by_event_uid().values().all(|copies| *copies == 1));
        assert_eq!((fixture.services.mixpanel_raw().len(), fixture.unsynced().await), (40, 0));
    }
}
