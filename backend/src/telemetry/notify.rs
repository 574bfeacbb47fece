//! Notifications between processes that the sync's state has changed: PostgreSQL's LISTEN and NOTIFY.

use diesel::QueryResult;
use diesel::sql_query;
use diesel_async::RunQueryDsl;

use crate::db::Connection;

/// Notifies every process that listens.
pub async fn publish(conn: &mut Connection) -> QueryResult<()> {
    sql_query("SELECT pg_notify('dataporter_sync', '')").execute(conn).await?;
    Ok(())
}

/// Subscribes this connection.
pub async fn listen(conn: &mut Connection) -> QueryResult<()> {
    sql_query("LISTEN dataporter_sync").execute(conn).await?;
    Ok(())
}
