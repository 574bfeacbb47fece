//! Why a statement of a migration failed, as far as that tells whether to try it again.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel::result::{DatabaseErrorKind, Error};

use crate::unpoisoned;

/// Listens to a connection, since diesel's harness for migrations turns errors into texts.
#[derive(Clone, Default)]
pub struct Failure(Arc<Mutex<Option<DatabaseErrorKind>>>);

impl Failure {
    /// Forgets what was heard.
    pub fn clear(&self) {
        *unpoisoned::lock(&self.0) = None;
    }

    /// Whether the last failure, so long after the first statement, was that others held what was to be locked.
    ///
    /// A lock timeout has no kind of its own, and its words are in the server's language. But it does not come early, and
    /// what fails for another reason seldom does so late.
    pub fn is_of_locks(&self, after: Duration, lock_timeout: Duration) -> bool {
        match *unpoisoned::lock(&self.0) {
            // As `lock_tables` has it.
            Some(DatabaseErrorKind::SerializationFailure) => true,
            Some(DatabaseErrorKind::Unknown) => !lock_timeout.is_zero() && after >= lock_timeout,
            _ => false,
        }
    }
}

impl Instrumentation for Failure {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::FinishQuery { error: Some(Error::DatabaseError(kind, _)), .. } = event {
            *unpoisoned::lock(&self.0) = Some(*kind);
        }
    }
}
