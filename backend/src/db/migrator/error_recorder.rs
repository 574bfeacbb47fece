//! Records why a statement of a migration failed, to decide whether to retry it.

use std::sync::Arc;
use std::time::Duration;

use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel::result::{DatabaseErrorKind, Error};
use parking_lot::Mutex;

/// Instruments a connection, because diesel's migration harness turns errors into text.
#[derive(Clone, Default)]
pub struct ErrorRecorder(Arc<Mutex<Option<DatabaseErrorKind>>>);

impl ErrorRecorder {
    /// Forgets the last error.
    pub fn clear(&self) {
        *self.0.lock() = None;
    }

    /// Whether the last error, this long after the attempt began, means that other sessions held the locks.
    ///
    /// A lock timeout has no error kind of its own in diesel, and its message is localized. But it never
    /// occurs before the timeout has passed, and other errors rarely occur so late.
    pub fn is_lock_failure(&self, elapsed: Duration, lock_timeout: Duration) -> bool {
        match *self.0.lock() {
            // As raised by `lock_tables`.
            Some(DatabaseErrorKind::SerializationFailure) => true,
            Some(DatabaseErrorKind::Unknown) => !lock_timeout.is_zero() && elapsed >= lock_timeout,
            _ => false,
        }
    }
}

impl Instrumentation for ErrorRecorder {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::FinishQuery { error: Some(Error::DatabaseError(kind, _)), .. } = event {
            *self.0.lock() = Some(*kind);
        }
    }
}
