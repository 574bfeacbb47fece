//! Domain events of the learning platform. Each changes the tables and records snapshots at most once per id.
//!
//! The events of a call are applied in one transaction: the rows that they need are locked and read with a few statements,
//! the events are judged in memory one after the other (`rules`), and what has changed is written with a few statements.
//! Whether an event is applied depends on nothing but the locked rows, so calls that touch the same practices or orders
//! wait for each other, and others do not.

pub mod event;
pub mod incoming;
mod load;
pub mod refusal;
mod rules;
mod state;
mod store;

use std::time::Instant;

use chrono::{DateTime, Utc};
use diesel::result::{DatabaseErrorKind, Error as DatabaseError};
use diesel_async::AsyncConnection as _;
use domain::Locale;
use tracing::{error, warn};

use self::event::PlatformEvent;
use self::incoming::IncomingEvent;
use self::refusal::{Reason, Refusal};
use self::state::State;
use crate::app::App;
use crate::db::Connection;
use crate::db::lock_timeout::{RETRY_AFTER_LOCK_TIMEOUT, is_lock_timeout, limit_lock_waits};
use crate::error::{Error, Result};
use crate::models::QueryResult;
use crate::refusal::{InputError, Reason as _};

/// How often events are applied that conflict with others which are applied at the same time.
const MAX_ATTEMPTS: usize = 5;

/// An event that is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Whether it was applied before.
    pub duplicate: bool,
    /// The snapshots that it recorded.
    pub snapshot_ids: Vec<i64>,
}

/// The result of an event.
pub type Outcome = Result<Applied, Refusal>;

/// The result of an event, as the platform gets it.
pub struct EventReport {
    /// Whether this call applied it.
    pub applied: bool,
    /// Whether it was applied before.
    pub duplicate: bool,
    /// The snapshots that it recorded.
    pub snapshot_ids: Vec<i64>,
    /// Why it was refused.
    pub error: Option<InputError>,
}

impl EventReport {
    /// The report in this language.
    pub fn new(outcome: Outcome, locale: Locale) -> Self {
        match outcome {
            Ok(Applied { duplicate, snapshot_ids }) => {
                Self { applied: !duplicate, duplicate, snapshot_ids, error: None }
            }
            Err(refusal) => Self {
                applied: false,
                duplicate: false,
                snapshot_ids: Vec::new(),
                error: Some(InputError::new(refusal, locale)),
            },
        }
    }
}

/// Applies the events of a call, each by itself. Returns the result of each event, in order.
///
/// Errors: a database that is unavailable, or rows that others have locked. No event is applied then.
pub async fn publish(app: &App, incoming: Vec<Result<IncomingEvent, Refusal>>) -> Result<Vec<Outcome>> {
    let now = app.clock.now();
    let mut kinds = Vec::with_capacity(incoming.len());
    let mut events = Vec::with_capacity(incoming.len());
    for event in incoming {
        kinds.push(event.as_ref().map_or("unknown", |event| event.kind.key()));
        events.push(event.and_then(|event| event.validate(now)));
    }
    let valid: Vec<PlatformEvent> = events.iter().filter_map(|event| event.as_ref().ok()).cloned().collect();
    let mut results = if valid.is_empty() {
        Vec::new()
    } else {
        let conn = &mut *app.pool.get().await?;
        match apply_together(conn, &valid, now).await? {
            Some(outcomes) => outcomes,
            None => apply_separately(conn, &valid, now).await?,
        }
    }
    .into_iter();
    let outcome = |event: Result<PlatformEvent, Refusal>| {
        event.and_then(|_| results.next().unwrap_or_else(|| Err(Refusal::of_event(Reason::Failed))))
    };
    let outcomes: Vec<Outcome> = events.into_iter().map(outcome).collect();
    let metrics = app.metrics.practices();
    for (kind, outcome) in kinds.into_iter().zip(&outcomes) {
        match outcome {
            Ok(applied) => metrics.applied(kind, applied.duplicate),
            Err(refusal) => metrics.refused(kind, refusal.reason.key()),
        }
    }
    Ok(outcomes)
}

/// Applies events one by one, because applying them together fails. Only the event that is at fault then fails.
async fn apply_separately(
    conn: &mut Connection,
    events: &[PlatformEvent],
    now: DateTime<Utc>,
) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(events.len());
    for event in events {
        let outcome = match apply_together(conn, std::slice::from_ref(event), now).await {
            Ok(outcome) => outcome.and_then(|mut outcomes| outcomes.pop()),
            Err(error) if outcomes.is_empty() => return Err(error),
            // The events before are committed, which their sender must learn.
            Err(error) => {
                let cause = error.message().into_locale(Locale::En);
                warn!(event = %event.id, cause, "Failed to apply the rest of a call");
                outcomes.resize_with(events.len(), || Err(Refusal::of_event(Reason::Failed)));
                break;
            }
        };
        outcomes.push(outcome.unwrap_or_else(|| {
            error!(event = %event.id, kind = event.kind().key(), "Failed to apply a platform event");
            Err(Refusal::of_event(Reason::Failed))
        }));
    }
    Ok(outcomes)
}

/// Applies events in one transaction. `None` if the database refuses what is to be written.
async fn apply_together(
    conn: &mut Connection,
    events: &[PlatformEvent],
    now: DateTime<Utc>,
) -> Result<Option<Vec<Outcome>>> {
    let mut attempts_left = MAX_ATTEMPTS;
    loop {
        attempts_left -= 1;
        let started = Instant::now();
        let applied = conn.transaction(async |conn| {
            limit_lock_waits(conn).await?;
            apply(conn, events, now).await
        });
        let error = match applied.await {
            Ok(outcomes) => return Ok(Some(outcomes)),
            Err(error) => error,
        };
        let DatabaseError::DatabaseError(kind, information) = &error else { return Err(error.into()) };
        let cause = information.message();
        match kind {
            kind if is_lock_timeout(kind, started.elapsed()) => {
                warn!(cause, "Timed out waiting for the locks of a platform event");
                return Err(Error::Busy { retry_after: RETRY_AFTER_LOCK_TIMEOUT });
            }
            // The same event or the same id in another call, or a deadlock.
            DatabaseErrorKind::UniqueViolation
            | DatabaseErrorKind::SerializationFailure
            | DatabaseErrorKind::ForeignKeyViolation
            | DatabaseErrorKind::Unknown
                if attempts_left > 0 => {}
            DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::UnableToSendCommand
            | DatabaseErrorKind::ReadOnlyTransaction => return Err(error.into()),
            _ => {
                warn!(cause, events = events.len(), "Failed to apply platform events together");
                return Ok(None);
            }
        }
    }
}

/// Applies events in the current transaction.
pub async fn apply(
    conn: &mut Connection,
    events: &[PlatformEvent],
    now: DateTime<Utc>,
) -> QueryResult<Vec<Outcome>> {
    let mut state = State::load(conn, events, now).await?;
    let judged = events.iter().map(|event| state.judge(event)).collect();
    state.store(conn, judged).await
}
