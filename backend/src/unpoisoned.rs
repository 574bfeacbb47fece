//! Locks for state that is whole at every moment, so that a panic elsewhere leaves nothing half done.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after a panic of somebody who held the lock.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
