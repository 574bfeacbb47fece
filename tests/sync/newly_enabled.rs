//! Newly enabled drivers: they get recent events, and older events only by a backfill.

use chrono::{DateTime, TimeDelta, Utc};
use domain::Driver;
use domain::sync::SyncState;
use serde_json::{Value, json};
use stand_ins::Service;
use tokio_util::sync::CancellationToken;

use backend::telemetry::delivery::BackfillError;

use super::actions::uid;
use super::configs::{both, ga4, mixpanel};
use super::fixture::SyncFixture;
use super::plans::{COUNT_PARAMETERS, POOL_SETTINGS, plan, rows_read};
use crate::harness::statements::Statements;

/// A hub without drivers, with events from six days, four days and an hour ago.
async fn hub_without_drivers() -> (SyncFixture, [i64; 3]) {
    let fixture = SyncFixture::without_waits(|_, _| {}).await;
    let [six_days, four_days, an_hour] = [TimeDelta::days(6), TimeDelta::days(4), TimeDelta::hours(1)]
        .map(|ago| fixture.insert_events_from(ago, 1));
    let ids = [six_days.await[0], four_days.await[0], an_hour.await[0]];
    (fixture, ids)
}

#[tokio::test]
async fn a_newly_enabled_driver_gets_only_events_of_the_last_days() {
    let (fixture, ids) = hub_without_drivers().await;
    let run = fixture.run_with(both).await;
    assert_eq!((run.state, run.processed), (SyncState::Success, 2));
    let ga4_uids: Vec<String> = fixture.services.ga4_copies_by_event_uid().into_keys().collect();
    assert_eq!(ga4_uids, [uid(ids[2])], "71 hours");
    let mixpanel_uids: Vec<String> = fixture.services.mixpanel_deduped_by_event_uid().into_keys().collect();
    assert_eq!(mixpanel_uids, [uid(ids[1]), uid(ids[2])], "five days");
    assert_eq!(fixture.states("ga4").await, json!({"delivered": 1}));
    // The event that is too old for both drivers is not pending any more, and stays unsynced.
    assert_eq!(fixture.hub.rows("SELECT * FROM telemetry_pending").await, json!([]));
    let unsynced = fixture.hub.rows("SELECT id FROM video_player_events WHERE synced_at IS NULL").await;
    assert_eq!(unsynced, json!([{"id": ids[0]}]));
    assert_eq!(fixture.run_with(both).await.state, SyncState::Skipped);
}

#[tokio::test]
async fn events_too_old_for_every_driver_do_not_count_as_pending() {
    let (fixture, _) = hub_without_drivers().await;
    let pending = async || {
        let status = "{ syncStatus { eventsPending drivers { pending } } }";
        fixture.hub.graphql(status).by(&fixture.admin_token).data().await["syncStatus"].take()
    };
    let none = json!({"pending": 0});
    assert_eq!(pending().await, json!({"eventsPending": 3, "drivers": [none, none]}));
    let app = fixture.app_with(both);
    app.sync.enable_drivers().await.unwrap();
    let (ga4, mixpanel) = (json!({"pending": 1}), json!({"pending": 2}));
    assert_eq!(pending().await, json!({"eventsPending": 2, "drivers": [ga4, mixpanel]}));
    app.sync.discard_too_old(std::time::Duration::from_mins(1)).await.unwrap();
    let left = fixture.hub.rows("SELECT count(*) FROM telemetry_pending").await;
    assert_eq!(left, json!([{"count": 2}]));
}

#[tokio::test]
async fn a_backfill_sends_older_events_once() {
    let (fixture, ids) = hub_without_drivers().await;
    fixture.run_with(both).await;
    let app = fixture.app_with(both);
    let backfill = async |ago| {
        let since = fixture.hub.clock.now() - ago;
        app.sync.backfill(Driver::Mixpanel, since, &CancellationToken::new()).await.unwrap()
    };
    assert_eq!(backfill(TimeDelta::days(5)).await, 0, "all of these events were sent");
    assert_eq!(backfill(TimeDelta::days(30)).await, 1);
    assert_eq!(backfill(TimeDelta::days(30)).await, 0, "the event is already pending");
    assert_eq!(fixture.run_with(both).await.state, SyncState::Success);
    let stored = fixture.services.mixpanel_raw();
    assert_eq!((stored.len(), fixture.services.stored_ga4().len(), fixture.unsynced().await), (3, 1, 0));
    assert!(fixture.services.mixpanel_deduped_by_event_uid().contains_key(&uid(ids[0])));
    assert_eq!(backfill(TimeDelta::days(30)).await, 0, "the event was sent");
}

#[tokio::test]
async fn events_that_other_drivers_delivered_are_backfilled_too() {
    let fixture = SyncFixture::without_waits(ga4).await;
    fixture.insert_events_from(TimeDelta::days(2), 12_000).await;
    fixture.hub.sql("UPDATE video_player_events SET synced_at = now()").await;
    let app = fixture.app_with(mixpanel);
    let since = fixture.hub.clock.now() - TimeDelta::days(3);
    let backfilled = app.sync.backfill(Driver::Mixpanel, since, &CancellationToken::new()).await.unwrap();
    assert_eq!((backfilled, fixture.unsynced().await), (12_000, 12_000));
    assert_eq!(fixture.run_with(mixpanel).await.state, SyncState::Success);
    assert_eq!((fixture.unsynced().await, fixture.requests(Service::Ga4)), (0, 0));
}

#[tokio::test]
async fn a_backfill_refuses_events_that_the_service_would_not_accept() {
    let (fixture, _) = hub_without_drivers().await;
    let since = |ago: TimeDelta| -> DateTime<Utc> { fixture.hub.clock.now() - ago };
    let stop = CancellationToken::new();
    let app = fixture.app_with(ga4);
    let old = app.sync.backfill(Driver::Ga4, since(TimeDelta::hours(72)), &stop).await;
    assert!(matches!(old, Err(BackfillError::TooOld(limit)) if limit == TimeDelta::hours(71)), "{old:?}");
    let unknown = app.sync.backfill(Driver::Mixpanel, since(TimeDelta::hours(1)), &stop).await;
    assert!(matches!(unknown, Err(BackfillError::NotEnabledHere)), "{unknown:?}");
    let tracking = fixture.app_with(|config, services| {
        mixpanel(config, services);
        config.telemetry.mixpanel.endpoint = backend::config::telemetry::Endpoint::Track;
    });
    let old = tracking.sync.backfill(Driver::Mixpanel, since(TimeDelta::days(5)), &stop).await;
    assert!(matches!(old, Err(BackfillError::TooOld(_))), "{old:?}");
    assert_eq!(fixture.hub.rows("SELECT * FROM telemetry_deliveries").await, json!([]));
    assert_eq!(app.sync.backfill(Driver::Ga4, since(TimeDelta::hours(70)), &stop).await.unwrap(), 0);
}

/// More pending events than the status counts.
const PENDING_EVENTS: i64 = 400_000;

#[tokio::test]
async fn query_costs_do_not_grow_with_the_number_of_pending_events() {
    let fixture = SyncFixture::without_waits(ga4).await;
    fixture
        .hub
        .sql(&format!(
            "INSERT INTO telemetry_pending (recorded_at, event_id) \
             SELECT '2027-01-01Z'::timestamptz + place * interval '1 second', place FROM generate_series(1, {PENDING_EVENTS}) AS place; \
             ANALYZE telemetry_pending"
        ))
        .await;
    let statements = Statements::of(&fixture.hub.app.pool).await;
    let status = "{ syncStatus { eventsPending drivers { pending } } }";
    let status = fixture.hub.graphql(status).by(&fixture.admin_token).data().await["syncStatus"].take();
    let pending = |count: i64| json!({"pending": count});
    assert_eq!(status, json!({"eventsPending": 100_000, "drivers": [pending(100_000), pending(0)]}));
    let captured = statements.take();
    let count = captured.iter().find(|statement| statement.contains("FULL JOIN")).unwrap();
    let exists = "SELECT EXISTS (SELECT FROM telemetry_pending WHERE recorded_at >= $1 AND (drivers IS NULL OR $2 = ANY (drivers)))";
    let client = fixture.hub.database.client().await;
    client.batch_execute(POOL_SETTINGS).await.unwrap();
    let from =
        |from: &str| format!("'ga4', 'mixpanel', '{from}', '9999-01-01Z', '{from}', 100000, true, false");
    for (name, statement, types, values, max_rows) in [
        ("all", count.as_str(), COUNT_PARAMETERS, from("1900-01-01Z"), 100_000),
        // A driver that was enabled for the first time three days ago.
        ("recent", count.as_str(), COUNT_PARAMETERS, from("2027-01-05T12:00:00Z"), 54_400),
        ("has pending", exists, "(timestamptz, text)", "'2027-01-03Z', 'ga4'".to_owned(), 10),
    ] {
        // Only runs execute this query, and they disable sequential scans.
        let seqscan = if name == "has pending" { "off" } else { "on" };
        client.batch_execute(&format!("SET enable_seqscan = {seqscan}")).await.unwrap();
        let plan: Value = plan(&client, statement, types, &values).await;
        let read = rows_read(&plan["Plan"]);
        assert!(read <= max_rows, "{name} read {read} rows: {plan:#}");
    }
}
