//! What happens when nothing goes wrong.

use serde_json::json;

use super::ground::{Ground, all_delivered};

#[tokio::test]
async fn every_event_goes_to_both_services_once() {
    let ground = Ground::new().await;
    let ids = ground.events(30).await;
    let run = ground.run().await;
    assert_eq!(run["state"], "SUCCESS", "{run}");
    assert_eq!(run["processed"], 30);
    assert_eq!(run["drivers"], json!([all_delivered("GA4", 30, 30), all_delivered("MIXPANEL", 30, 1)]));
    assert_eq!(ground.unsynced().await, 0);
    let uids: Vec<String> = ids.iter().map(|id| format!("vpe-{id}")).collect();
    let copies = ground.services.ga4_copies_by_event_uid();
    assert_eq!(copies.len(), 30);
    assert!(uids.iter().all(|uid| copies[uid] == 1));
    assert_eq!(ground.services.mixpanel_raw().len(), 30);
    assert_eq!(ground.services.mixpanel_deduped().len(), 30);
    // And nothing more the next time.
    let again = ground.run().await;
    assert_eq!((&again["state"], &again["processed"]), (&json!("SKIPPED"), &json!(0)));
    assert_eq!(ground.services.mixpanel_raw().len(), 30);
}
