//! Actions that tests perform on the fixture.

use backend::app::App;
use backend::config::Config;
use backend::models::sync_run::SyncRun;
use backend::telemetry::delivery::{Mode, Scope, SyncRequest};
use domain::sync::SyncTrigger;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use stand_ins::fault::Rule;
use stand_ins::{Service, StandIns};

use super::configs::without_waits;
use super::fixture::SyncFixture;
use crate::harness::hub::APP_KEY;

/// Longer than any run in a test takes.
const RUN_TIMEOUT: std::time::Duration = std::time::Duration::from_mins(1);

impl SyncFixture {
    /// Applies changes to the configuration. Runs do not wait for a service that pauses, so each run makes
    /// one attempt.
    pub async fn without_waits(change: impl FnOnce(&mut Config, &StandIns)) -> Self {
        Self::with(|config, services| {
            change(config, services);
            without_waits(config);
        })
        .await
    }

    /// Creates an access token of the admin. Older tokens expire when a test advances the clock by hours.
    pub async fn new_admin_token(&self) -> String {
        let admin = self.hub.rows("SELECT min(id) AS id FROM users WHERE role = 'admin'").await;
        self.hub.sign_in(admin[0]["id"].as_i64().unwrap()).await
    }

    /// Calls `retryLastSyncBatch` and returns the run.
    pub async fn retry_last_batch(&self) -> Value {
        let run = "mutation { run: retryLastSyncBatch { state processed message \
                   drivers { driver attempted delivered retrying dead expired requests } } }";
        self.hub.graphql(run).by(&self.new_admin_token().await).data().await["run"].take()
    }

    /// Calls `requeueDeadDeliveries` and returns its result.
    pub async fn requeue(&self, arguments: &str) -> Value {
        let requeue = format!("mutation {{ requeued: requeueDeadDeliveries({arguments}) }}");
        self.hub.graphql(&requeue).by(&self.new_admin_token().await).data().await["requeued"].take()
    }

    /// Creates an app with another configuration on the same database, as in another process.
    pub fn app_with(&self, change: impl FnOnce(&mut Config, &StandIns)) -> App {
        let mut config = Config::for_database(self.hub.database.url.expose_secret(), APP_KEY);
        change(&mut config, &self.services);
        without_waits(&mut config);
        App::new(config, self.hub.database.pool.clone(), self.hub.clock.clone()).unwrap()
    }

    /// Runs the sync once with another configuration on the same database, as in another process.
    pub async fn run_with(&self, change: impl FnOnce(&mut Config, &StandIns)) -> SyncRun {
        let app = self.app_with(change);
        let (trigger, scope, mode) = (SyncTrigger::Schedule, Scope::Oldest, Mode::Once);
        let request = SyncRequest { trigger, triggered_by: None, scope, limit: None, mode, budget: None };
        app.sync.start_and_wait(request, RUN_TIMEOUT).await.unwrap()
    }

    /// Replaces the faults of the stand-ins.
    pub fn faults(&self, rules: impl IntoIterator<Item = Rule>) {
        self.services.set_faults(rules).unwrap();
    }

    /// Counts the requests that a service received.
    pub fn requests(&self, service: Service) -> usize {
        self.services.requests(service).len()
    }

    /// Deletes all events and resets the stand-ins with their faults.
    pub async fn clear(&self) {
        self.hub.sql("DELETE FROM telemetry_deliveries; DELETE FROM video_player_events").await;
        self.services.reset();
    }
}

/// The id under which the services know an event.
pub fn uid(id: i64) -> String {
    format!("vpe-{id}")
}

/// A driver's statistics in a run.
pub fn driver_stats<'a>(run: &'a Value, driver: &str) -> &'a Value {
    let drivers = run["drivers"].as_array().unwrap();
    drivers.iter().find(|stats| stats["driver"] == driver).unwrap_or_else(|| panic!("{run}"))
}
