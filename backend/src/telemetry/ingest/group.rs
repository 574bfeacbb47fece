//! A worker: takes one group after the other and records it, until nothing waits.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use tokio::time::timeout;
use tracing::error;

use super::connections::Connections;
use super::queue::{Job, Place};
use super::{Accepted, NotRecorded};
use crate::clock::Clock;
use crate::db::{Connection, Pool, outage};
use crate::error::Error;
use crate::metrics::Metrics;
use crate::models::player_event_month;
use crate::telemetry::player_event::PlayerEvent;
use crate::telemetry::recorder::sent_events::{Record, record_sent_events};
use crate::telemetry::refusal::{Reason, Refusal};

type Outcome = Result<Accepted, NotRecorded>;

/// No statement takes longer: by then the database has given it up itself, or is out of reach.
const PATIENCE: Duration = Duration::from_secs(40);

/// What became of the connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Connected {
    /// It may be used again.
    Still,
    /// It broke, or its server takes nothing.
    NoLonger,
}

/// Why a statement recorded nothing, or may have recorded nothing.
enum Trouble {
    /// A rule of the tables forbids some of the rows.
    Rows(DieselError),
    /// The database cannot be used. Whether they are recorded nobody knows.
    Lost,
    /// It is not the rows. Whether they are recorded nobody knows.
    Database(anyhow::Error),
}

/// What a worker has to work with.
pub struct Worker {
    pub pool: Pool,
    pub connections: Arc<Connections>,
    pub clock: Clock,
    pub metrics: Metrics,
    pub place: Place,
}

impl Worker {
    /// Works until there is no more work.
    pub async fn work(mut self) {
        loop {
            let group = self.place.next_group();
            if group.is_empty() {
                break;
            }
            // Jobs that are dropped without an answer are told to come back.
            match self.connections.take(&self.pool).await {
                Ok(mut conn) => {
                    if record(&mut conn, &self.clock, &self.metrics, group).await == Connected::Still {
                        self.connections.keep(conn);
                    }
                }
                Err(Error::Unavailable) => {
                    for job in group {
                        drop(job.results.send(Err(Error::Unavailable)));
                    }
                }
                Err(cause) => error!(?cause, "Player events wait in vain for a database connection"),
            }
        }
    }
}

async fn record(conn: &mut Connection, clock: &Clock, metrics: &Metrics, group: Vec<Job>) -> Connected {
    let events: Vec<&PlayerEvent> = group.iter().flat_map(|job| &job.events).collect();
    let (outcomes, connected) = record_all(conn, clock, metrics, &events).await;
    let mut outcomes = outcomes.into_iter();
    for job in group {
        let answers: Vec<Outcome> = outcomes.by_ref().take(job.events.len()).collect();
        let is_whole = answers.len() == job.events.len();
        // Whoever hung up finds out by sending it again.
        drop(job.results.send(if is_whole { Ok(answers) } else { Err(Error::Unavailable) }));
    }
    connected
}

/// Records all events at once; where a rule of the tables forbids that, each half, and so on, so that an event that
/// cannot be stored fails alone. Any other trouble fails all that is not recorded yet, and says so: whoever sends those
/// events again with their ids doubles none.
async fn record_all(
    conn: &mut Connection,
    clock: &Clock,
    metrics: &Metrics,
    events: &[&PlayerEvent],
) -> (Vec<Outcome>, Connected) {
    let mut outcomes = Vec::with_capacity(events.len());
    let whole = 0..events.len();
    let mut to_do: Vec<Range<usize>> = Vec::from([whole]);
    let mut months_are_there = false;
    while let Some(range) = to_do.pop() {
        match record_some(conn, clock, metrics, &events[range.clone()]).await {
            Ok(records) => outcomes.extend(records.into_iter().map(outcome)),
            Err(Trouble::Rows(_)) if !months_are_there => {
                months_are_there = true;
                make_months(conn, events).await;
                to_do.push(range);
            }
            Err(Trouble::Rows(_)) if range.len() > 1 => {
                let middle = range.start + range.len() / 2;
                to_do.push(middle..range.end);
                to_do.push(range.start..middle);
            }
            Err(Trouble::Rows(cause)) => {
                error!(%cause, "A player event could not be recorded");
                outcomes.push(failed());
            }
            // Whoever sent what is not recorded is told to come back.
            Err(Trouble::Lost) => return (outcomes, Connected::NoLonger),
            Err(Trouble::Database(cause)) => {
                let events = events.len() - outcomes.len();
                error!(cause = format!("{cause:#}"), events, "Player events could not be recorded");
                outcomes.extend(std::iter::repeat_with(failed).take(events));
                return (outcomes, Connected::NoLonger);
            }
        }
    }
    (outcomes, Connected::Still)
}

async fn record_some(
    conn: &mut Connection,
    clock: &Clock,
    metrics: &Metrics,
    events: &[&PlayerEvent],
) -> Result<Vec<Record>, Trouble> {
    let began = Instant::now();
    let recorded = timeout(PATIENCE, record_sent_events(conn, events, clock.now())).await;
    metrics.ingest().group_committed(events.len(), began.elapsed());
    recorded.unwrap_or(Err(DieselError::BrokenTransactionManager)).map_err(|cause| match cause {
        // A missing month is a failed check too.
        DieselError::DatabaseError(
            DatabaseErrorKind::CheckViolation
            | DatabaseErrorKind::ForeignKeyViolation
            | DatabaseErrorKind::NotNullViolation
            | DatabaseErrorKind::UniqueViolation,
            _,
        ) => Trouble::Rows(cause),
        _ => {
            let cause = anyhow::Error::new(cause);
            if outage::includes(&cause) { Trouble::Lost } else { Trouble::Database(cause) }
        }
    })
}

fn failed() -> Outcome {
    Err(NotRecorded::Refused(Refusal::of_event(Reason::Failed)))
}

/// Months are made ahead; this is for events from before the hub was there.
async fn make_months(conn: &mut Connection, events: &[&PlayerEvent]) {
    let days = || events.iter().map(|event| event.recorded_at.date_naive());
    if let (Some(first), Some(last)) = (days().min(), days().max())
        && let Err(cause) = player_event_month::ensure(conn, first, last).await
        && let Some(cause) = outage::loggable_cause(cause)
    {
        error!(cause, "Months for player events cannot be made");
    }
}

fn outcome(record: Record) -> Outcome {
    match record {
        Record::Written(recorded) => Ok(Accepted { recorded, duplicate: false }),
        Record::Duplicate(recorded) => Ok(Accepted { recorded, duplicate: true }),
        Record::UnknownUser => Err(Refusal::of("userId", Reason::UnknownUser).into()),
        Record::UnknownLesson => Err(Refusal::of("lessonId", Reason::UnknownLesson).into()),
        Record::LockedOut => Err(NotRecorded::LockedOut),
        Record::Forgotten => failed(),
    }
}
