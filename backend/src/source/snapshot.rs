//! One picture of the data for as long as an export reads, on one connection or two.

use diesel::dsl::{select, sql};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use tokio::runtime::Handle;
use tracing::warn;

use crate::db::Connection;

/// What an export's transaction is allowed and told.
///
/// Sorts get memory, and reading in the order of an index is priced as on disks without moving heads, so that a long
/// export is streamed from an index rather than sorted first.
const BEGIN: &str = "\
    BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
    SET LOCAL statement_timeout = 0; \
    SET LOCAL work_mem = '64MB'; \
    SET LOCAL random_page_cost = 1.1; \
    SET LOCAL cursor_tuple_fraction = 1";

/// A connection whose queries all see the same data.
///
/// Only [`Snapshot::end`] gives the connection back to its pool. However else the reader ends, by an error, a panic or
/// by being dropped, the query is cancelled and the connection closed: nobody may find it with a transaction open.
pub struct Snapshot {
    conn: Option<Object<Connection>>,
}

impl Snapshot {
    /// Begins to read.
    pub async fn begin(conn: Object<Connection>) -> QueryResult<Self> {
        let mut snapshot = Self { conn: Some(conn) };
        snapshot.conn().batch_execute(BEGIN).await?;
        Ok(snapshot)
    }

    /// Begins to read what another snapshot shares.
    pub async fn join(conn: Object<Connection>, name: &str) -> QueryResult<Self> {
        let mut snapshot = Self::begin(conn).await?;
        let quoted = name.replace('\'', "''");
        snapshot.conn().batch_execute(&format!("SET TRANSACTION SNAPSHOT '{quoted}'")).await?;
        Ok(snapshot)
    }

    /// The name by which another connection can see the same data, while this one reads.
    pub async fn share(&mut self) -> QueryResult<String> {
        select(sql::<Text>("pg_export_snapshot()")).get_result(self.conn()).await
    }

    /// The connection to read by.
    pub fn conn(&mut self) -> &mut Connection {
        self.conn.as_mut().expect("only ending it takes the connection away")
    }

    /// Stops the query that is running and closes the connection: the message that stops it may come late, and would
    /// then stop the first statement of whoever had the connection next.
    pub async fn cancel(mut self) {
        if let Some(conn) = self.conn.take().map(Object::take) {
            cancel(conn).await;
        }
    }

    /// Ends reading and gives the connection back, if it is still good.
    pub async fn end(mut self) -> QueryResult<()> {
        self.conn().batch_execute("ROLLBACK").await?;
        drop(self.conn.take());
        Ok(())
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        let Some(conn) = self.conn.take().map(Object::take) else { return };
        // Where the runtime ends too, so do its connections.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(cancel(conn));
        }
    }
}

async fn cancel(conn: Connection) {
    if let Err(error) = conn.cancel().await {
        warn!(cause = format!("{:#}", anyhow::Error::new(error)), "A query could not be cancelled");
    }
}
