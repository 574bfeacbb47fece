//! Requeues dead, expired and skipped deliveries in batches.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::prelude::QueryableByName;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz};
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use domain::Driver;

use super::EventPosition;
use crate::db::Connection;
use crate::db::advisory_lock::AdvisoryLock;

/// Maximum number of deliveries per transaction, which keeps the lock times short.
const BATCH_SIZE: i64 = 5_000;

/// Which deliveries to requeue.
#[derive(Debug, Clone)]
pub struct RequeueRequest {
    pub driver: Driver,
    /// Only the deliveries of these events, or all if `None`.
    pub event_ids: Option<Vec<i64>>,
    /// Also deliveries that may have been delivered, for a driver that does not deduplicate events.
    pub include_possible_duplicates: bool,
}

/// A position in the list of deliveries to requeue. Each kind has its own index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequeuePosition {
    /// Among dead and expired deliveries, after this event.
    Dead(EventPosition),
    /// Among skipped deliveries, after this event.
    Skipped(EventPosition),
}

#[derive(QueryableByName)]
struct RequeuedBatch {
    #[diesel(sql_type = BigInt)]
    requeued: i64,
    #[diesel(sql_type = BigInt)]
    seen: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    recorded_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<BigInt>)]
    event_id: Option<i64>,
}

impl RequeuePosition {
    /// Before all deliveries.
    pub const START: Self = Self::Dead(EventPosition::START);

    const fn states(self) -> &'static str {
        match self {
            Self::Dead(_) => "state IN ('dead', 'expired')",
            Self::Skipped(_) => "state = 'skipped'",
        }
    }

    const fn event(self) -> EventPosition {
        match self {
            Self::Dead(event) | Self::Skipped(event) => event,
        }
    }

    /// The position after a batch that ended with this event, or that was the last of its kind (`None`).
    fn next(self, end: Option<EventPosition>) -> Option<Self> {
        match (self, end) {
            (Self::Dead(_), Some(event)) => Some(Self::Dead(event)),
            (Self::Dead(_), None) => Some(Self::Skipped(EventPosition::START)),
            (Self::Skipped(_), Some(event)) => Some(Self::Skipped(event)),
            (Self::Skipped(_), None) => None,
        }
    }
}

/// Requeues the next batch of dead, expired or skipped deliveries, as if they had never been sent. Returns
/// the number of requeued deliveries and the position to continue after, if there may be more.
///
/// Deliveries of deleted events are not requeued. Deliveries that may have been delivered are requeued only
/// if the driver deduplicates events, or if the request includes possible duplicates.
pub async fn requeue(
    conn: &mut Connection,
    request: &RequeueRequest,
    position: RequeuePosition,
) -> QueryResult<(usize, Option<RequeuePosition>)> {
    let deduplicates = match request.driver {
        Driver::Ga4 => false,
        Driver::Mixpanel => true,
    };
    let states = position.states();
    let RequeuedBatch { requeued, seen, recorded_at, event_id } = conn
        .transaction(async |conn| {
            AdvisoryLock::Deliveries.acquire_in_transaction(conn).await?;
            sql_query(format!(
                "WITH slice AS ( \
                     SELECT event_id, recorded_at FROM telemetry_deliveries \
                     WHERE driver = $1 AND {states} AND ($2::bigint[] IS NULL OR event_id = ANY ($2)) \
                         AND (recorded_at, event_id) > ($4, $5) \
                     ORDER BY recorded_at, event_id LIMIT $6 \
                 ), requeued AS ( \
                     UPDATE telemetry_deliveries AS delivery SET state = 'pending', attempts = 0, unanswered = 0, \
                         next_attempt_at = NULL, http_status = NULL, error_class = NULL, error_code = NULL, \
                         error_message = NULL, first_attempt_at = NULL \
                     FROM slice WHERE delivery.event_id = slice.event_id AND delivery.driver = $1 \
                         AND (NOT delivery.maybe_duplicate OR $3) \
                         AND EXISTS (SELECT FROM video_player_events AS event \
                             WHERE event.recorded_at = slice.recorded_at AND event.id = slice.event_id OFFSET 0) \
                     RETURNING delivery.event_id, delivery.recorded_at \
                 ), reopened AS ( \
                     UPDATE video_player_events AS event SET synced_at = NULL FROM requeued \
                     WHERE event.recorded_at = requeued.recorded_at AND event.id = requeued.event_id \
                 ), last AS (SELECT * FROM slice ORDER BY recorded_at DESC, event_id DESC LIMIT 1) \
                 SELECT (SELECT count(*) FROM requeued) AS requeued, (SELECT count(*) FROM slice) AS seen, \
                     (SELECT recorded_at FROM last) AS recorded_at, (SELECT event_id FROM last) AS event_id",
            ))
            .bind::<Text, _>(request.driver.key())
            .bind::<Nullable<Array<BigInt>>, _>(&request.event_ids)
            .bind::<Bool, _>(deduplicates || request.include_possible_duplicates)
            .bind::<Timestamptz, _>(position.event().recorded_at)
            .bind::<BigInt, _>(position.event().id)
            .bind::<BigInt, _>(BATCH_SIZE)
            .get_result(conn)
            .await
        })
        .await?;
    let end = recorded_at.zip(event_id).map(|(recorded_at, id)| EventPosition { recorded_at, id });
    let next = position.next(end.filter(|_| seen == BATCH_SIZE));
    Ok((usize::try_from(requeued).unwrap_or_default(), next))
}
