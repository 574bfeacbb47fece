//! Who is notified, and how often.

use backend::telemetry::backlog::Alarm;
use backend::telemetry::monitor::{self, Finding};
use futures_util::future::join_all;
use serde_json::json;

use super::{AlertFixture, THRESHOLD, another_app, check_with, enable_alerts};
use crate::harness::hub::NOW;

#[tokio::test]
async fn only_active_admins_and_teacher_admins_are_notified() {
    let fixture = AlertFixture::start().await;
    let ana = fixture.insert_user("ana", "admin").await;
    let teo = fixture.insert_user("teo", "teacher_admin").await;
    for (name, role) in [("tim", "teacher"), ("sara", "student"), ("lms", "service")] {
        fixture.insert_user(name, role).await;
    }
    for (name, role) in [("gone", "admin"), ("left", "teacher_admin")] {
        let inactive = fixture.insert_user(name, role).await;
        fixture.hub.academy.execute("UPDATE users SET active = false WHERE id = $1", &[&inactive]).await;
    }
    fixture.raise_alarm().await;
    let backlog = "telemetry_backlog";
    assert_eq!(
        fixture.notifications().await,
        json!([{"user_id": ana, "kind": backlog}, {"user_id": teo, "kind": backlog}])
    );
    fixture.deliver_mail().await;
    let SentTo(addresses) = SentTo::of(fixture);
    assert_eq!(addresses, ["ana@example.org", "teo@example.org"]);
}

struct SentTo(Vec<String>);

impl SentTo {
    fn of(mut fixture: AlertFixture) -> Self {
        let mut addresses: Vec<String> = fixture.smtp.drain().into_iter().flat_map(|mail| mail.to).collect();
        addresses.sort();
        Self(addresses)
    }
}

#[tokio::test]
async fn only_one_of_several_concurrent_checks_notifies() {
    let fixture = AlertFixture::start().await;
    fixture.insert_user("ana", "admin").await;
    fixture.insert_pending(THRESHOLD, 5).await;
    let other = another_app(&fixture.hub, enable_alerts);
    let checks = (0..8).flat_map(|_| [check_with(&fixture.hub.app), check_with(&other)]);
    let findings: Vec<Finding> = join_all(checks).await.into_iter().map(|checked| checked.finding).collect();
    let alarmed = Finding::Alarmed { why: Alarm::Number, people: 1 };
    let still_alarmed =
        Finding::StillAlarmed { why: Alarm::Number, next_notification_at: NOW + chrono::TimeDelta::hours(1) };
    let count = |expected| findings.iter().filter(|finding| **finding == expected).count();
    assert_eq!((count(alarmed), count(still_alarmed)), (1, 15));
    assert_eq!(fixture.notifications().await.as_array().unwrap().len(), 1);

    fixture.mark_all_synced().await;
    let checks = (0..8).flat_map(|_| [check_with(&fixture.hub.app), check_with(&other)]);
    let findings: Vec<Finding> = join_all(checks).await.into_iter().map(|checked| checked.finding).collect();
    let count = |expected| findings.iter().filter(|finding| **finding == expected).count();
    assert_eq!((count(Finding::Recovered { people: 1 }), count(Finding::Healthy)), (1, 15));
}

#[tokio::test]
async fn the_alarm_is_repeated_after_the_cooldown_even_after_a_restart() {
    let fixture = AlertFixture::start().await;
    fixture.insert_user("ana", "admin").await;
    fixture.raise_alarm().await;
    fixture.advance_minutes(59);
    let restarted = another_app(&fixture.hub, enable_alerts);
    assert!(matches!(check_with(&restarted).await.finding, Finding::StillAlarmed { .. }));
    fixture.advance_minutes(1);
    assert_eq!(check_with(&restarted).await.finding, Finding::Alarmed { why: Alarm::Number, people: 1 });
    assert!(matches!(fixture.check().await, Finding::StillAlarmed { .. }));
    assert_eq!(fixture.notifications().await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn people_are_notified_once_when_the_backlog_is_gone() {
    let fixture = AlertFixture::start().await;
    let ana = fixture.insert_user("ana", "admin").await;
    fixture.raise_alarm().await;
    fixture.mark_all_synced().await;
    fixture.insert_pending(THRESHOLD - 1, 5).await;
    assert_eq!(fixture.check().await, Finding::Recovered { people: 1 });
    assert_eq!(fixture.check().await, Finding::Healthy);
    assert_eq!(fixture.notifications().await[1], json!({"user_id": ana, "kind": "telemetry_backlog_gone"}));
}

#[tokio::test]
async fn the_end_of_an_alarm_that_was_not_announced_is_not_announced() {
    let fixture = AlertFixture::start().await;
    fixture.insert_user("ana", "admin").await;
    fixture.raise_alarm().await;
    fixture.mark_all_synced().await;
    assert_eq!(fixture.check().await, Finding::Recovered { people: 1 });
    fixture.insert_pending(THRESHOLD, 5).await;
    assert!(matches!(fixture.check().await, Finding::StillAlarmed { .. }), "the cooldown has not passed");
    fixture.mark_all_synced().await;
    assert_eq!(fixture.check().await, Finding::Healthy);
}

#[tokio::test]
async fn a_failed_notification_is_repeated_by_the_next_check() {
    let fixture = AlertFixture::start().await;
    fixture.insert_user("ana", "admin").await;
    fixture.insert_pending(THRESHOLD, 5).await;
    fixture.hub.sql("ALTER TABLE notifications ADD CONSTRAINT broken CHECK (false)").await;
    monitor::check(&fixture.hub.app).await.unwrap_err();
    fixture.hub.sql("ALTER TABLE notifications DROP CONSTRAINT broken").await;
    assert_eq!(fixture.check().await, Finding::Alarmed { why: Alarm::Number, people: 1 });
}

#[tokio::test]
async fn the_alarm_recovers_from_a_wrong_clock() {
    let fixture = AlertFixture::start().await;
    fixture.raise_alarm().await;
    fixture.hub.sql("UPDATE alarms SET notified_at = notified_at + interval '1 year'").await;
    assert!(matches!(fixture.check().await, Finding::Alarmed { .. }));
}

#[tokio::test]
async fn without_a_mail_server_notifications_are_only_shown_in_the_hub() {
    let fixture = AlertFixture::with(|config| config.mail.smtp = None).await;
    fixture.insert_user("ana", "admin").await;
    fixture.raise_alarm().await;
    assert_eq!(fixture.notifications().await.as_array().unwrap().len(), 1);
    assert_eq!(fixture.outbox().await, json!([]));
}
