//! What the tests of faults do with their ground, step by step.

use backend::app::App;
use backend::config::Config;
use backend::models::sync_run::{SyncRun, SyncTrigger};
use backend::telemetry::delivery::{Mode, Scope, SyncRequest};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use stand_ins::fault::Rule;
use stand_ins::{Service, StandIns};

use super::ground::Ground;
use super::settings::impatient;
use crate::harness::hub::APP_KEY;

/// Longer than any run of a test.
const LONG: std::time::Duration = std::time::Duration::from_mins(1);

impl Ground {
    /// With settings changed, and runs that wait for nothing, so that each shows one step.
    pub async fn impatient(change: impl FnOnce(&mut Config, &StandIns)) -> Self {
        Self::with(|config, services| {
            change(config, services);
            impatient(config);
        })
        .await
    }

    /// A token of the admin, good from now on: none outlasts the hours that these tests make pass.
    pub async fn token(&self) -> String {
        let admin = self.hub.rows("SELECT min(id) AS id FROM users WHERE role = 'admin'").await;
        self.hub.sign_in(admin[0]["id"].as_i64().unwrap()).await
    }

    /// What `retryLastSyncBatch` answers.
    pub async fn retry_last_batch(&self) -> Value {
        let run = "mutation { run: retryLastSyncBatch { state processed message \
                   drivers { driver attempted delivered retrying dead expired requests } } }";
        self.hub.graphql(run).by(&self.token().await).data().await["run"].take()
    }

    /// What `requeueDeadDeliveries` answers.
    pub async fn requeue(&self, arguments: &str) -> Value {
        let requeue = format!("mutation {{ requeued: requeueDeadDeliveries({arguments}) }}");
        self.hub.graphql(&requeue).by(&self.token().await).data().await["requeued"].take()
    }

    /// A process with other settings on the same database.
    pub fn app_with(&self, change: impl FnOnce(&mut Config, &StandIns)) -> App {
        let mut config = Config::for_database(self.hub.database.url.expose_secret(), APP_KEY);
        change(&mut config, &self.services);
        impatient(&mut config);
        App::new(config, self.hub.database.pool.clone(), self.hub.clock.clone()).unwrap()
    }

    /// Runs once, as a process with other settings would on the same database.
    pub async fn run_with(&self, change: impl FnOnce(&mut Config, &StandIns)) -> SyncRun {
        let app = self.app_with(change);
        let (trigger, scope, mode) = (SyncTrigger::Schedule, Scope::Oldest, Mode::Once);
        let request = SyncRequest { trigger, triggered_by: None, scope, limit: None, mode, budget: None };
        app.sync.start_and_wait(request, LONG).await.unwrap()
    }

    /// From now on this goes wrong, and nothing else.
    pub fn faults(&self, rules: impl IntoIterator<Item = Rule>) {
        self.services.set_faults(rules).unwrap();
    }

    /// How many requests a service has had.
    pub fn requests(&self, service: Service) -> usize {
        self.services.requests(service).len()
    }

    /// All events are gone, and so is what the services know and do wrong.
    pub async fn clear(&self) {
        self.hub.sql("DELETE FROM telemetry_deliveries; DELETE FROM video_player_events").await;
        self.services.reset();
    }
}

/// What an event is called at the services.
pub fn uid(id: i64) -> String {
    format!("vpe-{id}")
}

/// A driver's share in a run.
pub fn share<'a>(run: &'a Value, driver: &str) -> &'a Value {
    let shares = run["drivers"].as_array().unwrap();
    shares.iter().find(|share| share["driver"] == driver).unwrap_or_else(|| panic!("{run}"))
}
