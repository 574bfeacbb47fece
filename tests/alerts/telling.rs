//! Who is told, and how often.

use backend::telemetry::backlog::Alarm;
use backend::telemetry::monitor::{self, Finding};
use futures_util::future::join_all;
use serde_json::json;

use super::{THRESHOLD, Watch, alert, another, look_at};
use crate::harness::hub::NOW;

#[tokio::test]
async fn active_admins_and_teacher_admins_are_told_and_nobody_else() {
    let watch = Watch::start().await;
    let ana = watch.person("ana", "admin").await;
    let teo = watch.person("teo", "teacher_admin").await;
    for (name, role) in [("tim", "teacher"), ("sara", "student"), ("lms", "service")] {
        watch.person(name, role).await;
    }
    for (name, role) in [("gone", "admin"), ("left", "teacher_admin")] {
        let out = watch.person(name, role).await;
        watch.hub.academy.execute("UPDATE users SET active = false WHERE id = $1", &[&out]).await;
    }
    watch.alarm().await;
    let backlog = "telemetry_backlog";
    assert_eq!(
        watch.told().await,
        json!([{"user_id": ana, "kind": backlog}, {"user_id": teo, "kind": backlog}])
    );
    watch.deliver().await;
    let SentTo(addresses) = SentTo::of(watch);
    assert_eq!(addresses, ["ana@example.org", "teo@example.org"]);
}

struct SentTo(Vec<String>);

impl SentTo {
    fn of(mut watch: Watch) -> Self {
        let mut addresses: Vec<String> = watch.smtp.so_far().into_iter().flat_map(|mail| mail.to).collect();
        addresses.sort();
        Self(addresses)
    }
}

#[tokio::test]
async fn of_processes_that_look_at_once_one_tells() {
    let watch = Watch::start().await;
    watch.person("ana", "admin").await;
    watch.pending(THRESHOLD, 5).await;
    let other = another(&watch.hub, alert);
    let looks = (0..8).flat_map(|_| [look_at(&watch.hub.app), look_at(&other)]);
    let findings: Vec<Finding> = join_all(looks).await.into_iter().map(|checked| checked.finding).collect();
    let told = Finding::Alarmed { why: Alarm::Number, people: 1 };
    let held =
        Finding::StillAlarmed { why: Alarm::Number, told_again_from: NOW + chrono::TimeDelta::hours(1) };
    let count = |wanted| findings.iter().filter(|finding| **finding == wanted).count();
    assert_eq!((count(told), count(held)), (1, 15));
    assert_eq!(watch.told().await.as_array().unwrap().len(), 1);

    watch.synced().await;
    let looks = (0..8).flat_map(|_| [look_at(&watch.hub.app), look_at(&other)]);
    let findings: Vec<Finding> = join_all(looks).await.into_iter().map(|checked| checked.finding).collect();
    let count = |wanted| findings.iter().filter(|finding| **finding == wanted).count();
    assert_eq!((count(Finding::Recovered { people: 1 }), count(Finding::Calm)), (1, 15));
}

#[tokio::test]
async fn the_alarm_is_repeated_after_the_cooldown_and_not_before_also_by_a_hub_that_was_started_since() {
    let watch = Watch::start().await;
    watch.person("ana", "admin").await;
    watch.alarm().await;
    watch.pass(59);
    let restarted = another(&watch.hub, alert);
    assert!(matches!(look_at(&restarted).await.finding, Finding::StillAlarmed { .. }));
    watch.pass(1);
    assert_eq!(look_at(&restarted).await.finding, Finding::Alarmed { why: Alarm::Number, people: 1 });
    assert!(matches!(watch.look().await, Finding::StillAlarmed { .. }));
    assert_eq!(watch.told().await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn whoever_was_alarmed_is_told_once_that_the_backlog_is_gone() {
    let watch = Watch::start().await;
    let ana = watch.person("ana", "admin").await;
    watch.alarm().await;
    watch.synced().await;
    watch.pending(THRESHOLD - 1, 5).await;
    assert_eq!(watch.look().await, Finding::Recovered { people: 1 });
    assert_eq!(watch.look().await, Finding::Calm);
    assert_eq!(watch.told().await[1], json!({"user_id": ana, "kind": "telemetry_backlog_gone"}));
}

#[tokio::test]
async fn nobody_is_told_of_the_end_of_an_alarm_that_they_did_not_hear() {
    let watch = Watch::start().await;
    watch.person("ana", "admin").await;
    watch.alarm().await;
    watch.synced().await;
    assert_eq!(watch.look().await, Finding::Recovered { people: 1 });
    watch.pending(THRESHOLD, 5).await;
    assert!(matches!(watch.look().await, Finding::StillAlarmed { .. }), "within the cooldown");
    watch.synced().await;
    assert_eq!(watch.look().await, Finding::Calm);
}

#[tokio::test]
async fn whoever_cannot_tell_leaves_it_to_the_next() {
    let watch = Watch::start().await;
    watch.person("ana", "admin").await;
    watch.pending(THRESHOLD, 5).await;
    watch.hub.sql("ALTER TABLE notifications ADD CONSTRAINT broken CHECK (false)").await;
    monitor::check(&watch.hub.app).await.unwrap_err();
    watch.hub.sql("ALTER TABLE notifications DROP CONSTRAINT broken").await;
    assert_eq!(watch.look().await, Finding::Alarmed { why: Alarm::Number, people: 1 });
}

#[tokio::test]
async fn a_clock_that_went_wrong_once_silences_no_alarm() {
    let watch = Watch::start().await;
    watch.alarm().await;
    watch.hub.sql("UPDATE alarms SET notified_at = notified_at + interval '1 year'").await;
    assert!(matches!(watch.look().await, Finding::Alarmed { .. }));
}

#[tokio::test]
async fn without_a_mail_server_people_are_told_in_the_hub_and_no_mail_waits() {
    let watch = Watch::with(|config| config.mail.smtp = None).await;
    watch.person("ana", "admin").await;
    watch.alarm().await;
    assert_eq!(watch.told().await.as_array().unwrap().len(), 1);
    assert_eq!(watch.outbox().await, json!([]));
}
