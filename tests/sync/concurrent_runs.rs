//! Concurrent runs: at most one run is in progress across all processes, and each event is sent once.

mod command;
mod frozen;
mod lost_lock;
mod shutdown;

use domain::access::TokenScope;
use domain::sync::{SyncState, SyncTrigger};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::fixture::SyncFixture;
use super::program::{self, server};
use crate::harness::hub::Hub;
use crate::harness::request::{ApiResponse, GraphqlRequest};

const RUN: &str = "mutation { run: runTelemetrySync(limit: 100000) { state processed message } }";

impl SyncFixture {
    /// The number of copies of each event at GA4, and of all events at Mixpanel before deduplication.
    fn copies(&self) -> (Vec<usize>, usize) {
        let ga4 = self.services.ga4_copies_by_event_uid();
        (ga4.into_values().collect(), self.services.mixpanel_raw().len())
    }

    /// Creates an API token of the admin, which real servers accept too.
    async fn api_token(&self) -> String {
        let admins = self.hub.rows("SELECT id FROM users WHERE role = 'admin'").await;
        let admin = admins[0]["id"].as_i64().unwrap();
        self.hub.api_token(admin, &[TokenScope::Sync, TokenScope::Read]).await
    }

    /// The row of the latest run.
    async fn last_run(&self) -> Value {
        let rows = "SELECT status, processed, message::json AS message FROM telemetry_sync_logs ORDER BY id DESC LIMIT 1";
        self.hub.rows(rows).await[0].take()
    }

    /// Asserts that no run is in progress and no event is in flight.
    async fn assert_nothing_in_flight(&self) {
        let left = "SELECT (SELECT count(*) FROM telemetry_sync_logs WHERE status = 'running') AS runs, \
                        (SELECT count(*) FROM telemetry_leases) AS leases";
        assert_eq!(self.hub.rows(left).await, json!([{"runs": 0, "leases": 0}]));
    }
}

/// A request to a server that starts a run.
fn run_request(hub: &Hub, address: &str, token: &str) -> GraphqlRequest {
    GraphqlRequest::new(hub.http.post(format!("{address}/graphql")), RUN).by(token)
}

/// Whether the request started a run. Otherwise another run was in progress, or nothing was pending.
fn has_run(answer: &ApiResponse) -> bool {
    if answer.body["data"].is_null() {
        assert_eq!(answer.code(), "CONFLICT", "{}", answer.body);
        return false;
    }
    let state = answer.body["data"]["run"]["state"].as_str().unwrap();
    assert!(["SUCCESS", "SKIPPED"].contains(&state), "{}", answer.body);
    state == "SUCCESS"
}

#[tokio::test]
async fn two_hubs_that_run_concurrently_send_each_event_once() {
    let fixture = SyncFixture::new().await;
    let other = fixture.another_hub().await;
    let mut runs = 0;
    for round in 1..=8 {
        fixture.insert_events(25).await;
        let requests = [&fixture.hub, &other, &fixture.hub, &other]
            .map(|hub| hub.graphql(RUN).by(&fixture.admin_token).send());
        let (has_scheduled_run, answers) = tokio::join!(fixture.run_by_schedule(), join_all(requests));
        runs += answers.iter().filter(|answer| has_run(answer)).count() + usize::from(has_scheduled_run);
        assert_eq!(fixture.copies(), (vec![1; 25 * round], 25 * round), "round {round}");
        fixture.assert_nothing_in_flight().await;
    }
    assert!(runs >= 8, "{runs}");
}

impl SyncFixture {
    /// Starts a scheduled run. Returns whether it ran and sent anything.
    async fn run_by_schedule(&self) -> bool {
        use backend::telemetry::delivery::{Mode, Scope, StartError, SyncRequest};
        let request = SyncRequest {
            trigger: SyncTrigger::Schedule,
            triggered_by: None,
            scope: Scope::Oldest,
            limit: None,
            mode: Mode::UntilEmpty,
            budget: None,
        };
        match self.hub.app.sync.start_and_wait(request, std::time::Duration::from_mins(1)).await {
            Ok(run) => run.state == SyncState::Success,
            Err(StartError::AlreadyRunning) => false,
            Err(StartError::Failed(error)) => panic!("{error:?}"),
        }
    }
}

#[tokio::test]
async fn a_run_requested_while_another_is_in_progress_is_refused() {
    let fixture = SyncFixture::on_system_clock().await;
    let other = fixture.another_hub().await;
    fixture.insert_events(9).await;
    fixture.slow_ga4(700);
    let second_run = async {
        fixture.wait_for_ga4_requests(1).await;
        assert_eq!(other.graphql(RUN).by(&fixture.admin_token).code().await, "CONFLICT");
        let retry = "mutation { retryLastSyncBatch { state } }";
        assert_eq!(other.graphql(retry).by(&fixture.admin_token).code().await, "CONFLICT");
        let command =
            program::dataporter(&fixture.hub.database, &fixture.services, &["telemetry:sync"]).output();
        let output = command.await.unwrap();
        assert_eq!(output.status.code(), Some(1));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains("Another sync run is in progress"), "{stderr}");
    };
    let (run, ()) = tokio::join!(fixture.run(), second_run);
    assert_eq!(run["state"], "SUCCESS", "{run}");
    assert_eq!(fixture.copies(), (vec![1; 9], 9));
}

#[tokio::test]
async fn two_servers_and_the_command_send_each_event_once() {
    let fixture = SyncFixture::on_system_clock().await;
    let token = fixture.api_token().await;
    let (first, second) = tokio::join!(server(&fixture), server(&fixture));
    for round in 1..=4 {
        fixture.insert_events(25).await;
        let requests = [&first, &second, &first, &second]
            .map(|(_, address)| run_request(&fixture.hub, address, &token).send());
        let arguments = ["telemetry:sync", "--until-empty"];
        let command = program::dataporter(&fixture.hub.database, &fixture.services, &arguments).output();
        let (answers, output) = tokio::join!(join_all(requests), command);
        for answer in &answers {
            has_run(answer);
        }
        let output = output.unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
        assert_eq!(fixture.copies(), (vec![1; 25 * round], 25 * round), "round {round}");
        fixture.assert_nothing_in_flight().await;
    }
}
