//! A read-only transaction with a consistent view of the data, which two connections can share.

use diesel::dsl::{select, sql};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use tokio::runtime::Handle;
use tracing::warn;

use crate::db::Connection;

/// Begins the transaction and sets its limits.
///
/// The planner settings favour reading from an index over sorting first, so that a long export is streamed:
/// `random_page_cost` is that of an SSD. Sorts that remain get more memory.
const BEGIN: &str = "\
    BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
    SET LOCAL statement_timeout = 0; \
    SET LOCAL work_mem = '64MB'; \
    SET LOCAL random_page_cost = 1.1; \
    SET LOCAL cursor_tuple_fraction = 1";

/// A connection in a transaction, whose queries all see the same data.
///
/// Only [`ReadTransaction::end`] returns the connection to its pool. If the transaction is dropped instead,
/// for example after an error or a panic, the query is cancelled and the connection closed, since a pooled
/// connection must not have an open transaction.
pub struct ReadTransaction {
    conn: Option<Object<Connection>>,
}

impl ReadTransaction {
    /// Begins a transaction.
    pub async fn begin(conn: Object<Connection>) -> QueryResult<Self> {
        let mut transaction = Self { conn: Some(conn) };
        transaction.conn().batch_execute(BEGIN).await?;
        Ok(transaction)
    }

    /// Begins a transaction that sees the same data as the one that exported this snapshot.
    pub async fn begin_with_snapshot(conn: Object<Connection>, snapshot_id: &str) -> QueryResult<Self> {
        let mut transaction = Self::begin(conn).await?;
        let quoted_id = snapshot_id.replace('\'', "''");
        transaction.conn().batch_execute(&format!("SET TRANSACTION SNAPSHOT '{quoted_id}'")).await?;
        Ok(transaction)
    }

    /// Exports the snapshot of this transaction and returns its id. It is valid until this transaction ends.
    pub async fn export_snapshot(&mut self) -> QueryResult<String> {
        select(sql::<Text>("pg_export_snapshot()")).get_result(self.conn()).await
    }

    /// The connection of the transaction.
    pub fn conn(&mut self) -> &mut Connection {
        self.conn.as_mut().expect("only `end`, `cancel` and `drop` take the connection")
    }

    /// Cancels the running query and closes the connection. It cannot be reused, because a late cancel
    /// request would cancel the next statement on it.
    pub async fn cancel(mut self) {
        if let Some(conn) = self.conn.take().map(Object::take) {
            cancel(conn).await;
        }
    }

    /// Ends the transaction and returns the connection to its pool, if it still works.
    pub async fn end(mut self) -> QueryResult<()> {
        self.conn().batch_execute("ROLLBACK").await?;
        drop(self.conn.take());
        Ok(())
    }
}

impl Drop for ReadTransaction {
    fn drop(&mut self) {
        let Some(conn) = self.conn.take().map(Object::take) else { return };
        // Without a runtime, the connections have ended as well.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(cancel(conn));
        }
    }
}

async fn cancel(conn: Connection) {
    if let Err(error) = conn.cancel().await {
        warn!(cause = format!("{:#}", anyhow::Error::new(error)), "Failed to cancel a query");
    }
}
