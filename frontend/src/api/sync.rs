//! The sync with the analytics services: its status, its runs, and starting one.
//!
//! All operations select the same fields of a run, so one type parses all of them.

pub mod report;

use graphql_client::GraphQLQuery;
use serde_json::Value;

use super::failure::Failure;
use super::scalars::DateTime;
use super::{Request, graphql_request, read_json, to_json};
use report::{Run, Status};

#[derive(GraphQLQuery)]
#[graphql(schema_path = "../schema.graphql", query_path = "graphql/sync.graphql", normalization = "rust")]
struct SyncStatus;

// In a document of its own, since the server needs the variables of every query of a document.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/sync_runs.graphql",
    normalization = "rust"
)]
struct SyncRuns;

#[derive(GraphQLQuery)]
#[graphql(schema_path = "../schema.graphql", query_path = "graphql/sync.graphql", normalization = "rust")]
struct RunTelemetrySync;

#[derive(GraphQLQuery)]
#[graphql(schema_path = "../schema.graphql", query_path = "graphql/sync.graphql", normalization = "rust")]
struct RetryLastSyncBatch;

/// The subscription to changes of the sync's status, as JSON.
pub fn status_subscription() -> String {
    to_json(&SyncStatus::build_query(sync_status::Variables {}))
}

/// Parses a message of the status subscription.
pub fn read_status(response: &str) -> Result<Status, Failure> {
    read(response, |data| Status::read(&data["syncStatus"]))
}

/// Lists the newest runs, without those that had nothing to send.
pub fn newest_runs(first: i64) -> Request<Vec<Run>> {
    graphql_request(&SyncRuns::build_query(sync_runs::Variables { first }), |response| {
        read(response, |data| data["runs"].as_array()?.iter().map(Run::read).collect())
    })
}

/// Starts a run of at most `limit` events.
pub fn start_run(limit: i64) -> Request<Run> {
    graphql_request(&RunTelemetrySync::build_query(run_telemetry_sync::Variables { limit }), read_run)
}

/// Retries the undelivered events of the last run, at most `limit` of them.
pub fn retry_last_batch(limit: i64) -> Request<Run> {
    graphql_request(&RetryLastSyncBatch::build_query(retry_last_sync_batch::Variables { limit }), read_run)
}

/// Parses the response to both mutations.
fn read_run(response: &str) -> Result<Run, Failure> {
    read(response, |data| Run::read(&data["run"]))
}

/// Parses a response by hand, since a derived parser takes several times as much space in the app's download.
fn read<T>(response: &str, read: fn(&Value) -> Option<T>) -> Result<T, Failure> {
    let response: Value = read_json(response)?;
    read(&response["data"]).ok_or(Failure::Unreadable)
}
