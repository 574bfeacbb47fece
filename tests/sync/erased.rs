//! What is sent about a person whose data is erased while a run sends it.

use chrono::TimeDelta;
use serde_json::json;
use stand_ins::Service;
use stand_ins::fault::{Answer, Fault, Rule};

use super::configs::mixpanel;
use super::fixture::SyncFixture;

#[tokio::test]
async fn an_event_that_fails_is_not_retried() {
    let fixture = SyncFixture::without_waits(mixpanel).await;
    fixture.insert_events(3).await;
    let down = Rule::new(Service::Mixpanel, Fault::Answer(Answer::upstream_unavailable()));
    fixture.faults([down.delay_millis(2_000)]);
    let erase = async {
        fixture.services.until(|counts| counts.mixpanel.requests > 0).await;
        let erase = format!("mutation {{ eraseUserData(userId: {}) }}", fixture.viewer);
        fixture.hub.graphql(&erase).by(&fixture.admin_token).data().await
    };
    let (_, erased) = tokio::join!(fixture.run(), erase);
    assert_eq!(erased["eraseUserData"], 7, "the account, three events and their pending rows");

    fixture.faults([]);
    fixture.advance(TimeDelta::hours(2));
    assert_eq!(fixture.run().await["state"], "SKIPPED");
    let left = "SELECT (SELECT count(*) FROM telemetry_deliveries) AS deliveries,
        (SELECT count(*) FROM telemetry_pending) AS pending, (SELECT count(*) FROM telemetry_leases) AS leases,
        (SELECT count(*) FROM video_player_events WHERE synced_at IS NULL) AS unsynced";
    assert_eq!(
        fixture.hub.rows(left).await,
        json!([{"deliveries": 0, "pending": 0, "leases": 0, "unsynced": 0}])
    );
    assert_eq!(fixture.requests(Service::Mixpanel), 1);
}
