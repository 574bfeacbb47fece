//! Spells in which the database cannot be used: the log says once when one begins and once when it is over, however many
//! requests come meanwhile.

use std::error::Error as StdError;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use deadpool::managed::TimeoutType;
use diesel::ConnectionError;
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};
use diesel_async::pooled_connection::PoolError as ManagerError;
use diesel_async::pooled_connection::deadpool::PoolError;
use tracing::{debug, error, info};

use super::connect_error::ConnectError;
use crate::unpoisoned;

/// A process uses one database.
static OUTAGE: Mutex<Outage> = Mutex::new(Outage { spell: None, is_full: false, lost: None });

struct Outage {
    spell: Option<Spell>,
    /// Whether the server had no place for the connection that was tried last.
    is_full: bool,
    /// Why the last connection was lost, and when.
    lost: Option<(Instant, String)>,
}

struct Spell {
    began: Instant,
    kind: Kind,
    /// What could not be done since.
    failures: u64,
}

/// The database cannot be used, as is known already.
#[derive(Debug, thiserror::Error)]
#[error("The database cannot be used at the moment")]
pub struct Away;

/// How a server answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is there; whether it takes changes was not asked.
    IsThere,
    /// It takes changes.
    TakesChanges,
    /// It is there and takes no changes.
    TakesNoChanges,
}

/// What ends a spell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// That the database answers.
    Away,
    /// That it takes changes.
    ReadOnly,
}

/// A statement that fails hears only that its connection is lost, so the reason may have come this long before.
const LOST_JUST_NOW: Duration = Duration::from_secs(2);

/// Whether an error says that the database cannot be used, now or for the moment. Then it belongs to a spell, which is
/// logged, and the error itself needs no line.
pub fn explains(error: &anyhow::Error) -> bool {
    // Whoever made this of another error has asked already.
    if error.is::<Away>() {
        return true;
    }
    let kind = error.chain().find_map(kind);
    if let Some(kind) = kind {
        note(error, kind);
    }
    kind.is_some()
}

/// What the log is to say of an error: nothing, if it belongs to a spell.
pub fn unexplained(error: impl Into<anyhow::Error>) -> Option<String> {
    let error = error.into();
    (!explains(&error)).then(|| format!("{error:#}"))
}

/// Whether it is one in which the database answers and takes no changes.
pub(super) fn is_read_only() -> bool {
    unpoisoned::lock(&OUTAGE).spell.as_ref().is_some_and(|spell| spell.kind == Kind::ReadOnly)
}

fn kind(cause: &(dyn StdError + 'static)) -> Option<Kind> {
    match cause.downcast_ref() {
        Some(DieselError::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _)) => {
            return Some(Kind::ReadOnly);
        }
        Some(error) if is_lost(error) => return Some(Kind::Away),
        Some(_) | None => {}
    }
    let is_away = cause.downcast_ref().is_some_and(is_out_of_reach)
        || cause.is::<ConnectionError>()
        || cause.is::<ConnectError>();
    is_away.then_some(Kind::Away)
}

/// Whether a pool gives no connection because the database cannot be connected to. That all are in use is no such error.
fn is_out_of_reach(error: &PoolError) -> bool {
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
fn is_lost(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, _) => true,
        DieselError::DatabaseError(DatabaseErrorKind::UnableToSendCommand, why) => is_about_the_line(&**why),
        DieselError::RollbackErrorOnCommit { rollback_error, commit_error } => {
            is_lost(rollback_error) || is_lost(commit_error)
        }
        _ => false,
    }
}

/// The library has one kind of error for a lost connection and for parameters that cannot be sent.
fn is_about_the_line(why: &dyn DatabaseErrorInformation) -> bool {
    ["connection closed", "error communicating with the server"].contains(&why.message())
}

fn note(error: &anyhow::Error, kind: Kind) {
    let mut outage = unpoisoned::lock(&OUTAGE);
    let Outage { spell, is_full: _, lost } = &mut *outage;
    let spell = spell.get_or_insert_with(|| {
        let lost = lost.as_ref().filter(|(at, _)| at.elapsed() < LOST_JUST_NOW).map(|(_, why)| why);
        error!(
            cause = format!("{error:#}"),
            lost, "The database cannot be used; it is logged when it can be again"
        );
        Spell { began: Instant::now(), kind, failures: 0 }
    });
    spell.failures += 1;
    // A server that takes no changes may lose a connection too, and takes none because of that.
    if kind == Kind::ReadOnly {
        spell.kind = kind;
    }
}

/// Notes why a connection was lost, for the statement that hears only that it was.
pub(super) fn lost(why: String) {
    debug!(why, "A database connection was lost");
    unpoisoned::lock(&OUTAGE).lost = Some((Instant::now(), why));
}

/// Notes how a server answered on a connection that was there already.
pub(super) fn answered(answer: Answer) {
    let mut outage = unpoisoned::lock(&OUTAGE);
    if !outage.is_full {
        end(&mut outage, answer);
    }
}

/// Notes how a server answered on a new connection.
pub(super) fn connected(answer: Answer) {
    let mut outage = unpoisoned::lock(&OUTAGE);
    outage.is_full = false;
    end(&mut outage, answer);
}

/// Notes that no new connection was to be had, and whether the server is there and has no place left.
pub(super) fn not_connected(is_full: bool) {
    unpoisoned::lock(&OUTAGE).is_full = is_full;
}

fn end(outage: &mut Outage, answer: Answer) {
    let Some(spell) = &mut outage.spell else { return };
    match (spell.kind, answer) {
        (Kind::Away, Answer::TakesNoChanges) => return spell.kind = Kind::ReadOnly,
        (Kind::ReadOnly, Answer::TakesNoChanges | Answer::IsThere) => return,
        (Kind::Away, Answer::IsThere | Answer::TakesChanges) | (Kind::ReadOnly, Answer::TakesChanges) => {}
    }
    if let Some(Spell { began, kind: _, failures }) = outage.spell.take() {
        let seconds = began.elapsed().as_secs();
        info!(
            seconds,
            failures, "The database can be used again after {seconds} s, {failures} failures later"
        );
    }
}
