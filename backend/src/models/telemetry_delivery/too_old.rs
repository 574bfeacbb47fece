//! Settles what is pending for nobody: events that happened so long before the first driver was enabled that no driver
//! gets them. They have no delivery record, and stay unsynced; only a backfill sends them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Timestamptz};
use diesel_async::RunQueryDsl;

use super::EventPosition;
use crate::db::Connection;

/// So many are settled at a time, so that nobody waits long.
const SLICE: i64 = 10_000;

/// A slice that was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub struct TooOld {
    /// How many events it had.
    #[diesel(sql_type = BigInt)]
    pub count: i64,
    #[diesel(sql_type = Timestamptz)]
    recorded_at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    event_id: i64,
}

impl TooOld {
    /// Where the next slice begins.
    pub const fn end(&self) -> EventPosition {
        EventPosition { recorded_at: self.recorded_at, id: self.event_id }
    }
}

/// Settles the next slice of what happened before this moment, the oldest first; nothing when there is no more.
pub async fn settle_too_old(
    conn: &mut Connection,
    after: EventPosition,
    before: DateTime<Utc>,
) -> QueryResult<Option<TooOld>> {
    sql_query(
        "WITH gone AS (DELETE FROM telemetry_pending WHERE drivers IS NULL AND ctid = ANY (ARRAY( \
             SELECT ctid FROM telemetry_pending \
             WHERE (recorded_at, event_id) > ($1, $2) AND recorded_at < $3 AND drivers IS NULL \
             ORDER BY recorded_at, event_id LIMIT $4)) RETURNING recorded_at, event_id) \
         SELECT count(*) OVER () AS count, recorded_at, event_id FROM gone ORDER BY recorded_at DESC, event_id DESC LIMIT 1",
    )
    .bind::<Timestamptz, _>(after.recorded_at)
    .bind::<BigInt, _>(after.id)
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(SLICE)
    .get_result(conn)
    .await
    .optional()
}
