//! Runs that meet: at most one is under way, whatever process it is in, and each event is sent once.

mod command;
mod frozen;
mod lost_lock;
mod told_to_end;

use domain::access::TokenScope;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::ground::Ground;
use super::program::{self, server};
use crate::harness::ask::{Answer, Ask};
use crate::harness::hub::Hub;

const RUN: &str = "mutation { run: runTelemetrySync(limit: 100000) { state processed message } }";

impl Ground {
    /// How many copies there are of each event, at GA4 and at Mixpanel before it takes copies for one.
    fn copies(&self) -> (Vec<usize>, usize) {
        let ga4 = self.services.ga4_copies_by_event_uid();
        (ga4.into_values().collect(), self.services.mixpanel_raw().len())
    }

    /// An API token of the admin's, good for real servers too.
    async fn api_token(&self) -> String {
        let admins = self.hub.rows("SELECT id FROM users WHERE role = 'admin'").await;
        let admin = admins[0]["id"].as_i64().unwrap();
        self.hub.api_token(admin, &[TokenScope::Sync, TokenScope::Read]).await
    }

    /// The newest run's row.
    async fn last_run(&self) -> Value {
        let rows = "SELECT status, processed, message::json AS message FROM telemetry_sync_logs ORDER BY id DESC LIMIT 1";
        self.hub.rows(rows).await[0].take()
    }

    /// Nothing is under way.
    async fn assert_nothing_is_under_way(&self) {
        let left = "SELECT (SELECT count(*) FROM telemetry_sync_logs WHERE status = 'running') AS runs, \
                        (SELECT count(*) FROM telemetry_leases) AS leases";
        assert_eq!(self.hub.rows(left).await, json!([{"runs": 0, "leases": 0}]));
    }
}

/// Asks a server for a run.
fn ask_to_run(hub: &Hub, address: &str, token: &str) -> Ask {
    Ask::new(hub.http.post(format!("{address}/graphql")), RUN).by(token)
}

/// Says whether a run was begun; else another was under way, or nothing was left.
fn worked(answer: &Answer) -> bool {
    if answer.body["data"].is_null() {
        assert_eq!(answer.code(), "CONFLICT", "{}", answer.body);
        return false;
    }
    let state = answer.body["data"]["run"]["state"].as_str().unwrap();
    assert!(["SUCCESS", "SKIPPED"].contains(&state), "{}", answer.body);
    state == "SUCCESS"
}

#[tokio::test]
async fn two_hubs_that_run_at_once_send_each_event_once() {
    let ground = Ground::new().await;
    let other = ground.another_hub().await;
    let mut begun = 0;
    for round in 1..=8 {
        ground.events(25).await;
        let asks =
            [&ground.hub, &other, &ground.hub, &other].map(|hub| hub.graphql(RUN).by(&ground.admin).send());
        let (by_schedule, answers) = tokio::join!(ground.run_unless_under_way(), join_all(asks));
        begun += answers.iter().filter(|answer| worked(answer)).count() + usize::from(by_schedule);
        assert_eq!(ground.copies(), (vec![1; 25 * round], 25 * round), "round {round}");
        ground.assert_nothing_is_under_way().await;
    }
    assert!(begun >= 8, "{begun}");
}

impl Ground {
    /// Runs by the schedule, and says whether that had anything to do.
    async fn run_unless_under_way(&self) -> bool {
        use backend::models::sync_run::{SyncState, SyncTrigger};
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
async fn whoever_comes_while_a_run_is_under_way_is_told_so() {
    let ground = Ground::today().await;
    let other = ground.another_hub().await;
    ground.events(9).await;
    ground.slow_ga4(700);
    let late = async {
        ground.ga4_was_asked(1).await;
        assert_eq!(other.graphql(RUN).by(&ground.admin).code().await, "CONFLICT");
        let retry = "mutation { retryLastSyncBatch { state } }";
        assert_eq!(other.graphql(retry).by(&ground.admin).code().await, "CONFLICT");
        let command =
            program::dataporter(&ground.hub.database, &ground.services, &["telemetry:sync"]).output();
        let output = command.await.unwrap();
        assert_eq!(output.status.code(), Some(1));
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("Another sync run is in progress"), "{told}");
    };
    let (run, ()) = tokio::join!(ground.run(), late);
    assert_eq!(run["state"], "SUCCESS", "{run}");
    assert_eq!(ground.copies(), (vec![1; 9], 9));
}

#[tokio::test]
async fn two_servers_and_the_command_send_each_event_once() {
    let ground = Ground::today().await;
    let token = ground.api_token().await;
    let (first, second) = tokio::join!(server(&ground), server(&ground));
    for round in 1..=4 {
        ground.events(25).await;
        let asks = [&first, &second, &first, &second]
            .map(|(_, address)| ask_to_run(&ground.hub, address, &token).send());
        let arguments = ["telemetry:sync", "--until-empty"];
        let command = program::dataporter(&ground.hub.database, &ground.services, &arguments).output();
        let (answers, output) = tokio::join!(join_all(asks), command);
        for answer in &answers {
            worked(answer);
        }
        let output = output.unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
        assert_eq!(ground.copies(), (vec![1; 25 * round], 25 * round), "round {round}");
        ground.assert_nothing_is_under_way().await;
    }
}
