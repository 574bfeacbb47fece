//! Ids of rows that are not stored yet.

use diesel::QueryResult;

use crate::db::Connection;
use crate::models::fresh;

/// The ids of one table, from its sequence's next one on. Nobody else may write into the table meanwhile.
pub struct Ids {
    table: &'static str,
    last: i64,
}

impl Ids {
    /// Ids for rows of this table.
    pub async fn of(conn: &mut Connection, table: &'static str) -> QueryResult<Self> {
        Ok(Self { table, last: fresh::next_id(conn, table).await? - 1 })
    }

    /// The next id.
    pub fn take(&mut self) -> i64 {
        self.last += 1;
        self.last
    }

    /// Tells the sequence how many were taken.
    pub async fn give_back(self, conn: &mut Connection) -> QueryResult<()> {
        let Self { table, last } = self;
        fresh::advance(conn, table, last).await
    }
}
