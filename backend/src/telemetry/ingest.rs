//! Group commit: events that arrive together are recorded together, and each sender hears when theirs are safe.
//!
//! Whoever sends puts their events into a queue. A few workers take whatever waits there, record it in one statement
//! and one commit, and hand the results back; while they write, the next group gathers. So nobody waits for a timer,
//! and groups grow with the load. The queue is bounded: what does not fit is refused at once and nothing of it is kept.

mod connections;
mod group;
mod queue;
mod trial;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::text::Text;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use self::connections::Connections;
use self::group::Worker;
use self::queue::{Job, Queue};
use self::trial::Trial;
use super::limits::EventLimits;
use super::player_event::{Field, MAX_AGE, MAX_AHEAD, PlayerEvent, Recording, SentEvent};
use super::recorder::sent_events::{self, Progress, Recorded};
use super::refusal::{Reason, Refusal};
use super::sender_clock::MAX_CORRECTION;
use crate::clock::Clock;
use crate::config;
use crate::db::{Connection, Pool};
use crate::error::{Error, Result};
use crate::metrics::Metrics;

/// Groups that are written at once, while enough waits for each.
const WORKERS: usize = 4;

/// When to come back to a queue that is full: it is emptied many times a second.
const WHEN_FULL: Duration = Duration::from_secs(1);

/// So long a player's own ids are kept: longer than events are taken, so that a retry is known as one.
const KEYS_ARE_KEPT: TimeDelta = TimeDelta::days(32);

// A retry is taken for MAX_AGE after its event, which can seem later or earlier by MAX_CORRECTION at either sending.
const _: () = assert!(
    MAX_AGE.num_seconds() + MAX_AHEAD.num_seconds() + 2 * MAX_CORRECTION.num_seconds()
        < KEYS_ARE_KEPT.num_seconds()
);

/// The way in for player events; cheap to clone.
#[derive(Clone)]
pub struct Ingest {
    pool: Pool,
    clock: Clock,
    metrics: Metrics,
    queue: Arc<Queue>,
    connections: Arc<Connections>,
    limits: Arc<EventLimits>,
    workers: TaskTracker,
    trial: Arc<Trial>,
}

/// An event that is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// What is known of it.
    pub recorded: Recorded,
    /// Whether it was recorded before.
    pub duplicate: bool,
}

/// How far a viewer has come in a lesson, as of their last report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reported {
    /// The lesson.
    pub lesson_id: i64,
    /// The event that was recorded for the report.
    pub event_id: i64,
    /// How far.
    pub progress: Progress,
}

const ID_OF_ANOTHER: Text =
    Text::new("Este id ya es de otro evento.", "This id is that of another event already.");

/// Why a good event is not recorded.
#[derive(Debug)]
pub enum NotRecorded {
    /// Something about it is wrong after all.
    Refused(Refusal),
    /// Whoever sent it may not do anything.
    LockedOut,
}

impl From<Refusal> for NotRecorded {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Ingest {
    /// Nothing waits yet.
    pub fn new(pool: Pool, clock: Clock, metrics: Metrics, config: &config::recording::Recording) -> Self {
        Self {
            pool,
            clock,
            metrics,
            queue: Arc::new(Queue::new(config.queue_capacity)),
            connections: Arc::default(),
            limits: Arc::new(EventLimits::new(config.events_per_minute)),
            workers: TaskTracker::new(),
            trial: Arc::default(),
        }
    }

    /// Records what is good of these events, and answers for each in order once they are committed.
    ///
    /// [`Error::Busy`] when the queue is full, [`Error::Unavailable`] when the database cannot be used: then they may be
    /// sent again.
    /// [`Error::Unauthenticated`] when their sender turns out to be locked out, and then nothing is recorded.
    pub async fn record(
        &self,
        events: Vec<Result<SentEvent, Refusal>>,
        by: Recording,
    ) -> Result<Vec<Result<Accepted, Refusal>>> {
        let sent = events.len();
        let answers = self.judge_and_commit(events, by).await;
        self.count(sent, &answers);
        answers
    }

    async fn judge_and_commit(
        &self,
        events: Vec<Result<SentEvent, Refusal>>,
        by: Recording,
    ) -> Result<Vec<Result<Accepted, Refusal>>> {
        let now = self.clock.now();
        let mut good = Vec::with_capacity(events.len());
        let judge = |event: Result<SentEvent, Refusal>| {
            good.push(self.admit(event?.judge(by, now)?, by, now)?);
            Ok(())
        };
        let judged: Vec<Result<(), Refusal>> = events.into_iter().map(judge).collect();
        // As many as are good, in their order.
        let mut recorded = self.commit(good).await?.into_iter();
        let answer = |judged: Result<(), Refusal>| match judged {
            Err(refusal) => Ok(Err(refusal)),
            Ok(()) => match recorded.next() {
                Some(Ok(accepted)) => Ok(Ok(accepted)),
                Some(Err(NotRecorded::Refused(refusal))) => Ok(Err(refusal)),
                Some(Err(NotRecorded::LockedOut)) => Err(Error::Unauthenticated),
                None => Ok(Err(Refusal::of_event(Reason::Failed))),
            },
        };
        judged.into_iter().map(answer).collect()
    }

    /// Records a report of progress, and answers with how far its viewer has come once it is committed; `path` stands
    /// before the names of wrong fields.
    pub async fn record_progress(
        &self,
        report: Result<SentEvent, Refusal>,
        by: Recording,
        path: &str,
    ) -> Result<Reported> {
        let report = report.map_err(|refusal| refusal.into_error(path))?;
        let lesson = report.lesson_id.clone();
        let answer = self.record(vec![Ok(report)], by).await?.pop();
        let answer = answer.unwrap_or(Err(Refusal::of_event(Reason::Failed)));
        let Recorded { event_id, progress } = answer.map_err(|refusal| refusal.into_error(path))?.recorded;
        match (lesson, progress) {
            (Field::Is(lesson_id), Some(progress)) => Ok(Reported { lesson_id, event_id, progress }),
            // A report that was written has progress: this was written as something else.
            _ => Err(Error::invalid(format!("{path}clientEventId"), ID_OF_ANOTHER)),
        }
    }

    /// Counts what became of events.
    fn count(&self, sent: usize, answers: &Result<Vec<Result<Accepted, Refusal>>>) {
        let metrics = self.metrics.ingest();
        match answers {
            Ok(answers) => {
                let (mut recorded, mut duplicate) = (0, 0);
                for answer in answers {
                    match answer {
                        Ok(Accepted { duplicate: false, .. }) => recorded += 1,
                        Ok(Accepted { duplicate: true, .. }) => duplicate += 1,
                        Err(refusal) => metrics.refused(refusal.reason.key(), 1),
                    }
                }
                metrics.recorded(recorded);
                metrics.duplicate(duplicate);
            }
            // All of them: the queue is full, or whoever sent them is locked out.
            Err(error) => metrics.refused(error.code().as_str(), sent as u64),
        }
    }

    /// Who may record for anybody sends the events of many, and is trusted with their number.
    fn admit(&self, event: PlayerEvent, by: Recording, now: DateTime<Utc>) -> Result<PlayerEvent, Refusal> {
        if by.for_anybody || self.limits.admit(event.user_id, now) {
            Ok(event)
        } else {
            Err(Refusal::of_event(Reason::TooManyEvents))
        }
    }

    async fn commit(&self, events: Vec<PlayerEvent>) -> Result<Vec<Result<Accepted, NotRecorded>>> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let (results, answer) = oneshot::channel();
        let busy = || Error::Busy { retry_after: WHEN_FULL };
        if self.queue.put(Job { events, results }).is_err() {
            return Err(busy());
        }
        if let Some(place) = Queue::place_for_worker(&self.queue, WORKERS) {
            let worker = Worker {
                pool: self.pool.clone(),
                connections: Arc::clone(&self.connections),
                clock: self.clock.clone(),
                metrics: self.metrics.clone(),
                place,
            };
            self.workers.spawn(worker.work());
        }
        // A worker that could not say how it went has written nothing that anybody was told of.
        answer.await.unwrap_or_else(|_| Err(busy()))
    }

    /// Whether events can be recorded, as found by trying within the last seconds.
    ///
    /// The error is why not, for the first who asks after it; those who ask within seconds are told no.
    pub async fn is_ready(&self) -> anyhow::Result<bool> {
        self.trial.is_good(&self.pool, &self.clock).await
    }

    /// How many events wait for a worker.
    pub fn waiting(&self) -> usize {
        self.queue.events()
    }

    /// Waits until everything that was taken is recorded.
    pub async fn drained(&self) {
        self.workers.close();
        self.workers.wait().await;
    }
}

/// Ids that are forgotten by one statement, so that none takes long.
const SLICE: u16 = 20_000;

/// Forgets the ids that players made for events that are too old to be sent again, and answers with their number.
pub async fn forget_old_keys(conn: &mut Connection, now: DateTime<Utc>) -> diesel::QueryResult<usize> {
    let mut forgotten = 0;
    loop {
        let slice = sent_events::forget_keys(conn, now - KEYS_ARE_KEPT, SLICE.into()).await?;
        forgotten += slice;
        if slice < SLICE.into() {
            return Ok(forgotten);
        }
    }
}
