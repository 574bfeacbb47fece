//! Requeues dead, expired and skipped deliveries, slice by slice.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::prelude::QueryableByName;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz};
use diesel_async::{AsyncConnection as _, RunQueryDsl, SimpleAsyncConnection as _};
use domain::Driver;

use super::EventPosition;
use super::record::RECORD_LOCK;
use crate::db::Connection;

/// So many are put back at a time, so that nobody waits long.
const SLICE: i64 = 5_000;

/// What is to be put back.
#[derive(Debug, Clone)]
pub struct Requeue {
    /// For this driver.
    pub driver: Driver,
    /// Only these events; all when `None`.
    pub event_ids: Option<Vec<i64>>,
    /// Also what may have arrived, where that would be doubled.
    pub include_possible_duplicates: bool,
}

/// Where a walk through what is to be put back has come to. There is an index of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequeuePlace {
    /// Among dead and expired deliveries, after this event.
    Dead(EventPosition),
    /// Among skipped deliveries, after this event.
    Skipped(EventPosition),
}

#[derive(QueryableByName)]
struct Slice {
    #[diesel(sql_type = BigInt)]
    requeued: i64,
    #[diesel(sql_type = BigInt)]
    seen: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    recorded_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<BigInt>)]
    event_id: Option<i64>,
}

impl RequeuePlace {
    /// Before everything.
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

    /// What comes after a slice that ended with this event, or was the last of its kind.
    fn next(self, end: Option<EventPosition>) -> Option<Self> {
        match (self, end) {
            (Self::Dead(_), Some(event)) => Some(Self::Dead(event)),
            (Self::Dead(_), None) => Some(Self::Skipped(EventPosition::START)),
            (Self::Skipped(_), Some(event)) => Some(Self::Skipped(event)),
            (Self::Skipped(_), None) => None,
        }
    }
}

/// Puts back the next slice of what was given up, or skipped when its driver was forgotten, as if it had never been sent.
/// Answers with how many deliveries that were, and where the next slice begins, if there is one.
///
/// Of a driver that cannot tell a repetition, what may have arrived stays where it is unless told otherwise; and so does
/// what the event is gone of.
pub async fn requeue(
    conn: &mut Connection,
    what: &Requeue,
    place: RequeuePlace,
) -> QueryResult<(usize, Option<RequeuePlace>)> {
    let knows_repetitions = match what.driver {
        Driver::Ga4 => false,
        Driver::Mixpanel => true,
    };
    let states = place.states();
    let Slice { requeued, seen, recorded_at, event_id } = conn
        .transaction(async |conn| {
            conn.batch_execute(RECORD_LOCK).await?;
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
            .bind::<Text, _>(what.driver.key())
            .bind::<Nullable<Array<BigInt>>, _>(&what.event_ids)
            .bind::<Bool, _>(knows_repetitions || what.include_possible_duplicates)
            .bind::<Timestamptz, _>(place.event().recorded_at)
            .bind::<BigInt, _>(place.event().id)
            .bind::<BigInt, _>(SLICE)
            .get_result(conn)
            .await
        })
        .await?;
    let end = recorded_at.zip(event_id).map(|(recorded_at, id)| EventPosition { recorded_at, id });
    let next = place.next(end.filter(|_| seen == SLICE));
    Ok((usize::try_from(requeued).unwrap_or_default(), next))
}
