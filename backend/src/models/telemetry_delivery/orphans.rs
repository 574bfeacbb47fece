//! Deletes pending rows of events that no longer exist, and inserts missing pending rows. Triggers do both
//! when rows change. They do not run when a partition is detached or dropped, or while they are disabled.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Timestamptz};
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use domain::Driver;

use super::EventPosition;
use crate::db::Connection;
use crate::db::advisory_lock::AdvisoryLock;
use crate::models::player_event_month::Gap;

/// Maximum number of rows deleted per transaction, which keeps the lock times short.
const DELETE_BATCH_SIZE: i64 = 5_000;
/// Number of the oldest rows that are checked for orphans.
const MAX_OLDEST_ROWS: i64 = 1_000;
/// Maximum number of events per statement that are checked for a pending row.
const CHECK_BATCH_SIZE: i64 = 20_000;

/// Whether the event of a row of `slice` does not exist. A partition may be created while its gap is
/// searched.
const NO_EVENT: &str = "NOT EXISTS (SELECT FROM video_player_events AS event \
    WHERE event.recorded_at = slice.recorded_at AND event.id = slice.event_id OFFSET 0)";

/// The kinds of pending rows.
const PENDING_ROWS: [PendingRows; 3] = [
    PendingRows::WithoutDelivery,
    PendingRows::Delivery(Driver::Ga4),
    PendingRows::Delivery(Driver::Mixpanel),
];

#[derive(Clone, Copy)]
enum PendingRows {
    WithoutDelivery,
    Delivery(Driver),
}

impl PendingRows {
    /// The table, and the condition of the index that has these rows in the order of events.
    fn table_and_condition(self) -> (&'static str, String) {
        match self {
            Self::WithoutDelivery => ("telemetry_pending", "true".to_owned()),
            Self::Delivery(driver) => (
                "telemetry_deliveries",
                format!("state IN ('pending', 'retry') AND driver = '{}'", driver.key()),
            ),
        }
    }
}

/// Deletes a batch of pending rows for events in a range of time without a partition. Returns the number of
/// deleted rows.
pub async fn delete_pending_in_gap(conn: &mut Connection, gap: Gap) -> QueryResult<usize> {
    delete_orphans(conn, gap, DELETE_BATCH_SIZE).await
}

/// Deletes the pending rows of deleted events among the oldest rows since `from`. Returns the number of
/// deleted rows. There may be more if it is not zero.
pub async fn delete_oldest_orphans(conn: &mut Connection, from: DateTime<Utc>) -> QueryResult<usize> {
    delete_orphans(conn, Gap { from, until: EventPosition::END.recorded_at }, MAX_OLDEST_ROWS).await
}

/// Deletes the pending rows of deleted events among the first rows of each kind in a range of time.
async fn delete_orphans(conn: &mut Connection, range: Gap, max_rows: i64) -> QueryResult<usize> {
    let mut deleted = 0;
    for rows in PENDING_ROWS {
        let (table, condition) = rows.table_and_condition();
        let delete = format!(
            "DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT place FROM ( \
                 SELECT ctid AS place, recorded_at, event_id FROM {table} \
                 WHERE {condition} AND recorded_at >= $1 AND recorded_at < $2 ORDER BY recorded_at, event_id LIMIT $3) AS slice \
                 WHERE {NO_EVENT})) AND {condition}",
        );
        deleted += conn
            .transaction(async |conn| {
                AdvisoryLock::Deliveries.acquire_in_transaction(conn).await?;
                sql_query(delete)
                    .bind::<Timestamptz, _>(range.from)
                    .bind::<Timestamptz, _>(range.until)
                    .bind::<BigInt, _>(max_rows)
                    .execute(conn)
                    .await
            })
            .await?;
    }
    Ok(deleted)
}

#[derive(QueryableByName)]
struct ReconciledBatch {
    #[diesel(sql_type = BigInt)]
    inserted: i64,
    #[diesel(sql_type = BigInt)]
    seen: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    recorded_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<BigInt>)]
    id: Option<i64>,
}

/// Inserts a row in `telemetry_pending` for each of the next events that is not synced and has neither such a
/// row nor a delivery. Returns the number of inserted rows and the position to continue after, if there may
/// be more events.
pub async fn insert_missing_pending(
    conn: &mut Connection,
    after: EventPosition,
) -> QueryResult<(i64, Option<EventPosition>)> {
    let ReconciledBatch { inserted, seen, recorded_at, id } = sql_query(
        "WITH slice AS (SELECT recorded_at, id, created_at, synced_at FROM video_player_events \
             WHERE recorded_at >= $1 AND (recorded_at, id) > ($1, $2) ORDER BY recorded_at, id LIMIT $3), \
         inserted AS (INSERT INTO telemetry_pending (recorded_at, event_id, arrived_at) SELECT recorded_at, id, created_at FROM slice \
             WHERE synced_at IS NULL \
                 AND NOT EXISTS (SELECT FROM telemetry_deliveries AS record WHERE record.event_id = slice.id OFFSET 0) \
             ON CONFLICT DO NOTHING RETURNING event_id), \
         last AS (SELECT recorded_at, id FROM slice ORDER BY recorded_at DESC, id DESC LIMIT 1) \
         SELECT (SELECT count(*) FROM inserted) AS inserted, (SELECT count(*) FROM slice) AS seen, \
             (SELECT recorded_at FROM last) AS recorded_at, (SELECT id FROM last) AS id",
    )
    .bind::<Timestamptz, _>(after.recorded_at)
    .bind::<BigInt, _>(after.id)
    .bind::<BigInt, _>(CHECK_BATCH_SIZE)
    .get_result(conn)
    .await?;
    let end = recorded_at.zip(id).map(|(recorded_at, id)| EventPosition { recorded_at, id });
    Ok((inserted, end.filter(|_| seen == CHECK_BATCH_SIZE)))
}

/// Deletes the pending rows and all deliveries of a batch of events of a detached month. Returns the number
/// of events and the position to continue after, if there may be more.
pub async fn delete_month_deliveries(
    conn: &mut Connection,
    month: &str,
    after: EventPosition,
) -> QueryResult<(i64, Option<EventPosition>)> {
    let statement = format!(
        "WITH slice AS (SELECT recorded_at, id FROM {month} WHERE (recorded_at, id) > ($1, $2) \
             ORDER BY recorded_at, id LIMIT $3), \
         delivery AS (DELETE FROM telemetry_deliveries USING slice WHERE event_id = id), \
         pending AS (DELETE FROM telemetry_pending AS pending USING slice \
             WHERE pending.recorded_at = slice.recorded_at AND pending.event_id = slice.id), \
         last AS (SELECT recorded_at, id FROM slice ORDER BY recorded_at DESC, id DESC LIMIT 1) \
         SELECT 0::bigint AS inserted, (SELECT count(*) FROM slice) AS seen, \
             (SELECT recorded_at FROM last) AS recorded_at, (SELECT id FROM last) AS id",
    );
    let ReconciledBatch { inserted: _, seen, recorded_at, id } = conn
        .transaction(async |conn| {
            AdvisoryLock::Deliveries.acquire_in_transaction(conn).await?;
            sql_query(statement)
                .bind::<Timestamptz, _>(after.recorded_at)
                .bind::<BigInt, _>(after.id)
                .bind::<BigInt, _>(DELETE_BATCH_SIZE)
                .get_result(conn)
                .await
        })
        .await?;
    let end = recorded_at.zip(id).map(|(recorded_at, id)| EventPosition { recorded_at, id });
    Ok((seen, end.filter(|_| seen == DELETE_BATCH_SIZE)))
}
