//! Word between processes that something about the sync has changed: PostgreSQL's LISTEN and NOTIFY.

use diesel::QueryResult;
use diesel::sql_query;
use diesel_async::RunQueryDsl;

use crate::db::Connection;

/// Tells every process that listens.
pub async fn tell(conn: &mut Connection) -> QueryResult<()> {
    sql_query("SELECT pg_notify('dataporter_sync', '')").execute(conn).await?;
    Ok(())
}

/// From then on this connection hears.
pub async fn listen(conn: &mut Connection) -> QueryResult<()> {
    sql_query("LISTEN dataporter_sync").execute(conn).await?;
    Ok(())
}
