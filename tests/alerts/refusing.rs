//! A service that refuses every event raises a separate alarm, before the backlog grows.

use backend::telemetry::monitor::Finding;
use domain::Driver;
use serde_json::json;

use super::{AlertFixture, check_with};

const REFUSING_DRIVER: &str = "INSERT INTO telemetry_drivers (driver, outage, updated_at) \
    VALUES ('ga4', '{\"kind\": \"refusing\", \"http_status\": 400, \"events\": 27}', now())";

#[tokio::test]
async fn people_are_notified_when_a_service_refuses_everything_and_recovers() {
    let mut fixture = AlertFixture::start().await;
    fixture.insert_user("ana", "admin").await;
    fixture.insert_pending(3, 5).await;
    fixture.hub.sql(REFUSING_DRIVER).await;
    let checked = check_with(&fixture.hub.app).await;
    assert_eq!(
        (checked.finding, checked.refusing, checked.notified_of_refusing),
        (Finding::Healthy, vec![Driver::Ga4], 1)
    );
    fixture.deliver_mail().await;
    let mail = fixture.smtp.next().await;
    assert_eq!(mail.subject(), "Alarm: events rejected by GA4");
    fixture.advance_minutes(59);
    assert_eq!(check_with(&fixture.hub.app).await.notified_of_refusing, 0, "the cooldown has not passed");
    fixture.advance_minutes(1);
    assert_eq!(check_with(&fixture.hub.app).await.notified_of_refusing, 1);
    fixture.hub.sql("UPDATE telemetry_drivers SET outage = NULL").await;
    for notified in [1, 0] {
        let checked = check_with(&fixture.hub.app).await;
        assert_eq!((checked.refusing, checked.notified_of_refusing), (vec![], notified));
    }
    let kinds = fixture.hub.rows("SELECT kind FROM notifications ORDER BY id").await;
    assert_eq!(
        kinds,
        json!([{"kind": "telemetry_refusing"}, {"kind": "telemetry_refusing"}, {"kind": "telemetry_refusing_gone"}])
    );
}

#[tokio::test]
async fn a_few_refused_events_raise_no_alarm() {
    let fixture = AlertFixture::start().await;
    fixture.insert_user("ana", "admin").await;
    fixture.hub.sql(&REFUSING_DRIVER.replace("27", "19")).await;
    let checked = check_with(&fixture.hub.app).await;
    assert_eq!((checked.refusing, checked.notified_of_refusing), (vec![], 0));
}

#[tokio::test]
async fn a_service_that_is_not_enabled_raises_no_alarm() {
    let fixture = AlertFixture::with(|config| {
        config.telemetry.ga4.enabled = false;
        config.telemetry.mixpanel.enabled = true;
    })
    .await;
    fixture.hub.sql(REFUSING_DRIVER).await;
    assert_eq!(check_with(&fixture.hub.app).await.refusing, vec![]);
}
