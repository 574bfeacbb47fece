//! PostgreSQL's advisory locks: every key that the hub uses.
//!
//! The fixed keys are arbitrary numbers. The other keys are hashes of a namespace and a name.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Bool;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection as _};

use super::Connection;

/// An advisory lock of this database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdvisoryLock {
    /// Held by the session of the process that applies migrations.
    Migrations,
    /// Held by the session of the sync run in progress.
    SyncRun,
    /// Held by transactions that write deliveries. The transaction that writes an event's last outcome must see the others.
    Deliveries,
    /// Held by a transaction of the process that works on this import.
    ImportAlive(i64),
    /// Held by the transaction that imports into this table.
    Import(&'static str),
    /// Held by the transaction that mirrors rows of this table.
    Mirror(&'static str),
}

/// SQL that is true if the lock [`AdvisoryLock::ImportAlive`] of a row of `imports` was free. The transaction then holds it.
pub const IS_IMPORT_ABANDONED: &str = "pg_try_advisory_xact_lock(hashtextextended('import alive', id))";

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    is_true: bool,
}

impl AdvisoryLock {
    /// The key, as an SQL expression.
    pub fn key(self) -> String {
        match self {
            Self::Migrations => "7238261054".to_owned(),
            Self::SyncRun => "7238261055".to_owned(),
            Self::Deliveries => "7238261056".to_owned(),
            Self::ImportAlive(id) => format!("hashtextextended('import alive', {id})"),
            Self::Import(table) => format!("hashtextextended('import {table}', 0)"),
            Self::Mirror(table) => format!("hashtextextended('mirror {table}', 0)"),
        }
    }

    /// Acquires the lock for the session unless another session holds it. Returns whether it was acquired.
    pub async fn try_acquire(self, conn: &mut Connection) -> QueryResult<bool> {
        ask(conn, &format!("pg_try_advisory_lock({})", self.key())).await
    }

    /// Releases the lock of the session.
    pub async fn release(self, conn: &mut Connection) -> QueryResult<()> {
        conn.batch_execute(&format!("SELECT pg_advisory_unlock({})", self.key())).await
    }

    /// Waits for the lock and holds it until the transaction ends.
    pub async fn acquire_in_transaction(self, conn: &mut Connection) -> QueryResult<()> {
        conn.batch_execute(&self.statement_to_acquire_in_transaction()).await
    }

    /// Acquires the lock until the transaction ends, unless another one holds it. Returns whether it was acquired.
    pub async fn try_acquire_in_transaction(self, conn: &mut Connection) -> QueryResult<bool> {
        ask(conn, &format!("pg_try_advisory_xact_lock({})", self.key())).await
    }

    /// SQL that waits for the lock and holds it until the transaction ends.
    pub fn statement_to_acquire_in_transaction(self) -> String {
        format!("SELECT pg_advisory_xact_lock({})", self.key())
    }

    /// Whether any session of this database holds the lock. Only for locks with a fixed key.
    pub async fn is_held(self, conn: &mut Connection) -> QueryResult<bool> {
        ask(conn, &format!("EXISTS ({})", self.holders())).await
    }

    /// SQL that selects the `pid` of the session that holds the lock. Only for locks with a fixed key.
    pub fn holders(self) -> String {
        format!(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 \
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
                 AND (classid::bigint << 32) + objid::bigint = {}",
            self.key()
        )
    }
}

/// The value of an expression of the type boolean.
async fn ask(conn: &mut Connection, expression: &str) -> QueryResult<bool> {
    let answer: Answer = sql_query(format!("SELECT {expression} AS is_true")).get_result(conn).await?;
    Ok(answer.is_true)
}
