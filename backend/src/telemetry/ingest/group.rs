//! A worker: takes one group after the other and records it, until nothing waits.

use std::ops::Range;
use std::sync::Arc;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use tracing::error;

use super::connections::Connections;
use super::queue::{Job, Place};
use super::{Accepted, NotRecorded};
use crate::clock::Clock;
use crate::db::{Connection, Pool};
use crate::models::player_event_month;
use crate::telemetry::player_event::PlayerEvent;
use crate::telemetry::recorder::sent_events::{Record, record_sent_events};
use crate::telemetry::refusal::{Reason, Refusal};

type Outcome = Result<Accepted, NotRecorded>;

/// The connection broke. Whether the last statement was committed nobody knows, so nobody is told.
struct Lost;

/// What a worker has to work with.
pub struct Worker {
    pub pool: Pool,
    pub connections: Arc<Connections>,
    pub clock: Clock,
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
                    if record(&mut conn, &self.clock, group).await.is_ok() {
                        self.connections.keep(conn);
                    }
                }
                Err(cause) => error!(?cause, "Player events wait in vain for a database connection"),
            }
        }
    }
}

async fn record(conn: &mut Connection, clock: &Clock, group: Vec<Job>) -> Result<(), Lost> {
    let events: Vec<&PlayerEvent> = group.iter().flat_map(|job| &job.events).collect();
    let outcomes = record_all(conn, clock, &events).await?;
    let mut outcomes = outcomes.into_iter();
    for job in group {
        let answers = outcomes.by_ref().take(job.events.len()).collect();
        // Whoever hung up finds out by sending it again.
        drop(job.results.send(answers));
    }
    Ok(())
}

/// Records all events at once; where the database refuses that, each half, and so on, so that an event that cannot be
/// stored fails alone.
async fn record_all(
    conn: &mut Connection,
    clock: &Clock,
    events: &[&PlayerEvent],
) -> Result<Vec<Outcome>, Lost> {
    let mut outcomes = Vec::with_capacity(events.len());
    let mut to_do: Vec<Range<usize>> = Vec::from([0..events.len()]);
    let mut months_are_there = false;
    while let Some(range) = to_do.pop() {
        match record_sent_events(conn, &events[range.clone()], clock.now()).await {
            Ok(records) => outcomes.extend(records.into_iter().map(outcome)),
            Err(cause) if is_lost(&cause) => {
                error!(%cause, "The connection broke while player events were recorded");
                return Err(Lost);
            }
            Err(_) if !months_are_there => {
                months_are_there = true;
                make_months(conn, events).await;
                to_do.push(range);
            }
            Err(_) if range.len() > 1 => {
                let middle = range.start + range.len() / 2;
                to_do.push(middle..range.end);
                to_do.push(range.start..middle);
            }
            Err(cause) => {
                error!(%cause, "A player event could not be recorded");
                outcomes.push(Err(NotRecorded::Refused(Refusal::of_event(Reason::Failed))));
            }
        }
    }
    Ok(outcomes)
}

/// The server says of everything it refuses that it did; other failures leave open what became of a statement.
fn is_lost(cause: &DieselError) -> bool {
    match cause {
        DieselError::DatabaseError(kind, _) => {
            matches!(kind, DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand)
        }
        DieselError::NotFound => false,
        _ => true,
    }
}

/// Months are made ahead; this is for events from before the hub was there.
async fn make_months(conn: &mut Connection, events: &[&PlayerEvent]) {
    let days = || events.iter().map(|event| event.recorded_at.date_naive());
    if let (Some(first), Some(last)) = (days().min(), days().max())
        && let Err(cause) = player_event_month::ensure(conn, first, last).await
    {
        error!(%cause, "Months for player events cannot be made");
    }
}

fn outcome(record: Record) -> Outcome {
    match record {
        Record::Written(recorded) => Ok(Accepted { recorded, duplicate: false }),
        Record::Duplicate(recorded) => Ok(Accepted { recorded, duplicate: true }),
        Record::UnknownUser => Err(Refusal::of("userId", Reason::UnknownUser).into()),
        Record::UnknownLesson => Err(Refusal::of("lessonId", Reason::UnknownLesson).into()),
        Record::LockedOut => Err(NotRecorded::LockedOut),
    }
}
