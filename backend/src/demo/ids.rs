//! Ids for rows that are not stored yet.

use diesel::QueryResult;

use crate::db::Connection;
use crate::models::seeding;

/// The next ids of a table's sequence. No other process may write to the table in the meantime.
pub struct Ids {
    table: &'static str,
    last: i64,
}

impl Ids {
    /// Starts at the next id of the table's sequence.
    pub async fn of_table(conn: &mut Connection, table: &'static str) -> QueryResult<Self> {
        Ok(Self { table, last: seeding::next_id(conn, table).await? - 1 })
    }

    /// The next id.
    pub fn take(&mut self) -> i64 {
        self.last += 1;
        self.last
    }

    /// Advances the table's sequence past the ids that were taken.
    pub async fn advance_sequence(self, conn: &mut Connection) -> QueryResult<()> {
        let Self { table, last } = self;
        seeding::advance_sequence(conn, table, last).await
    }
}
