//! Rows that an import refused.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt};
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::db::schema::import_rows_rejected as rejected;

/// A refused row.
#[derive(Debug, Clone, QueryableByName)]
#[diesel(table_name = rejected)]
pub struct ImportRejection {
    /// The import.
    pub import_id: i64,
    /// The line of the file where the row begins, from 1.
    pub line: i64,
    /// The column that is wrong; none when it is the row as a whole.
    pub column_name: Option<String>,
    /// What stood there.
    pub value: Option<String>,
    /// The name of the reason.
    pub reason: String,
}

/// A row to be written down as refused.
#[derive(Debug, Insertable)]
#[diesel(table_name = rejected)]
pub struct NewImportRejection<'a> {
    /// The import.
    pub import_id: i64,
    /// The line of the file where the row begins, from 1.
    pub line: i64,
    /// The column that is wrong; none when it is the row as a whole.
    pub column_name: Option<&'a str>,
    /// What stood there.
    pub value: Option<&'a str>,
    /// The name of the reason.
    pub reason: &'a str,
    /// The row as it stood in the file.
    pub row_text: &'a str,
}

/// So many rows fit into one statement, which takes 65,535 values at most.
const ROWS_AT_ONCE: usize = 5_000;

impl NewImportRejection<'_> {
    /// Writes the rows down.
    pub async fn insert_all(conn: &mut Connection, rows: &[Self]) -> QueryResult<()> {
        for rows in rows.chunks(ROWS_AT_ONCE) {
            diesel::insert_into(rejected::table).values(rows).execute(conn).await?;
        }
        Ok(())
    }
}

impl ImportRejection {
    /// The first refused rows of each of these imports, in the order of its file.
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
