//! A driver that is newly enabled gets what is recent; older events go out only when somebody asks for them.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use stand_ins::Service;
use tokio_util::sync::CancellationToken;

use backend::models::driver::Driver;
use backend::models::sync_run::SyncState;
use backend::telemetry::delivery::BackfillError;

use super::ground::Ground;
use super::plans::{AS_THE_POOL, COUNT, plan, rows_read};
use super::settings::{both, ga4, mixpanel};
use super::steps::uid;
use crate::harness::statements::Statements;

/// A hub without a driver, and events of six days, of four days, and of an hour ago.
async fn hub_that_never_had_a_driver() -> (Ground, [i64; 3]) {
    let ground = Ground::impatient(|_, _| {}).await;
    let [six_days, four_days, an_hour] =
        [TimeDelta::days(6), TimeDelta::days(4), TimeDelta::hours(1)].map(|ago| ground.events_from(ago, 1));
    let ids = [six_days.await[0], four_days.await[0], an_hour.await[0]];
    (ground, ids)
}

#[tokio::test]
async fn a_newly_enabled_driver_gets_the_pending_events_of_the_last_days_and_none_that_are_older() {
    let (ground, ids) = hub_that_never_had_a_driver().await;
    let run = ground.run_with(both).await;
    assert_eq!((run.state, run.processed), (SyncState::Success, 2));
    let of_ga4: Vec<String> = ground.services.ga4_copies_by_event_uid().into_keys().collect();
    assert_eq!(of_ga4, [uid(ids[2])], "71 hours");
    let of_mixpanel: Vec<String> = ground.services.mixpanel_deduped_by_event_uid().into_keys().collect();
    assert_eq!(of_mixpanel, [uid(ids[1]), uid(ids[2])], "five days");
    assert_eq!(ground.states("ga4").await, json!({"delivered": 1}));
    // What is too old for both is pending no more, and says that nobody got it.
    assert_eq!(ground.hub.rows("SELECT * FROM telemetry_pending").await, json!([]));
    let unsynced = ground.hub.rows("SELECT id FROM video_player_events WHERE synced_at IS NULL").await;
    assert_eq!(unsynced, json!([{"id": ids[0]}]));
    assert_eq!(ground.run_with(both).await.state, SyncState::Skipped);
}

#[tokio::test]
async fn what_is_too_old_for_every_driver_is_not_counted_as_pending() {
    let (ground, _) = hub_that_never_had_a_driver().await;
    let pending = async || {
        let status = "{ syncStatus { eventsPending drivers { pending } } }";
        ground.hub.graphql(status).by(&ground.admin).data().await["syncStatus"].take()
    };
    let none = json!({"pending": 0});
    assert_eq!(pending().await, json!({"eventsPending": 3, "drivers": [none, none]}));
    let app = ground.app_with(both);
    app.sync.enable_drivers().await.unwrap();
    let (ga4, mixpanel) = (json!({"pending": 1}), json!({"pending": 2}));
    assert_eq!(pending().await, json!({"eventsPending": 2, "drivers": [ga4, mixpanel]}));
    app.sync.settle_too_old(std::time::Duration::from_mins(1)).await.unwrap();
    let left = ground.hub.rows("SELECT count(*) FROM telemetry_pending").await;
    assert_eq!(left, json!([{"count": 2}]));
}

#[tokio::test]
async fn older_events_go_out_when_somebody_asks_for_them_and_once() {
    let (ground, ids) = hub_that_never_had_a_driver().await;
    ground.run_with(both).await;
    let app = ground.app_with(both);
    let backfill = async |ago| {
        let since = ground.hub.clock.now() - ago;
        app.sync.backfill(Driver::Mixpanel, since, &CancellationToken::new()).await.unwrap()
    };
    assert_eq!(backfill(TimeDelta::days(5)).await, 0, "all of it was sent");
    assert_eq!(backfill(TimeDelta::days(30)).await, 1);
    assert_eq!(backfill(TimeDelta::days(30)).await, 0, "it is pending");
    assert_eq!(ground.run_with(both).await.state, SyncState::Success);
    let stored = ground.services.mixpanel_raw();
    assert_eq!((stored.len(), ground.services.stored_ga4().len(), ground.unsynced().await), (3, 1, 0));
    assert!(ground.services.mixpanel_deduped_by_event_uid().contains_key(&uid(ids[0])));
    assert_eq!(backfill(TimeDelta::days(30)).await, 0, "it was sent");
}

#[tokio::test]
async fn what_others_had_before_a_driver_was_enabled_is_backfilled_too() {
    let ground = Ground::impatient(ga4).await;
    ground.events_from(TimeDelta::days(2), 12_000).await;
    ground.hub.sql("UPDATE video_player_events SET synced_at = now()").await;
    let app = ground.app_with(mixpanel);
    let since = ground.hub.clock.now() - TimeDelta::days(3);
    let put = app.sync.backfill(Driver::Mixpanel, since, &CancellationToken::new()).await.unwrap();
    assert_eq!((put, ground.unsynced().await), (12_000, 12_000));
    assert_eq!(ground.run_with(mixpanel).await.state, SyncState::Success);
    assert_eq!((ground.unsynced().await, ground.requests(Service::Ga4)), (0, 0));
}

#[tokio::test]
async fn what_a_service_cannot_take_is_not_backfilled() {
    let (ground, _) = hub_that_never_had_a_driver().await;
    let since = |ago: TimeDelta| -> DateTime<Utc> { ground.hub.clock.now() - ago };
    let stop = CancellationToken::new();
    let app = ground.app_with(ga4);
    let old = app.sync.backfill(Driver::Ga4, since(TimeDelta::hours(72)), &stop).await;
    assert!(matches!(old, Err(BackfillError::TooOld(limit)) if limit == TimeDelta::hours(71)), "{old:?}");
    let unknown = app.sync.backfill(Driver::Mixpanel, since(TimeDelta::hours(1)), &stop).await;
    assert!(matches!(unknown, Err(BackfillError::NotEnabledHere)), "{unknown:?}");
    let tracking = ground.app_with(|config, services| {
        mixpanel(config, services);
        config.telemetry.mixpanel.endpoint = backend::config::telemetry::Endpoint::Track;
    });
    let old = tracking.sync.backfill(Driver::Mixpanel, since(TimeDelta::days(5)), &stop).await;
    assert!(matches!(old, Err(BackfillError::TooOld(_))), "{old:?}");
    assert_eq!(ground.hub.rows("SELECT * FROM telemetry_deliveries").await, json!([]));
    assert_eq!(app.sync.backfill(Driver::Ga4, since(TimeDelta::hours(70)), &stop).await.unwrap(), 0);
}

/// More than are counted.
const MANY: i64 = 400_000;

#[tokio::test]
async fn status_metrics_and_the_beginning_of_a_run_cost_the_same_however_much_is_pending() {
    let ground = Ground::impatient(ga4).await;
    ground
        .hub
        .sql(&format!(
            "INSERT INTO telemetry_pending (recorded_at, event_id) \
             SELECT '2027-01-01Z'::timestamptz + place * interval '1 second', place FROM generate_series(1, {MANY}) AS place; \
             ANALYZE telemetry_pending"
        ))
        .await;
    let statements = Statements::of(&ground.hub.app.pool).await;
    let status = "{ syncStatus { eventsPending drivers { pending } } }";
    let status = ground.hub.graphql(status).by(&ground.admin).data().await["syncStatus"].take();
    let pending = |count: i64| json!({"pending": count});
    assert_eq!(status, json!({"eventsPending": 100_000, "drivers": [pending(100_000), pending(0)]}));
    let heard = statements.take();
    let count = heard.iter().find(|statement| statement.contains("FULL JOIN")).unwrap();
    let exists = "SELECT EXISTS (SELECT FROM telemetry_pending WHERE recorded_at >= $1 AND (drivers IS NULL OR $2 = ANY (drivers)))";
    let client = ground.hub.database.client().await;
    client.batch_execute(AS_THE_POOL).await.unwrap();
    let from =
        |from: &str| format!("'ga4', 'mixpanel', '{from}', '9999-01-01Z', '{from}', 100000, true, false");
    for (name, statement, types, values, most) in [
        ("all", count.as_str(), COUNT, from("1900-01-01Z"), 100_000),
        // Three days after a driver was enabled for the first time.
        ("recent", count.as_str(), COUNT, from("2027-01-05T12:00:00Z"), 54_400),
        ("whether anything", exists, "(timestamptz, text)", "'2027-01-03Z', 'ga4'".to_owned(), 10),
    ] {
        // As a run has it, which alone asks that.
        let seqscan = if name == "whether anything" { "off" } else { "on" };
        client.batch_execute(&format!("SET enable_seqscan = {seqscan}")).await.unwrap();
        let plan: Value = plan(&client, statement, types, &values).await;
        let read = rows_read(&plan["Plan"]);
        assert!(read <= most, "{name} read {read} rows: {plan:#}");
    }
}
