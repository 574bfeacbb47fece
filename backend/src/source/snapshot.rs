//! One picture of the data for as long as an export reads, on one connection or two.

use diesel::dsl::{select, sql};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

/// What an export's transaction is allowed and told.
///
/// Sorts get memory, and reading in the order of an index is priced as on disks without moving heads, so that a long
/// export is streamed from an index rather than sorted first.
const BEGIN: &str = "\
    BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
    SET LOCAL work_mem = '64MB'; \
    SET LOCAL random_page_cost = 1.1; \
    SET LOCAL cursor_tuple_fraction = 1";

/// Begins to read; all queries until [`end`] see the same data.
pub async fn begin(conn: &mut AsyncPgConnection) -> QueryResult<()> {
    conn.batch_execute(BEGIN).await
}

/// The name by which another connection can see the same data, while this one reads.
pub async fn share(conn: &mut AsyncPgConnection) -> QueryResult<String> {
    select(sql::<Text>("pg_export_snapshot()")).get_result(conn).await
}

/// Begins to read what another connection shares.
pub async fn join(conn: &mut AsyncPgConnection, name: &str) -> QueryResult<()> {
    begin(conn).await?;
    let quoted = name.replace('\'', "''");
    conn.batch_execute(&format!("SET TRANSACTION SNAPSHOT '{quoted}'")).await
}

/// Ends reading.
pub async fn end(conn: &mut AsyncPgConnection) -> QueryResult<()> {
    conn.batch_execute("ROLLBACK").await
}
