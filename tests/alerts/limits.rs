//! When there is cause for alarm.

use backend::telemetry::backlog::Alarm;
use backend::telemetry::monitor::Finding;
use chrono::TimeDelta;
use serde_json::json;

use super::{Watch, another, look_at};
use crate::harness::statements::Statements;

#[tokio::test]
async fn as_many_events_as_the_threshold_raise_the_alarm_and_one_less_does_not() {
    let watch = Watch::start().await;
    watch.person("ana", "admin").await;
    watch.pending(9, 5).await;
    assert_eq!(watch.look().await, Finding::Calm);
    assert_eq!(watch.told().await, json!([]));
    watch.pending(1, 5).await;
    assert_eq!(watch.look().await, Finding::Alarmed { why: Alarm::Number, people: 1 });
}

#[tokio::test]
async fn an_event_as_old_as_the_limit_raises_the_alarm_and_one_a_second_younger_does_not() {
    let watch = Watch::start().await;
    watch.pending(1, 180).await;
    watch.hub.clock.advance(TimeDelta::seconds(-1));
    assert_eq!(watch.look().await, Finding::Calm);
    watch.hub.clock.advance(TimeDelta::seconds(1));
    assert_eq!(watch.look().await, Finding::Alarmed { why: Alarm::Age, people: 0 });
}

#[tokio::test]
async fn an_event_waits_from_when_it_came_in_however_long_ago_it_happened() {
    let watch = Watch::start().await;
    // Of a player that was offline for two days.
    watch.late(1, 2 * 24 * 60, 0).await;
    let checked = look_at(&watch.hub.app).await;
    assert_eq!((checked.finding, checked.backlog.age(checked.at)), (Finding::Calm, Some(TimeDelta::zero())));
    watch.pass(179);
    assert_eq!(watch.look().await, Finding::Calm);
    watch.pass(1);
    assert_eq!(watch.look().await, Finding::Alarmed { why: Alarm::Age, people: 0 });
}

#[tokio::test]
async fn what_is_synced_is_no_backlog_however_old() {
    let watch = Watch::start().await;
    watch.pending(50, 600).await;
    watch.synced().await;
    watch.pending(3, 20).await;
    let checked = look_at(&watch.hub.app).await;
    assert_eq!((checked.backlog.events_pending, checked.finding), (3, Finding::Calm));
    assert_eq!(checked.backlog.age(checked.at), Some(TimeDelta::minutes(20)));
}

#[tokio::test]
async fn where_nothing_is_ever_synced_nobody_is_alarmed() {
    let watch = Watch::with(|config| config.telemetry.ga4.enabled = false).await;
    watch.person("ana", "admin").await;
    watch.pending(50, 600).await;
    assert_eq!(watch.look().await, Finding::NothingEnabled);
    assert_eq!(watch.told().await, json!([]));
    let with_mixpanel = another(&watch.hub, |config| config.telemetry.mixpanel.enabled = true);
    assert_eq!(look_at(&with_mixpanel).await.finding, Finding::Alarmed { why: Alarm::Age, people: 1 });
}

#[tokio::test]
async fn counting_the_backlog_looks_at_nothing_that_is_synced() {
    let watch = Watch::start().await;
    watch.pending(20_000, 600).await;
    watch.synced().await;
    watch.pending(3, 20).await;
    let statements = Statements::of(&watch.hub.app.pool).await;
    watch.look().await;
    let heard = statements.take();
    assert!(heard.iter().any(|statement| statement.contains("FROM telemetry_pending")), "{heard:#?}");
    assert!(!heard.iter().any(|statement| statement.contains("video_player_events")), "{heard:#?}");
}
