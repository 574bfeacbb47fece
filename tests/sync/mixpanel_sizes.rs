//! The size of requests to Mixpanel.

use domain::sync::SyncState;
use serde_json::{Value, json};
use stand_ins::fault::{Answer, Fault, Rule};
use stand_ins::{Service, TRACK};

use super::actions::driver_stats;
use super::configs::{mixpanel, mixpanel_by_token};
use super::delivery_record::DeliveryRecord;
use super::fixture::SyncFixture;

fn events_per_request(fixture: &SyncFixture) -> Vec<usize> {
    fixture.services.requests(Service::Mixpanel).iter().map(|request| request.events.len()).collect()
}

#[tokio::test]
async fn an_import_request_holds_at_most_2000_events() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    fixture.insert_events(4100).await;
    assert_eq!(fixture.run_with(mixpanel).await.state, SyncState::Success);
    let mut sizes = events_per_request(&fixture);
    sizes.sort_unstable();
    assert_eq!(sizes, [100, 2000, 2000]);
    assert_eq!((fixture.services.mixpanel_raw().len(), fixture.unsynced().await), (4100, 0));
}

#[tokio::test]
async fn an_import_request_stays_below_two_mebibytes() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    fixture.insert_events(400).await;
    // About 10,000 bytes per event.
    let members = (0..40).map(|index| (format!("detail{index}"), Value::from("x".repeat(240))));
    let metadata = Value::Object(members.collect());
    fixture.hub.sql(&format!("UPDATE video_player_events SET metadata = '{metadata}'")).await;
    assert_eq!(fixture.run_with(mixpanel).await.state, SyncState::Success);
    let sizes = events_per_request(&fixture);
    assert!(sizes.len() >= 3 && sizes.iter().sum::<usize>() == 400, "{sizes:?}");
    let requests = fixture.services.requests(Service::Mixpanel);
    assert!(requests.iter().all(|request| request.status == Some(200)), "no request was too large");
    assert_eq!(fixture.services.mixpanel_raw().len(), 400);
}

#[tokio::test]
async fn a_track_request_holds_at_most_100_events() {
    let fixture = SyncFixture::without_waits(mixpanel_by_token).await;
    fixture.insert_events(250).await;
    assert_eq!(fixture.run().await["state"], "SUCCESS");
    let mut sizes = events_per_request(&fixture);
    sizes.sort_unstable();
    assert_eq!(sizes, [50, 100, 100]);
    assert!(fixture.services.requests(Service::Mixpanel).iter().all(|request| request.route == TRACK));
    assert_eq!((fixture.services.mixpanel_raw().len(), fixture.unsynced().await), (250, 0));
}

#[tokio::test]
async fn a_request_that_is_too_large_is_halved_until_it_fits() {
    for settings in [mixpanel as fn(&mut _, &_), mixpanel_by_token as fn(&mut _, &_)] {
        let fixture = SyncFixture::without_waits(settings).await;
        fixture.services.configure(|config| config.mixpanel.body_limit = 20_000);
        fixture.insert_events(90).await;
        // One event is larger than the limit.
        let members = (0..100).map(|index| (format!("detail{index}"), Value::from("x".repeat(240))));
        let metadata = Value::Object(members.collect());
        let one = "(SELECT id FROM video_player_events ORDER BY id LIMIT 1)";
        fixture
            .hub
            .sql(&format!("UPDATE video_player_events SET metadata = '{metadata}' WHERE id = {one}"))
            .await;
        let run = fixture.run().await;
        let counts = ["delivered", "dead"].map(|key| driver_stats(&run, "MIXPANEL")[key].clone());
        assert_eq!(counts, [json!(89), json!(1)]);
        let too_large = DeliveryRecord::new("dead", 1).error_class("too_large").http_status(413);
        let records = [vec![too_large], vec![DeliveryRecord::delivered(); 89]].concat();
        assert_eq!(fixture.records("mixpanel").await, records);
        assert_eq!((fixture.services.mixpanel_raw().len(), fixture.unsynced().await), (89, 0));
    }
}

#[tokio::test]
async fn an_html_page_with_status_413_halves_the_request() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    fixture.insert_events(8).await;
    fixture.faults([Rule::new(Service::Mixpanel, Fault::Answer(Answer::html(413))).times(3)]);
    assert_eq!(fixture.run().await["state"], "SUCCESS");
    // The whole request, its two halves and its four quarters.
    assert_eq!(fixture.requests(Service::Mixpanel), 7);
    assert_eq!(fixture.services.mixpanel_raw().len(), 8);
}
