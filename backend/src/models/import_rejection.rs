//! Rows that an import rejected.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt};
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::db::schema::import_rows_rejected as rejected;

/// A rejected row.
#[derive(Debug, Clone, QueryableByName)]
#[diesel(table_name = rejected)]
pub struct ImportRejection {
    pub import_id: i64,
    /// Line of the file on which the row starts, from 1.
    pub line: i64,
    /// The invalid column. `None` if the whole row is invalid.
    pub column_name: Option<String>,
    /// The invalid value.
    pub value: Option<String>,
    /// Key of the reason.
    pub reason: String,
}

/// A new rejected row.
#[derive(Debug, Insertable)]
#[diesel(table_name = rejected)]
pub struct NewImportRejection<'a> {
    pub import_id: i64,
    /// Line of the file on which the row starts, from 1.
    pub line: i64,
    /// The invalid column. `None` if the whole row is invalid.
    pub column_name: Option<&'a str>,
    /// The invalid value.
    pub value: Option<&'a str>,
    /// Key of the reason.
    pub reason: &'a str,
    /// Text of the row in the file.
    pub row_text: &'a str,
}

/// Maximum number of rows per statement. PostgreSQL accepts at most 65,535 values.
const MAX_ROWS_PER_STATEMENT: usize = 5_000;

impl NewImportRejection<'_> {
    /// Inserts the rows.
    pub async fn insert_all(conn: &mut Connection, rows: &[Self]) -> QueryResult<()> {
        for rows in rows.chunks(MAX_ROWS_PER_STATEMENT) {
            diesel::insert_into(rejected::table).values(rows).execute(conn).await?;
        }
        Ok(())
    }
}

impl ImportRejection {
    /// The first `limit` rejected rows of each of these imports, in the order of the file.
    pub async fn first_of_each(conn: &mut Connection, imports: &[i64], limit: i64) -> QueryResult<Vec<Self>> {
        sql_query(
            "SELECT row.* FROM unnest($1) AS import (id) CROSS JOIN LATERAL ( \
                 SELECT import_id, line, column_name, value, reason FROM import_rows_rejected \
                 WHERE import_id = import.id ORDER BY line, import_rows_rejected.id LIMIT $2 \
             ) AS row",
        )
        .bind::<Array<BigInt>, _>(imports)
        .bind::<BigInt, _>(limit)
        .load(conn)
        .await
    }
}
