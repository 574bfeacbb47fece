//! A service that does not let us in, or is away, costs no event and holds no other service up.

use chrono::TimeDelta;
use serde_json::json;
use stand_ins::Service;
use stand_ins::fault::{Answer, Fault, Rule};

use super::ground::{Ground, all_delivered};
use super::record::Record;
use super::settings::{both, mixpanel_by_token};
use super::steps::share;

const EVENTS: i64 = 40;

/// Requests that are under way when the first answer comes cannot be called back.
const UNDER_WAY: usize = 8;

fn closed_answers(elsewhere: &str) -> Vec<Answer> {
    let statuses = [401, 403, 404, 405, 410, 501, 505].map(Answer::html);
    let redirects = [301, 302, 307, 308].map(|status| Answer::redirect(status, elsewhere));
    statuses.into_iter().chain(redirects).collect()
}

#[tokio::test]
async fn where_ga4_does_not_let_us_in_its_events_wait_untouched_and_mixpanel_has_all() {
    let ground = Ground::impatient(both).await;
    ground.events(EVENTS).await;
    let elsewhere = format!("{}/elsewhere", ground.services.mixpanel_url());
    let mut requests = 0;
    for answer in closed_answers(&elsewhere) {
        let status = answer.status;
        ground.faults([Rule::new(Service::Ga4, Fault::Answer(answer))]);
        let run = ground.run().await;
        let is_first = requests == 0;
        // Mixpanel has all from the first run on.
        assert_eq!(run["state"], if is_first { "PARTIAL" } else { "FAILED" }, "{status}");
        let asked = ground.requests(Service::Ga4) - requests;
        assert!((1..=UNDER_WAY).contains(&asked), "{status}: {asked}");
        requests += asked;
        let expected = json!({"driver": "GA4", "attempted": 0, "delivered": 0, "retrying": 0, "dead": 0, "expired": 0,
            "requests": asked});
        assert_eq!(share(&run, "GA4"), &expected, "{status}");
        let message = run["message"].as_str().unwrap();
        assert!(message.contains(&status.to_string()) && message.contains("GA4_API_SECRET"), "{message}");
        assert_eq!(ground.records("ga4").await, vec![Record::untouched(); 40], "{status}");
        assert_eq!(ground.unsynced().await, EVENTS, "{status}");
    }
    assert_eq!(ground.records("mixpanel").await, vec![Record::delivered(); 40]);
    // And when it lets us in again, it gets all, and the other service nothing.
    ground.faults([]);
    let run = ground.run().await;
    assert_eq!(
        (&run["state"], &run["processed"], &run["message"]),
        (&json!("SUCCESS"), &json!(40), &json!(null))
    );
    assert_eq!(ground.records("ga4").await, vec![Record::delivered(); 40]);
    assert!(ground.services.ga4_copies_by_event_uid().values().all(|copies| *copies == 1));
    let at_mixpanel = ground.services.requests(Service::Mixpanel);
    let routes: Vec<_> = at_mixpanel.iter().map(|request| request.route.as_str()).collect();
    assert_eq!(routes, ["/import"], "no redirection is followed, and nothing is sent twice");
    assert_eq!(ground.unsynced().await, 0);
}

#[tokio::test]
async fn where_mixpanel_does_not_let_us_in_its_events_wait_untouched_and_ga4_has_all() {
    for (settings, route) in
        [(both as fn(&mut _, &_), "/import"), (ga4_and_tracking as fn(&mut _, &_), "/track")]
    {
        let ground = Ground::impatient(settings).await;
        ground.events(EVENTS).await;
        let elsewhere = format!("{}/elsewhere", ground.services.ga4_url());
        let mut requests = 0;
        for answer in closed_answers(&elsewhere) {
            let status = answer.status;
            ground.faults([Rule::new(Service::Mixpanel, Fault::Answer(answer)).route(route)]);
            let run = ground.run().await;
            let asked = ground.requests(Service::Mixpanel) - requests;
            assert_eq!(asked, 1, "{route} {status}");
            requests += asked;
            assert!(run["message"].as_str().unwrap().contains("MIXPANEL_PROJECT_TOKEN"), "{run}");
            assert_eq!(ground.records("mixpanel").await, vec![Record::untouched(); 40], "{route} {status}");
            assert_eq!(ground.unsynced().await, EVENTS, "{route} {status}");
        }
        ground.faults([]);
        let run = ground.run().await;
        assert_eq!(run["drivers"], json!([all_delivered("GA4", 0, 0), all_delivered("MIXPANEL", 40, 1)]));
        assert_eq!(ground.records("mixpanel").await, vec![Record::delivered(); 40]);
        assert_eq!(ground.services.mixpanel_raw().len(), 40);
        assert_eq!((ground.requests(Service::Ga4), ground.unsynced().await), (40, 0));
    }
}

fn ga4_and_tracking(config: &mut backend::config::Config, services: &stand_ins::StandIns) {
    super::settings::ga4(config, services);
    mixpanel_by_token(config, services);
}

#[tokio::test]
async fn a_service_that_is_down_for_a_run_catches_up_and_the_other_hears_nothing_twice() {
    for (down, up, driver, other) in [
        (Service::Ga4, Service::Mixpanel, "ga4", "mixpanel"),
        (Service::Mixpanel, Service::Ga4, "mixpanel", "ga4"),
    ] {
        let ground = Ground::impatient(both).await;
        ground.events(EVENTS).await;
        ground.services.refuse_connections(down).await;
        let run = ground.run().await;
        assert_eq!((&run["state"], &run["processed"]), (&json!("PARTIAL"), &json!(0)), "{driver}");
        assert_eq!(ground.requests(down), 0);
        assert_eq!(ground.records(other).await, vec![Record::delivered(); 40]);
        assert!(
            ground.records(driver).await.iter().all(|record| record.attempts == 0 && !record.maybe_duplicate)
        );
        assert_eq!(ground.unsynced().await, EVENTS, "{driver}");
        let heard = ground.requests(up);
        ground.services.accept_connections(down).await;
        ground.advance(TimeDelta::minutes(1));
        let run = ground.run().await;
        assert_eq!((&run["state"], &run["processed"]), (&json!("SUCCESS"), &json!(40)), "{driver}");
        assert_eq!(ground.requests(up), heard, "{other}");
        assert_eq!(ground.records(driver).await, vec![Record::delivered(); 40]);
        assert!(ground.services.ga4_copies_by_event_uid().values().all(|copies| *copies == 1));
        assert_eq!((ground.services.mixpanel_raw().len(), ground.unsynced().await), (40, 0));
    }
}
