//! Outages of the database. The log gets one line when an outage begins and one when it ends, however many
//! requests fail in between.

use std::error::Error as StdError;
use std::io;
use std::time::{Duration, Instant};

use deadpool::managed::TimeoutType;
use diesel::ConnectionError;
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};
use diesel_async::pooled_connection::PoolError as ManagerError;
use diesel_async::pooled_connection::deadpool::PoolError;
use parking_lot::Mutex;
use tokio_postgres::error::SqlState;
use tracing::{debug, error, info};

use super::connect_error::ConnectError;

/// A process uses one database.
static TRACKER: Mutex<OutageTracker> =
    Mutex::new(OutageTracker { outage: None, is_server_full: false, last_loss: None });

struct OutageTracker {
    outage: Option<Outage>,
    /// Whether the last connection attempt failed because the server had no free slots.
    is_server_full: bool,
    /// When and why a connection was last lost.
    last_loss: Option<(Instant, String)>,
}

struct Outage {
    began: Instant,
    kind: OutageKind,
    /// The number of failures since it began.
    failures: u64,
}

/// The database is unavailable. Already recorded as part of an outage.
#[derive(Debug, thiserror::Error)]
#[error("The database is unavailable at the moment")]
pub struct Unavailable;

/// What a check of the server found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerStatus {
    /// It responds. Whether it accepts writes was not checked.
    Up,
    /// It accepts writes.
    Writable,
    /// It responds but is read-only.
    ReadOnly,
}

/// The kind of an outage, which determines what ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OutageKind {
    /// Ends when the database responds.
    Unreachable,
    /// Ends when the database accepts writes.
    ReadOnly,
}

/// A statement fails with a generic error after its connection is lost, so the reason is taken from a loss
/// within this time.
const LOSS_MAX_AGE: Duration = Duration::from_secs(2);

/// Whether an error means that the database is unavailable. If so, it is recorded as part of the current
/// outage and needs no log line of its own.
pub fn includes(error: &anyhow::Error) -> bool {
    // The original error was recorded when this one was created.
    if error.is::<Unavailable>() {
        return true;
    }
    let kind = error.chain().find_map(kind);
    if let Some(kind) = kind {
        record_failure(error, kind);
    }
    kind.is_some()
}

/// The text to log for an error; `None` if the error is part of an outage.
pub fn loggable_cause(error: impl Into<anyhow::Error>) -> Option<String> {
    let error = error.into();
    (!includes(&error)).then(|| format!("{error:#}"))
}

/// Whether there is an outage in which the database is read-only.
pub(super) fn is_read_only() -> bool {
    TRACKER.lock().outage.as_ref().is_some_and(|outage| outage.kind == OutageKind::ReadOnly)
}

fn kind(cause: &(dyn StdError + 'static)) -> Option<OutageKind> {
    match cause.downcast_ref() {
        Some(DieselError::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _)) => {
            return Some(OutageKind::ReadOnly);
        }
        Some(error) if is_lost_connection(error) => return Some(OutageKind::Unreachable),
        Some(_) | None => {}
    }
    if let Some(error) = cause.downcast_ref() {
        return kind_of_protocol_error(error);
    }
    let is_unreachable = cause.downcast_ref().is_some_and(is_connect_failure)
        || cause.is::<ConnectionError>()
        || cause.is::<ConnectError>();
    is_unreachable.then_some(OutageKind::Unreachable)
}

fn kind_of_protocol_error(error: &tokio_postgres::Error) -> Option<OutageKind> {
    match error.code() {
        Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => Some(OutageKind::ReadOnly),
        Some(_) => None,
        None => {
            let is_lost = error.is_closed() || error.source().is_some_and(<dyn StdError>::is::<io::Error>);
            is_lost.then_some(OutageKind::Unreachable)
        }
    }
}

/// Whether a pool failed to connect to the database. A timeout because all connections are in use is no such
/// failure.
fn is_connect_failure(error: &PoolError) -> bool {
    match error {
        PoolError::Backend(ManagerError::ConnectionError(_) | ManagerError::QueryError(_))
        | PoolError::Timeout(TimeoutType::Create | TimeoutType::Recycle)
        | PoolError::Closed => true,
        PoolError::Timeout(TimeoutType::Wait)
        | PoolError::NoRuntimeSpecified
        | PoolError::PostCreateHook(_) => false,
    }
}

/// Whether a statement failed because its connection was lost.
fn is_lost_connection(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, _) => true,
        DieselError::DatabaseError(DatabaseErrorKind::UnableToSendCommand, reason) => {
            is_connection_error(&**reason)
        }
        DieselError::RollbackErrorOnCommit { rollback_error, commit_error } => {
            is_lost_connection(rollback_error) || is_lost_connection(commit_error)
        }
        _ => false,
    }
}

/// diesel uses one kind of error both for a lost connection and for parameters that cannot be sent.
fn is_connection_error(reason: &dyn DatabaseErrorInformation) -> bool {
    ["connection closed", "error communicating with the server"].contains(&reason.message())
}

fn record_failure(error: &anyhow::Error, kind: OutageKind) {
    let mut tracker = TRACKER.lock();
    let OutageTracker { outage, is_server_full: _, last_loss } = &mut *tracker;
    let outage = outage.get_or_insert_with(|| {
        let last_loss =
            last_loss.as_ref().filter(|(at, _)| at.elapsed() < LOSS_MAX_AGE).map(|(_, reason)| reason);
        error!(
            cause = format!("{error:#}"),
            last_loss, "The database is unavailable; errors are not logged until it is available again"
        );
        Outage { began: Instant::now(), kind, failures: 0 }
    });
    outage.failures += 1;
    // A read-only server may also lose connections. The outage then lasts until it accepts writes.
    if kind == OutageKind::ReadOnly {
        outage.kind = kind;
    }
}

/// Records why a connection was lost. The statement on it gets only a generic error.
pub(super) fn record_lost_connection(reason: String) {
    debug!(reason, "A database connection was lost");
    TRACKER.lock().last_loss = Some((Instant::now(), reason));
}

/// Records the status of a server, checked on an existing connection.
pub(super) fn record_ping(status: ServerStatus) {
    let mut tracker = TRACKER.lock();
    if !tracker.is_server_full {
        end_if_recovered(&mut tracker, status);
    }
}

/// Records the status of a server, checked on a new connection.
pub(super) fn record_connection(status: ServerStatus) {
    let mut tracker = TRACKER.lock();
    tracker.is_server_full = false;
    end_if_recovered(&mut tracker, status);
}

/// Records that a connection attempt failed, and whether the server had no free slots.
pub(super) fn record_failed_connection(is_server_full: bool) {
    TRACKER.lock().is_server_full = is_server_full;
}

fn end_if_recovered(tracker: &mut OutageTracker, status: ServerStatus) {
    let Some(outage) = &mut tracker.outage else { return };
    match (outage.kind, status) {
        (OutageKind::Unreachable, ServerStatus::ReadOnly) => return outage.kind = OutageKind::ReadOnly,
        (OutageKind::ReadOnly, ServerStatus::ReadOnly | ServerStatus::Up) => return,
        (OutageKind::Unreachable, ServerStatus::Up | ServerStatus::Writable)
        | (OutageKind::ReadOnly, ServerStatus::Writable) => {}
    }
    if let Some(Outage { began, kind: _, failures }) = tracker.outage.take() {
        let seconds = began.elapsed().as_secs();
        info!(seconds, failures, "The database is available again after {seconds} s and {failures} failures");
    }
}
