//! A hub with enabled drivers, and the stand-ins that they send to.

use backend::models::sync_run::SyncRun;
use backend::telemetry::delivery::{Mode, Scope, Started, SyncRequest};
use chrono::{DateTime, TimeDelta, Utc};
use domain::access::Role;
use domain::sync::SyncTrigger;
use secrecy::SecretString;
use serde_json::{Value, json};
use stand_ins::fault::{Fault, Rule};
use stand_ins::{ClockSetting, Service, StandIns, config as valid};

use backend::clock::Clock;
use backend::config::Config;

use crate::harness::academy::Lesson;
use crate::harness::database::TestDatabase;
use crate::harness::hub::{Hub, NOW};

/// A hub with drivers that send to stand-ins. Both use the same clock.
pub struct SyncFixture {
    pub hub: Hub,
    pub services: StandIns,
    pub lesson: Lesson,
    /// The user of the inserted events.
    pub viewer: i64,
    pub admin_token: String,
}

/// Enables GA4 and Mixpanel.
pub fn both(config: &mut Config, services: &StandIns) {
    ga4(config, services);
    mixpanel(config, services);
}

/// Enables GA4.
pub fn ga4(config: &mut Config, services: &StandIns) {
    let ga4 = &mut config.telemetry.ga4;
    ga4.enabled = true;
    ga4.measurement_id = Some(valid::MEASUREMENT_ID.to_owned());
    ga4.api_secret = Some(SecretString::from(valid::API_SECRET));
    ga4.base_url = services.ga4_url().parse().unwrap();
}

/// Enables Mixpanel through `/import`.
pub fn mixpanel(config: &mut Config, services: &StandIns) {
    let mixpanel = &mut config.telemetry.mixpanel;
    mixpanel.enabled = true;
    mixpanel.project_token = Some(SecretString::from(valid::PROJECT_TOKEN));
    mixpanel.api_secret = Some(SecretString::from(valid::PROJECT_SECRET));
    mixpanel.base_url = services.mixpanel_url().parse().unwrap();
}

/// Marks the drivers as enabled since 1900, so that events of any age are pending for them.
pub async fn enable_drivers_long_ago(database: &TestDatabase, drivers: &[&str]) {
    let enable = "INSERT INTO telemetry_drivers (driver, enabled_since, sends_from, updated_at) \
                  SELECT unnest($1::text[]), '1900-01-01Z', '1900-01-01Z', '1900-01-01Z'";
    database.client().await.execute(enable, &[&drivers]).await.unwrap();
}

impl SyncFixture {
    /// Enables both drivers.
    pub async fn new() -> Self {
        Self::with(both).await
    }

    /// Applies changes to the configuration.
    pub async fn with(change: impl FnOnce(&mut Config, &StandIns)) -> Self {
        Self::at(Clock::fixed(NOW), ClockSetting::Fixed(NOW), change).await
    }

    /// Enables both drivers and uses the system clock, as the real program does.
    pub async fn on_system_clock() -> Self {
        Self::at(Clock::system(), ClockSetting::System, both).await
    }

    async fn at(
        clock: Clock,
        service_clock: ClockSetting,
        change: impl FnOnce(&mut Config, &StandIns),
    ) -> Self {
        let services = StandIns::start().await.unwrap();
        services.set_clock(service_clock);
        let hub = Hub::at(clock, TestDatabase::new().await, |config| change(config, &services)).await;
        let enabled = backend::telemetry::driver::enabled_names(&hub.app.config.telemetry);
        enable_drivers_long_ago(
            &hub.database,
            &enabled.iter().map(|driver| driver.key()).collect::<Vec<_>>(),
        )
        .await;
        let course = hub.academy.course().await;
        let lesson = hub.academy.lesson(course).await;
        let viewer = hub.academy.user(Role::Student).await;
        let admin_token = hub.user(Role::Admin).await.token;
        Self { hub, services, lesson, viewer, admin_token }
    }

    /// Starts another hub on the same database that sends to the same services.
    pub async fn another_hub(&self) -> Hub {
        let (clock, database) = (self.hub.clock.clone(), self.hub.database.shared());
        Hub::at(clock, database, |config| both(config, &self.services)).await
    }

    /// Advances the clocks of the hub and the services.
    pub fn advance(&self, by: TimeDelta) {
        self.hub.clock.advance(by);
        self.services.set_clock(ClockSetting::Fixed(self.hub.clock.now()));
    }

    /// Delays every response of GA4.
    pub fn slow_ga4(&self, millis: u64) {
        let slow = Rule::new(Service::Ga4, Fault::Slow).delay_millis(millis);
        self.services.set_faults([slow]).unwrap();
    }

    /// Waits until GA4 has received this many requests in total.
    pub async fn wait_for_ga4_requests(&self, requests: u64) {
        self.services.until(|counts| counts.ga4.requests >= requests).await;
    }

    /// Inserts events of the viewer, one per second, the last one a minute ago. Returns their ids.
    pub async fn insert_events(&self, count: i64) -> Vec<i64> {
        self.insert_events_from(TimeDelta::minutes(1) + TimeDelta::seconds(count), count).await
    }

    /// Inserts events of the viewer, one per second, starting this long ago. Returns their ids.
    pub async fn insert_events_from(&self, ago: TimeDelta, count: i64) -> Vec<i64> {
        let first = self.hub.clock.now() - ago;
        let last = first + TimeDelta::seconds(count);
        let client = self.hub.database.client().await;
        client
            .execute(
                "SELECT ensure_player_event_partitions(to_timestamp($1)::date, to_timestamp($2)::date)",
                &[&seconds(first), &seconds(last)],
            )
            .await
            .unwrap();
        let rows = client
            .query(
                "INSERT INTO video_player_events (recorded_at, created_at, user_id, course_id, lesson_id, event, \
                     provider, playback_seconds, watched_seconds, video_duration, metadata) \
                 SELECT to_timestamp($1::float8 + place), to_timestamp($1::float8), $2, $3, $4, 'play', 'youtube', place::int, \
                     place::int, 300, '{\"cta\": \"banner\"}' \
                 FROM generate_series(0, $5::bigint - 1) AS place RETURNING id",
                &[&seconds(first), &self.viewer, &self.lesson.course, &self.lesson.id, &count],
            )
            .await
            .unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Calls `runTelemetrySync` and returns the run.
    pub async fn run(&self) -> Value {
        let run = "mutation { run: runTelemetrySync(limit: 100000) { state trigger triggeredBy processed limit \
                   driverCount message drivers { driver attempted delivered retrying dead expired requests } } }";
        self.hub.graphql(run).by(&self.new_admin_token().await).data().await["run"].take()
    }

    /// Starts a scheduled run that continues until no pending event can be sent.
    pub async fn run_until_empty(&self) -> SyncRun {
        let request = SyncRequest {
            trigger: SyncTrigger::Schedule,
            triggered_by: None,
            scope: Scope::Oldest,
            limit: None,
            mode: Mode::UntilEmpty,
            budget: None,
        };
        match self.hub.app.sync.start(request).await.unwrap() {
            Started::Ended(run) => run,
            Started::InProgress { run, ended } => {
                ended.await.unwrap();
                let conn = &mut self.hub.database.pool.get().await.unwrap();
                SyncRun::find(conn, run.id).await.unwrap().unwrap()
            }
        }
    }

    /// Counts the deliveries of a driver by state.
    pub async fn states(&self, driver: &str) -> Value {
        let select = format!(
            "SELECT state, count(*) FROM telemetry_deliveries WHERE driver = '{driver}' GROUP BY state ORDER BY state"
        );
        let rows = self.hub.rows(&select).await;
        let states = rows.as_array().unwrap().iter();
        states
            .map(|row| (row["state"].as_str().unwrap().to_owned(), row["count"].clone()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    /// Counts the events that are not synced.
    pub async fn unsynced(&self) -> i64 {
        let count = self.hub.rows("SELECT count(*) FROM video_player_events WHERE synced_at IS NULL").await;
        count[0]["count"].as_i64().unwrap()
    }
}

/// A driver's statistics in a run that delivered every event.
pub fn all_delivered(driver: &str, events: i64, requests: i64) -> Value {
    json!({
        "driver": driver, "attempted": events, "delivered": events, "retrying": 0, "dead": 0, "expired": 0,
        "requests": requests,
    })
}

#[expect(clippy::cast_precision_loss, reason = "a double represents these milliseconds exactly")]
fn seconds(moment: DateTime<Utc>) -> f64 {
    moment.timestamp_millis() as f64 / 1000.0
}
