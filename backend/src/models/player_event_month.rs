//! The monthly partitions of `video_player_events`: no event can be stored in a month that has none.

use chrono::NaiveDate;
use diesel::QueryResult;
use diesel::sql_types::Date;
use diesel_async::RunQueryDsl;

use crate::db::Connection;

/// Makes the months from one day to another, where they are missing.
pub async fn ensure(conn: &mut Connection, first: NaiveDate, last: NaiveDate) -> QueryResult<()> {
    diesel::sql_query("SELECT ensure_player_event_partitions($1, $2)")
        .bind::<Date, _>(first)
        .bind::<Date, _>(last)
        .execute(conn)
        .await?;
    Ok(())
}
