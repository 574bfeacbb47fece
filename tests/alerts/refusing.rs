//! A service that refuses whatever it is sent raises an alarm of its own, before any event has waited for long.

use backend::models::driver::Driver;
use backend::telemetry::monitor::Finding;
use serde_json::json;

use super::{Watch, look_at};

const TROUBLE: &str = "INSERT INTO telemetry_drivers (driver, trouble, updated_at) \
    VALUES ('ga4', '{\"kind\": \"refusing\", \"http_status\": 400, \"events\": 27}', now())";

#[tokio::test]
async fn people_are_told_of_a_service_that_refuses_everything_and_when_that_is_over() {
    let mut watch = Watch::start().await;
    watch.person("ana", "admin").await;
    watch.pending(3, 5).await;
    watch.hub.sql(TROUBLE).await;
    let checked = look_at(&watch.hub.app).await;
    assert_eq!(
        (checked.finding, checked.refusing, checked.told_of_refusing),
        (Finding::Calm, vec![Driver::Ga4], 1)
    );
    watch.deliver().await;
    let mail = watch.smtp.next().await;
    assert_eq!(mail.subject(), "Alarm: events are refused by GA4");
    watch.pass(59);
    assert_eq!(look_at(&watch.hub.app).await.told_of_refusing, 0, "not before the cooldown is over");
    watch.pass(1);
    assert_eq!(look_at(&watch.hub.app).await.told_of_refusing, 1);
    watch.hub.sql("UPDATE telemetry_drivers SET trouble = NULL").await;
    for told in [1, 0] {
        let checked = look_at(&watch.hub.app).await;
        assert_eq!((checked.refusing, checked.told_of_refusing), (vec![], told));
    }
    let kinds = watch.hub.rows("SELECT kind FROM notifications ORDER BY id").await;
    assert_eq!(
        kinds,
        json!([{"kind": "telemetry_refusing"}, {"kind": "telemetry_refusing"}, {"kind": "telemetry_refusing_gone"}])
    );
}

#[tokio::test]
async fn a_few_events_that_are_refused_are_no_cause_for_alarm() {
    let watch = Watch::start().await;
    watch.person("ana", "admin").await;
    watch.hub.sql(&TROUBLE.replace("27", "19")).await;
    let checked = look_at(&watch.hub.app).await;
    assert_eq!((checked.refusing, checked.told_of_refusing), (vec![], 0));
}

#[tokio::test]
async fn a_service_that_is_not_enabled_is_no_cause_for_alarm() {
    let watch = Watch::with(|config| {
        config.telemetry.ga4.enabled = false;
        config.telemetry.mixpanel.enabled = true;
    })
    .await;
    watch.hub.sql(TROUBLE).await;
    assert_eq!(look_at(&watch.hub.app).await.refusing, vec![]);
}
