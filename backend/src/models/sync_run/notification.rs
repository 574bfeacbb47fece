//! Notifies other processes of changes in the sync's state, with PostgreSQL's LISTEN and NOTIFY.

use diesel::QueryResult;
use diesel::sql_query;
use diesel_async::RunQueryDsl;

use crate::db::Connection;

/// Notifies all listening processes.
pub async fn notify(conn: &mut Connection) -> QueryResult<()> {
    sql_query("SELECT pg_notify('dataporter_sync', '')").execute(conn).await?;
    Ok(())
}

/// Makes this connection receive notifications.
pub async fn listen(conn: &mut Connection) -> QueryResult<()> {
    sql_query("LISTEN dataporter_sync").execute(conn).await?;
    Ok(())
}
