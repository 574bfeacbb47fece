//! A sync without any faults.

use serde_json::json;

use super::fixture::{SyncFixture, all_delivered};

#[tokio::test]
async fn every_event_is_delivered_to_both_services_once() {
    let fixture = SyncFixture::new().await;
    let ids = fixture.insert_events(30).await;
    let run = fixture.run().await;
    let drivers = [all_delivered("GA4", 30, 30), all_delivered("MIXPANEL", 30, 1)];
    let outcome = json!({"state": run["state"], "processed": run["processed"], "drivers": run["drivers"]});
    assert_eq!(outcome, json!({"state": "SUCCESS", "processed": 30, "drivers": drivers}));
    assert_eq!(fixture.unsynced().await, 0);
    let uids: Vec<String> = ids.iter().map(|id| format!("vpe-{id}")).collect();
    let copies = fixture.services.ga4_copies_by_event_uid();
    assert_eq!(copies.len(), 30);
    assert!(uids.iter().all(|uid| copies[uid] == 1));
    assert_eq!(fixture.services.mixpanel_raw().len(), 30);
    assert_eq!(fixture.services.mixpanel_deduped().len(), 30);
    // The next run sends nothing.
    let again = fixture.run().await;
    assert_eq!((&again["state"], &again["processed"]), (&json!("SKIPPED"), &json!(0)));
    assert_eq!(fixture.services.mixpanel_raw().len(), 30);
}
