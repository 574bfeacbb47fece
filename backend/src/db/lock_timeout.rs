//! Limits how long a transaction waits for the locks of others.

use std::time::Duration;

use diesel::QueryResult;
use diesel::result::DatabaseErrorKind;
use diesel_async::SimpleAsyncConnection as _;

use super::Connection;

/// How long each statement waits. After that it fails, so that those that wait for this transaction can continue.
const LOCK_TIMEOUT: Duration = Duration::from_secs(3);

/// When a client should retry a call that timed out waiting for a lock.
pub const RETRY_AFTER_LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// Limits how long the statements of this transaction wait for a lock.
pub async fn limit_lock_waits(conn: &mut Connection) -> QueryResult<()> {
    conn.batch_execute(&format!("SET LOCAL lock_timeout = {}", LOCK_TIMEOUT.as_millis())).await
}

/// Whether a transaction that failed after this time timed out waiting for a lock. Diesel has no kind for that, and the
/// message is in the server's language.
pub fn is_lock_timeout(kind: &DatabaseErrorKind, elapsed: Duration) -> bool {
    matches!(kind, DatabaseErrorKind::Unknown) && elapsed >= LOCK_TIMEOUT
}
