//! How much Mixpanel gets in one request.

use backend::models::sync_run::SyncState;
use serde_json::{Value, json};
use stand_ins::fault::{Answer, Fault, Rule};
use stand_ins::{Service, TRACK};

use super::ground::Ground;
use super::record::Record;
use super::settings::{mixpanel, mixpanel_by_token};
use super::steps::share;

fn events_a_request(ground: &Ground) -> Vec<usize> {
    ground.services.requests(Service::Mixpanel).iter().map(|request| request.events.len()).collect()
}

#[tokio::test]
async fn an_import_holds_2000_events_at_most() {
    let ground = Ground::impatient(mixpanel).await;
    ground.events(4100).await;
    assert_eq!(ground.run_with(mixpanel).await.state, SyncState::Success);
    let mut sizes = events_a_request(&ground);
    sizes.sort_unstable();
    assert_eq!(sizes, [100, 2000, 2000]);
    assert_eq!((ground.services.mixpanel_raw().len(), ground.unsynced().await), (4100, 0));
}

#[tokio::test]
async fn an_import_stays_below_the_older_limit_of_two_mebibytes() {
    let ground = Ground::impatient(mixpanel).await;
    ground.events(400).await;
    // About ten thousand bytes an event.
    let members = (0..40).map(|place| (format!("detail{place}"), Value::from("x".repeat(240))));
    let metadata = Value::Object(members.collect());
    ground.hub.sql(&format!("UPDATE video_player_events SET metadata = '{metadata}'")).await;
    assert_eq!(ground.run_with(mixpanel).await.state, SyncState::Success);
    let sizes = events_a_request(&ground);
    assert!(sizes.len() >= 3 && sizes.iter().sum::<usize>() == 400, "{sizes:?}");
    let requests = ground.services.requests(Service::Mixpanel);
    assert!(requests.iter().all(|request| request.status == Some(200)), "none was too large");
    assert_eq!(ground.services.mixpanel_raw().len(), 400);
}

#[tokio::test]
async fn a_tracking_request_holds_a_hundred_events_at_most() {
    let ground = Ground::impatient(mixpanel_by_token).await;
    ground.events(250).await;
    assert_eq!(ground.run().await["state"], "SUCCESS");
    let mut sizes = events_a_request(&ground);
    sizes.sort_unstable();
    assert_eq!(sizes, [50, 100, 100]);
    assert!(ground.services.requests(Service::Mixpanel).iter().all(|request| request.route == TRACK));
    assert_eq!((ground.services.mixpanel_raw().len(), ground.unsynced().await), (250, 0));
}

#[tokio::test]
async fn what_is_too_large_for_the_service_is_halved_until_it_fits() {
    for settings in [mixpanel as fn(&mut _, &_), mixpanel_by_token as fn(&mut _, &_)] {
        let ground = Ground::impatient(settings).await;
        ground.services.configure(|config| config.mixpanel.body_limit = 20_000);
        ground.events(90).await;
        // One is larger than the limit all by itself.
        let members = (0..100).map(|place| (format!("detail{place}"), Value::from("x".repeat(240))));
        let metadata = Value::Object(members.collect());
        let one = "(SELECT id FROM video_player_events ORDER BY id LIMIT 1)";
        ground
            .hub
            .sql(&format!("UPDATE video_player_events SET metadata = '{metadata}' WHERE id = {one}"))
            .await;
        let run = ground.run().await;
        let counts = ["delivered", "dead"].map(|key| share(&run, "MIXPANEL")[key].clone());
        assert_eq!(counts, [json!(89), json!(1)]);
        let too_large = Record::of("dead", 1).because("too_large").answered(413);
        let records = [vec![too_large], vec![Record::delivered(); 89]].concat();
        assert_eq!(ground.records("mixpanel").await, records);
        assert_eq!((ground.services.mixpanel_raw().len(), ground.unsynced().await), (89, 0));
    }
}

#[tokio::test]
async fn a_page_that_says_that_it_is_too_large_is_understood() {
    let ground = Ground::impatient(mixpanel).await;
    ground.events(8).await;
    ground.faults([Rule::new(Service::Mixpanel, Fault::Answer(Answer::html(413))).times(3)]);
    assert_eq!(ground.run().await["state"], "SUCCESS");
    // The whole, its halves, and then each quarter.
    assert_eq!(ground.requests(Service::Mixpanel), 7);
    assert_eq!(ground.services.mixpanel_raw().len(), 8);
}
