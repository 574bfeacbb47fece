//! A worker: takes groups of events from the queue and records them, until the queue is empty.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use tokio::time::timeout;
use tracing::error;

use super::connections::IdleConnections;
use super::queue::{Job, WorkerSlot};
use super::{Accepted, NotRecorded};
use crate::clock::Clock;
use crate::db::{Connection, Pool, outage};
use crate::error::Error;
use crate::metrics::Metrics;
use crate::models::player_event::record::{PlayerEvent, RecordOutcome, record_player_events};
use crate::models::player_event_month;
use crate::telemetry::refusal::{Reason, Refusal};

type EventResult = Result<Accepted, NotRecorded>;

/// Longer than PostgreSQL's own statement timeout, so it is reached only if the connection is broken.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(40);

/// The state of a connection after recording a group.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ConnectionState {
    /// It can be reused.
    Usable,
    /// It is lost, or its server does not accept writes.
    Broken,
}

/// Why a statement failed. After an error other than `Constraint` it may have been committed.
enum RecordError {
    /// At least one row violates a constraint.
    Constraint(DieselError),
    /// The database is unavailable.
    Unavailable,
    /// Another error of the database.
    Database(anyhow::Error),
}

/// A worker and what it needs.
pub struct Worker {
    pub pool: Pool,
    pub connections: Arc<IdleConnections>,
    pub clock: Clock,
    pub metrics: Metrics,
    pub slot: WorkerSlot,
}

impl Worker {
    /// Records groups until the queue has no work for this worker.
    pub async fn run(mut self) {
        loop {
            let group = self.slot.next_group();
            if group.is_empty() {
                break;
            }
            // Jobs that are dropped without results make their senders retry.
            match self.connections.take(&self.pool).await {
                Ok(mut conn) => {
                    if record(&mut conn, &self.clock, &self.metrics, group).await == ConnectionState::Usable {
                        self.connections.keep(conn);
                    }
                }
                Err(Error::Unavailable) => {
                    for job in group {
                        drop(job.results.send(Err(Error::Unavailable)));
                    }
                }
                Err(cause) => error!(?cause, "Failed to get a database connection to record player events"),
            }
        }
    }
}

async fn record(conn: &mut Connection, clock: &Clock, metrics: &Metrics, group: Vec<Job>) -> ConnectionState {
    let events: Vec<&PlayerEvent> = group.iter().flat_map(|job| &job.events).collect();
    let (all_results, connection_state) = record_all(conn, clock, metrics, &events).await;
    let mut all_results = all_results.into_iter();
    for job in group {
        let results: Vec<EventResult> = all_results.by_ref().take(job.events.len()).collect();
        let is_complete = results.len() == job.events.len();
        // A sender that has disconnected gets its results when it retries.
        drop(job.results.send(if is_complete { Ok(results) } else { Err(Error::Unavailable) }));
    }
    connection_state
}

/// Records all events with one statement. If a constraint is violated, records each half on its own, and so
/// on, so that only the invalid events fail. After any other error, the remaining events fail and the
/// connection is broken. Clients that retry these events with their ids cause no duplicates.
async fn record_all(
    conn: &mut Connection,
    clock: &Clock,
    metrics: &Metrics,
    events: &[&PlayerEvent],
) -> (Vec<EventResult>, ConnectionState) {
    let mut results = Vec::with_capacity(events.len());
    let all = 0..events.len();
    let mut remaining: Vec<Range<usize>> = Vec::from([all]);
    let mut has_created_months = false;
    while let Some(range) = remaining.pop() {
        match record_some(conn, clock, metrics, &events[range.clone()]).await {
            Ok(records) => results.extend(records.into_iter().map(event_result)),
            Err(RecordError::Constraint(_)) if !has_created_months => {
                has_created_months = true;
                create_months(conn, events).await;
                remaining.push(range);
            }
            Err(RecordError::Constraint(_)) if range.len() > 1 => {
                let middle = range.start + range.len() / 2;
                remaining.push(middle..range.end);
                remaining.push(range.start..middle);
            }
            Err(RecordError::Constraint(cause)) => {
                error!(%cause, "Failed to record a player event");
                results.push(failed());
            }
            // The senders of the remaining events have to retry.
            Err(RecordError::Unavailable) => return (results, ConnectionState::Broken),
            Err(RecordError::Database(cause)) => {
                let events = events.len() - results.len();
                error!(cause = format!("{cause:#}"), events, "Failed to record player events");
                results.extend(std::iter::repeat_with(failed).take(events));
                return (results, ConnectionState::Broken);
            }
        }
    }
    (results, ConnectionState::Usable)
}

async fn record_some(
    conn: &mut Connection,
    clock: &Clock,
    metrics: &Metrics,
    events: &[&PlayerEvent],
) -> Result<Vec<RecordOutcome>, RecordError> {
    let began = Instant::now();
    let recorded = timeout(STATEMENT_TIMEOUT, record_player_events(conn, events, clock.now())).await;
    metrics.ingest().group_committed(events.len(), began.elapsed());
    recorded.unwrap_or(Err(DieselError::BrokenTransactionManager)).map_err(|cause| match cause {
        // Includes a missing partition, which is reported as a check violation.
        DieselError::DatabaseError(
            DatabaseErrorKind::CheckViolation
            | DatabaseErrorKind::ForeignKeyViolation
            | DatabaseErrorKind::NotNullViolation
            | DatabaseErrorKind::UniqueViolation,
            _,
        ) => RecordError::Constraint(cause),
        _ => {
            let cause = anyhow::Error::new(cause);
            if outage::includes(&cause) { RecordError::Unavailable } else { RecordError::Database(cause) }
        }
    })
}

fn failed() -> EventResult {
    Err(NotRecorded::Refused(Refusal::of_event(Reason::Failed)))
}

/// Creates missing partitions. They are normally created in advance, except for events from before the hub
/// was installed.
async fn create_months(conn: &mut Connection, events: &[&PlayerEvent]) {
    let days = || events.iter().map(|event| event.recorded_at.date_naive());
    if let (Some(first), Some(last)) = (days().min(), days().max())
        && let Err(cause) = player_event_month::ensure(conn, first, last).await
        && let Some(cause) = outage::loggable_cause(cause)
    {
        error!(cause, "Failed to create partitions for player events");
    }
}

fn event_result(record: RecordOutcome) -> EventResult {
    match record {
        RecordOutcome::Written(recorded) => Ok(Accepted { recorded, duplicate: false }),
        RecordOutcome::Duplicate(recorded) => Ok(Accepted { recorded, duplicate: true }),
        RecordOutcome::UnknownUser => Err(Refusal::of("userId", Reason::UnknownUser).into()),
        RecordOutcome::UnknownLesson => Err(Refusal::of("lessonId", Reason::UnknownLesson).into()),
        RecordOutcome::Inactive => Err(NotRecorded::Inactive),
        RecordOutcome::NotFound => failed(),
    }
}
