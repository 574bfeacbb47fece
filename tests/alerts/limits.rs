//! The limits that raise the alarm.

use backend::telemetry::backlog::Alarm;
use backend::telemetry::monitor::Finding;
use chrono::TimeDelta;
use serde_json::json;

use super::{AlertFixture, another_app, check_with};
use crate::harness::statements::Statements;

#[tokio::test]
async fn the_alarm_is_raised_at_the_threshold_and_not_below() {
    let fixture = AlertFixture::start().await;
    fixture.insert_user("ana", "admin").await;
    fixture.insert_pending(9, 5).await;
    assert_eq!(fixture.check().await, Finding::Healthy);
    assert_eq!(fixture.notifications().await, json!([]));
    fixture.insert_pending(1, 5).await;
    assert_eq!(fixture.check().await, Finding::Alarmed { why: Alarm::Number, people: 1 });
}

#[tokio::test]
async fn the_alarm_is_raised_at_the_age_limit_and_not_below() {
    let fixture = AlertFixture::start().await;
    fixture.insert_pending(1, 180).await;
    fixture.hub.clock.advance(TimeDelta::seconds(-1));
    assert_eq!(fixture.check().await, Finding::Healthy);
    fixture.hub.clock.advance(TimeDelta::seconds(1));
    assert_eq!(fixture.check().await, Finding::Alarmed { why: Alarm::Age, people: 0 });
}

#[tokio::test]
async fn the_age_of_an_event_counts_from_its_arrival() {
    let fixture = AlertFixture::start().await;
    // The player was offline for two days.
    fixture.insert_late(1, 2 * 24 * 60, 0).await;
    let checked = check_with(&fixture.hub.app).await;
    assert_eq!(
        (checked.finding, checked.backlog.age(checked.at)),
        (Finding::Healthy, Some(TimeDelta::zero()))
    );
    fixture.advance_minutes(179);
    assert_eq!(fixture.check().await, Finding::Healthy);
    fixture.advance_minutes(1);
    assert_eq!(fixture.check().await, Finding::Alarmed { why: Alarm::Age, people: 0 });
}

#[tokio::test]
async fn synced_events_do_not_count_however_old_they_are() {
    let fixture = AlertFixture::start().await;
    fixture.insert_pending(50, 600).await;
    fixture.mark_all_synced().await;
    fixture.insert_pending(3, 20).await;
    let checked = check_with(&fixture.hub.app).await;
    assert_eq!((checked.backlog.events_pending, checked.finding), (3, Finding::Healthy));
    assert_eq!(checked.backlog.age(checked.at), Some(TimeDelta::minutes(20)));
}

#[tokio::test]
async fn without_an_enabled_driver_no_alarm_is_raised() {
    let fixture = AlertFixture::with(|config| config.telemetry.ga4.enabled = false).await;
    fixture.insert_user("ana", "admin").await;
    fixture.insert_pending(50, 600).await;
    assert_eq!(fixture.check().await, Finding::NothingEnabled);
    assert_eq!(fixture.notifications().await, json!([]));
    let with_mixpanel = another_app(&fixture.hub, |config| config.telemetry.mixpanel.enabled = true);
    assert_eq!(check_with(&with_mixpanel).await.finding, Finding::Alarmed { why: Alarm::Age, people: 1 });
}

#[tokio::test]
async fn counting_the_backlog_does_not_read_synced_events() {
    let fixture = AlertFixture::start().await;
    fixture.insert_pending(20_000, 600).await;
    fixture.mark_all_synced().await;
    fixture.insert_pending(3, 20).await;
    let statements = Statements::of(&fixture.hub.app.pool).await;
    fixture.check().await;
    let captured = statements.take();
    assert!(captured.iter().any(|statement| statement.contains("FROM telemetry_pending")), "{captured:#?}");
    assert!(!captured.iter().any(|statement| statement.contains("video_player_events")), "{captured:#?}");
}
