//! The sync with the analytics services: how it stands, its runs, and starting one.
//!
//! All operations read the same fields of a run, so one type reads all of them.

pub mod report;

use graphql_client::GraphQLQuery;
use serde_json::Value;

use super::failure::Failure;
use super::scalars::DateTime;
use super::{Request, document, read_json, written};
use report::{Run, Status};

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/sync_status.graphql",
    normalization = "rust"
)]
struct SyncStatus;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/sync_runs.graphql",
    normalization = "rust"
)]
struct SyncRuns;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/run_telemetry_sync.graphql",
    normalization = "rust"
)]
struct RunTelemetrySync;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/retry_last_sync_batch.graphql",
    normalization = "rust"
)]
struct RetryLastSyncBatch;

/// What to subscribe to, as JSON: each change of how the sync stands.
pub fn status_changes() -> String {
    written(&SyncStatus::build_query(sync_status::Variables {}))
}

/// Reads one of the changes.
pub fn read_status(answer: &str) -> Result<Status, Failure> {
    read(answer, |data| Status::read(&data["syncStatus"]))
}

/// The newest runs that did something.
pub fn newest_runs(first: i64) -> Request<Vec<Run>> {
    document(&SyncRuns::build_query(sync_runs::Variables { first }), |answer| {
        read(answer, |data| data["runs"].as_array()?.iter().map(Run::read).collect())
    })
}

/// Starts a run of at most so many events.
pub fn run(limit: i64) -> Request<Run> {
    document(&RunTelemetrySync::build_query(run_telemetry_sync::Variables { limit }), read_run)
}

/// Sends again, at most so many events, what the last run still owes.
pub fn retry(limit: i64) -> Request<Run> {
    document(&RetryLastSyncBatch::build_query(retry_last_sync_batch::Variables { limit }), read_run)
}

/// What both answer.
fn read_run(answer: &str) -> Result<Run, Failure> {
    read(answer, |data| Run::read(&data["run"]))
}

/// Reads an answer by hand: readers that are derived take several times the room in what a browser has to load.
fn read<T>(answer: &str, read: fn(&Value) -> Option<T>) -> Result<T, Failure> {
    let answer: Value = read_json(answer)?;
    read(&answer["data"]).ok_or(Failure::Unreadable)
}
