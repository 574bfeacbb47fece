//! Spells in which the database cannot be used: the log says once when one begins and once when it is over, however many
//! requests come meanwhile.

use std::sync::Mutex;
use std::time::Instant;

use deadpool::managed::TimeoutType;
use diesel::ConnectionError;
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};
use diesel_async::pooled_connection::PoolError as ManagerError;
use diesel_async::pooled_connection::deadpool::PoolError;
use tracing::{error, info};

use super::connect_error::ConnectError;
use crate::unpoisoned;

/// A process uses one database.
static SPELL: Mutex<Option<Spell>> = Mutex::new(None);

struct Spell {
    began: Instant,
    /// What could not be done since.
    failures: u64,
}

/// Whether an error says that the database cannot be used, now or for the moment. Then it belongs to a spell, which is
/// logged, and the error itself needs no line.
pub fn explains(error: &anyhow::Error) -> bool {
    let is_one = error.chain().any(|cause| {
        cause.downcast_ref().is_some_and(is_lost)
            || cause.downcast_ref().is_some_and(is_out_of_reach)
            || cause.is::<ConnectionError>()
            || cause.is::<ConnectError>()
    });
    if is_one {
        note(error);
    }
    is_one
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

/// Whether a statement failed because its connection was lost, or because the server only reads for now, as one does
/// that another has taken over from.
fn is_lost(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::ReadOnlyTransaction,
            _,
        ) => true,
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

fn note(error: &anyhow::Error) {
    let mut spell = unpoisoned::lock(&SPELL);
    match &mut *spell {
        Some(spell) => spell.failures += 1,
        None => {
            *spell = Some(Spell { began: Instant::now(), failures: 1 });
            error!(
                cause = format!("{error:#}"),
                "The database cannot be used; it is logged when it can be again"
            );
        }
    }
}

/// Notes that the database was connected to.
pub(super) fn is_over() {
    let ended = unpoisoned::lock(&SPELL).take();
    if let Some(Spell { began, failures }) = ended {
        let seconds = began.elapsed().as_secs();
        info!(
            seconds,
            failures, "The database can be used again after {seconds} s, {failures} failures later"
        );
    }
}
