//! Records player events with group commits: events that arrive together are committed together.
//!
//! Requests put their events into a bounded queue. A few workers take groups of events from it, and record
//! each group with one statement and one commit. The next group collects in the meantime, so groups grow with
//! the load and no request waits for a timer. If the queue is full, a request is rejected as a whole.

mod connections;
mod queue;
mod readiness_probe;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::text::Text;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use self::connections::IdleConnections;
use self::queue::{Job, Queue};
use self::readiness_probe::ReadinessProbe;
use self::worker::Worker;
use super::limits::EventLimits;
use super::player_event::{IncomingEvent, MAX_AGE, MAX_CLOCK_SKEW, Recording};
use super::refusal::{Reason, Refusal};
use super::sender_clock::MAX_CORRECTION;
use crate::clock::Clock;
use crate::config;
use crate::db::{Connection, Pool};
use crate::error::{Error, Result};
use crate::field::Field;
use crate::metrics::Metrics;
use crate::models::player_event::record::{self, PlayerEvent, Progress, Recorded};
use crate::refusal::Reason as _;

/// Maximum groups that are written concurrently.
const MAX_WORKERS: usize = 4;

/// When to retry after the queue was full. It is emptied many times a second.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How long clients' event ids are kept. Longer than events are accepted, so that every retry is recognized.
const KEY_RETENTION: TimeDelta = TimeDelta::days(32);

// A retry is accepted until MAX_AGE after its event. The correction of the sender's clock can move the event
// by up to MAX_CORRECTION in either direction, at the first request and at the retry.
const _: () = assert!(
    MAX_AGE.num_seconds() + MAX_CLOCK_SKEW.num_seconds() + 2 * MAX_CORRECTION.num_seconds()
        < KEY_RETENTION.num_seconds()
);

/// Records player events. Cheap to clone.
#[derive(Clone)]
pub struct Ingest {
    pool: Pool,
    clock: Clock,
    metrics: Metrics,
    queue: Arc<Queue>,
    connections: Arc<IdleConnections>,
    limits: Arc<EventLimits>,
    workers: TaskTracker,
    readiness_probe: Arc<ReadinessProbe>,
}

/// An event that is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub recorded: Recorded,
    /// Whether it was recorded by an earlier request.
    pub duplicate: bool,
}

/// A user's progress in a lesson's video after a progress report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordedProgress {
    pub lesson_id: i64,
    /// The event that was recorded for the report.
    pub event_id: i64,
    pub progress: Progress,
}

const ID_ALREADY_USED: Text =
    Text::new("Otro evento ya tiene este identificador.", "Another event already has this ID.");

/// Why a valid event was not recorded.
#[derive(Debug)]
pub enum NotRecorded {
    /// The database refused the event.
    Refused(Refusal),
    /// The sender is not an active user.
    Inactive,
}

impl From<Refusal> for NotRecorded {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Ingest {
    /// Creates an empty queue without workers.
    pub fn new(pool: Pool, clock: Clock, metrics: Metrics, config: &config::recording::Recording) -> Self {
        Self {
            pool,
            clock,
            metrics,
            queue: Arc::new(Queue::new(config.queue_capacity)),
            connections: Arc::default(),
            limits: Arc::new(EventLimits::new(config.events_per_minute)),
            workers: TaskTracker::new(),
            readiness_probe: Arc::default(),
        }
    }

    /// Records the valid events. Returns a result for each event, in order, after the commit.
    ///
    /// Fails with [`Error::Busy`] if the queue is full, and with [`Error::Unavailable`] if the database is
    /// unavailable. The events can be sent again after either error. Fails with [`Error::Unauthenticated`],
    /// and records nothing, if the sender is not active.
    pub async fn record(
        &self,
        events: Vec<Result<IncomingEvent, Refusal>>,
        by: Recording,
    ) -> Result<Vec<Result<Accepted, Refusal>>> {
        let sent = events.len();
        let results = self.validate_and_commit(events, by).await;
        self.count(sent, &results);
        results
    }

    async fn validate_and_commit(
        &self,
        events: Vec<Result<IncomingEvent, Refusal>>,
        by: Recording,
    ) -> Result<Vec<Result<Accepted, Refusal>>> {
        let now = self.clock.now();
        let mut valid = Vec::with_capacity(events.len());
        let validate = |event: Result<IncomingEvent, Refusal>| {
            valid.push(self.admit(event?.validate(by, now)?, by, now)?);
            Ok(())
        };
        let validated: Vec<Result<(), Refusal>> = events.into_iter().map(validate).collect();
        // One result for each valid event, in order.
        let mut recorded = self.commit(valid).await?.into_iter();
        let result = |validated: Result<(), Refusal>| match validated {
            Err(refusal) => Ok(Err(refusal)),
            Ok(()) => match recorded.next() {
                Some(Ok(accepted)) => Ok(Ok(accepted)),
                Some(Err(NotRecorded::Refused(refusal))) => Ok(Err(refusal)),
                Some(Err(NotRecorded::Inactive)) => Err(Error::Unauthenticated),
                None => Ok(Err(Refusal::of_event(Reason::Failed))),
            },
        };
        validated.into_iter().map(result).collect()
    }

    /// Records a progress report. Returns the user's progress after the commit. `path` is the prefix of the
    /// names of invalid fields.
    pub async fn record_progress(
        &self,
        report: Result<IncomingEvent, Refusal>,
        by: Recording,
        path: &str,
    ) -> Result<RecordedProgress> {
        let report = report.map_err(|refusal| refusal.into_error(path))?;
        let lesson = report.lesson_id.clone();
        let result = self.record(vec![Ok(report)], by).await?.pop();
        let result = result.unwrap_or(Err(Refusal::of_event(Reason::Failed)));
        let Recorded { event_id, progress } = result.map_err(|refusal| refusal.into_error(path))?.recorded;
        match (lesson, progress) {
            (Field::Value(lesson_id), Some(progress)) => {
                Ok(RecordedProgress { lesson_id, event_id, progress })
            }
            // Every recorded report has progress, so this id belongs to another kind of event.
            _ => Err(Error::invalid(format!("{path}clientEventId"), ID_ALREADY_USED)),
        }
    }

    /// Counts the results in metrics.
    fn count(&self, sent: usize, results: &Result<Vec<Result<Accepted, Refusal>>>) {
        let metrics = self.metrics.ingest();
        match results {
            Ok(results) => {
                let (mut recorded, mut duplicate) = (0, 0);
                for result in results {
                    match result {
                        Ok(Accepted { duplicate: false, .. }) => recorded += 1,
                        Ok(Accepted { duplicate: true, .. }) => duplicate += 1,
                        Err(refusal) => metrics.refused(refusal.reason.key(), 1),
                    }
                }
                metrics.recorded(recorded);
                metrics.duplicate(duplicate);
            }
            // The request failed as a whole.
            Err(error) => metrics.refused(error.code().as_str(), sent as u64),
        }
    }

    /// Applies the rate limit. Callers that record for any user send the events of many users, and are
    /// exempt.
    fn admit(&self, event: PlayerEvent, by: Recording, now: DateTime<Utc>) -> Result<PlayerEvent, Refusal> {
        if by.for_any_user || self.limits.admit(event.user_id, now) {
            Ok(event)
        } else {
            Err(Refusal::of_event(Reason::TooManyEvents))
        }
    }

    async fn commit(&self, events: Vec<PlayerEvent>) -> Result<Vec<Result<Accepted, NotRecorded>>> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let (results, received) = oneshot::channel();
        let busy = || Error::Busy { retry_after: RETRY_AFTER };
        if self.queue.push(Job { events, results }).is_err() {
            return Err(busy());
        }
        if let Some(slot) = Queue::acquire_slot(&self.queue, MAX_WORKERS) {
            let worker = Worker {
                pool: self.pool.clone(),
                connections: Arc::clone(&self.connections),
                clock: self.clock.clone(),
                metrics: self.metrics.clone(),
                slot,
            };
            self.workers.spawn(worker.run());
        }
        // The worker dropped the job without results, and the sender has to retry.
        received.await.unwrap_or_else(|_| Err(busy()))
    }

    /// Whether events can be recorded. The result is a few seconds old at most.
    ///
    /// Fails if the database is unavailable. If recording fails for another reason, the error is logged.
    pub async fn is_ready(&self) -> anyhow::Result<bool> {
        self.readiness_probe.is_ready(&self.pool, &self.clock).await
    }

    /// The number of events that wait for a worker.
    pub fn waiting(&self) -> usize {
        self.queue.events()
    }

    /// Waits until all events in the queue are recorded.
    pub async fn drained(&self) {
        self.workers.close();
        self.workers.wait().await;
    }
}

/// Maximum keys that one statement deletes, so that each statement is short.
const BATCH_SIZE: u16 = 20_000;

/// Deletes the clients' event ids that are older than any retry that is accepted. Returns their number.
pub async fn forget_old_keys(conn: &mut Connection, now: DateTime<Utc>) -> diesel::QueryResult<usize> {
    let mut deleted = 0;
    loop {
        let batch = record::forget_keys(conn, now - KEY_RETENTION, BATCH_SIZE.into()).await?;
        deleted += batch;
        if batch < BATCH_SIZE.into() {
            return Ok(deleted);
        }
    }
}
