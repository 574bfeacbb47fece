//! Puts deliveries that were given up or skipped back among those that are owed.

use diesel::QueryResult;
use diesel::prelude::QueryableByName;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};
use diesel_async::{AsyncConnection as _, RunQueryDsl, SimpleAsyncConnection as _};

use super::judge::LEDGER_LOCK;
use crate::db::Connection;
use crate::models::driver::Driver;

/// What is to be put back.
#[derive(Debug, Clone, Copy)]
pub struct Requeue<'a> {
    /// For this driver.
    pub driver: Driver,
    /// Only these events; all when `None`.
    pub event_ids: Option<&'a [i64]>,
    /// Also what may have arrived, where that would be doubled.
    pub even_doubtful: bool,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Puts back what was given up, or skipped when its driver was forgotten, as if it had never been sent, and answers with
/// how many deliveries that were.
///
/// Of a driver that cannot tell a repetition, what may have arrived stays where it is unless told otherwise.
pub async fn requeue(conn: &mut Connection, what: Requeue<'_>) -> QueryResult<usize> {
    let Requeue { driver, event_ids, even_doubtful } = what;
    let knows_repetitions = match driver {
        Driver::Ga4 => false,
        Driver::Mixpanel => true,
    };
    conn.transaction(async |conn| {
        conn.batch_execute(LEDGER_LOCK).await?;
        let requeued: Count = sql_query(
            "WITH requeued AS ( \
                 UPDATE telemetry_deliveries SET state = 'pending', attempts = 0, unanswered = 0, \
                     next_attempt_at = NULL, http_status = NULL, error_class = NULL, error_code = NULL, \
                     error_message = NULL, first_attempt_at = NULL \
                 WHERE driver = $1 AND state IN ('dead', 'expired', 'skipped') \
                     AND ($2::bigint[] IS NULL OR event_id = ANY ($2)) AND (NOT maybe_duplicate OR $3) \
                 RETURNING event_id, recorded_at \
             ), reopened AS ( \
                 UPDATE video_player_events AS event SET synced_at = NULL FROM requeued \
                 WHERE event.recorded_at = requeued.recorded_at AND event.id = requeued.event_id \
             ) SELECT count(*) FROM requeued",
        )
        .bind::<Text, _>(driver.key())
        .bind::<Nullable<Array<BigInt>>, _>(event_ids)
        .bind::<Bool, _>(knows_repetitions || even_doubtful)
        .get_result(conn)
        .await?;
        Ok(usize::try_from(requeued.count).unwrap_or_default())
    })
    .await
}
