//! The table `installation`: one row that identifies this hub.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Uuid as SqlUuid;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::db::Connection;

/// The id of this hub.
pub async fn id(conn: &mut Connection) -> QueryResult<Uuid> {
    #[derive(QueryableByName)]
    struct InstallationRow {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let row: InstallationRow = sql_query("SELECT id FROM installation").get_result(conn).await?;
    Ok(row.id)
}
