//! Rows that an import rejected.

use std::pin::pin;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Text};
use diesel_async::RunQueryDsl;
use futures_util::TryStreamExt as _;

use super::copy_rows::CopyRows;
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

/// A rejected row with its cells.
#[derive(Debug, Clone, QueryableByName)]
#[diesel(table_name = rejected)]
pub struct RejectedRow {
    pub id: i64,
    /// Line of the file on which the row starts, from 1.
    pub line: i64,
    /// The invalid column. `None` if the whole row is invalid.
    pub column_name: Option<String>,
    /// Key of the reason.
    pub reason: String,
    /// The cells, in the order of the file's columns.
    #[diesel(sql_type = Array<Text>)]
    pub cells: Vec<String>,
}

/// A new rejected row.
#[derive(Debug)]
pub struct NewImportRejection<'a, Cells> {
    pub import_id: i64,
    /// Line of the file on which the row starts, from 1.
    pub line: i64,
    /// The invalid column. `None` if the whole row is invalid.
    pub column_name: Option<&'a str>,
    /// The invalid value.
    pub value: &'a str,
    /// Key of the reason.
    pub reason: &'a str,
    /// The cells of the row, in the order of the file's columns.
    pub cells: Cells,
}

/// Inserts rejected rows.
pub const COPY: &str = "COPY import_rows_rejected (import_id, line, column_name, value, reason, cells) FROM STDIN (FORMAT binary)";

/// The number of columns.
const COLUMNS: i16 = 6;

impl<Text: AsRef<str>, Cells: ExactSizeIterator<Item = Text>> NewImportRejection<'_, Cells> {
    /// Encodes the row for [`COPY`].
    pub fn encode(self, rows: &mut CopyRows) {
        rows.begin_row(COLUMNS);
        rows.bigint(Some(self.import_id));
        rows.bigint(Some(self.line));
        rows.text(self.column_name);
        rows.text(Some(self.value));
        rows.text(Some(self.reason));
        rows.text_array(self.cells);
    }
}

impl RejectedRow {
    /// The rejected rows of an import, in the order of the file, after the row with this line and id: at most `max_rows`,
    /// and none after those whose cells have `max_bytes` together.
    pub async fn page(
        conn: &mut Connection,
        import: i64,
        after: Option<(i64, i64)>,
        max_rows: i64,
        max_bytes: usize,
    ) -> QueryResult<Vec<Self>> {
        let (line, id) = after.unwrap_or_default();
        let rows = sql_query(
            "SELECT id, line, column_name, reason, cells FROM import_rows_rejected \
             WHERE import_id = $1 AND (line, id) > ($2, $3) ORDER BY line, id LIMIT $4",
        )
        .bind::<BigInt, _>(import)
        .bind::<BigInt, _>(line)
        .bind::<BigInt, _>(id)
        .bind::<BigInt, _>(max_rows)
        .load_stream::<Self>(conn)
        .await?;
        let (mut rows, mut page, mut bytes) = (pin!(rows), Vec::new(), 0);
        while bytes < max_bytes
            && let Some(row) = rows.try_next().await?
        {
            bytes += row.cells.iter().map(String::len).sum::<usize>();
            page.push(row);
        }
        Ok(page)
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
