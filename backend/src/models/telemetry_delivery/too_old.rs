//! Deletes the pending rows of events that were too old for every driver when the first driver was enabled.
//! These events have no delivery and stay unsynced. Only a backfill sends them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Timestamptz};
use diesel_async::RunQueryDsl;

use super::EventPosition;
use crate::db::Connection;

/// Maximum number of events per statement, which keeps the lock times short.
const BATCH_SIZE: i64 = 10_000;

/// A batch of events whose pending rows were deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub struct DiscardedBatch {
    /// The number of events.
    #[diesel(sql_type = BigInt)]
    pub count: i64,
    #[diesel(sql_type = Timestamptz)]
    recorded_at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    event_id: i64,
}

impl DiscardedBatch {
    /// The position of the last event. The next batch starts after it.
    pub const fn end(&self) -> EventPosition {
        EventPosition { recorded_at: self.recorded_at, id: self.event_id }
    }
}

/// Deletes the next batch of pending rows of events before this time, oldest first. Returns `None` if there
/// are no more.
pub async fn discard_too_old(
    conn: &mut Connection,
    after: EventPosition,
    before: DateTime<Utc>,
) -> QueryResult<Option<DiscardedBatch>> {
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
    .bind::<BigInt, _>(BATCH_SIZE)
    .get_result(conn)
    .await
    .optional()
}
